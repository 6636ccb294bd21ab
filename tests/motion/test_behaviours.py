"""Which behaviour moves a face: by name or by file, with errors that say what to do."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from animator.__main__ import app
from animator.face import Animator
from animator.motion.behaviours import BehaviourError
from animator.motion.mouth import MODEL


@pytest.mark.parametrize("name", ["magic", "runs/nowhere/motion.onnx"])
def test_a_behaviour_that_there_is_not_is_refused(name: str) -> None:
    with pytest.raises(BehaviourError, match=rf"no behaviour '{name}'. Choose processes, network"):
        Animator(behaviour=name)


def test_a_damaged_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "motion.onnx").write_bytes(b"no graph")
    with pytest.raises(BehaviourError, match=r"motion\.onnx is no motion network"):
        Animator(behaviour=str(tmp_path / "motion.onnx"))


def test_another_network_is_refused() -> None:
    with pytest.raises(BehaviourError, match=r"mouth\.onnx is no motion network"):
        Animator(behaviour=str(MODEL))


def test_the_command_says_so() -> None:
    result = CliRunner().invoke(app, ["evaluate", "mona_lisa", "--behaviour", "magic"])
    assert result.exit_code == 1
    assert "Choose processes" in " ".join(result.output.split())
