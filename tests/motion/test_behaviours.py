"""Which behaviour moves a face: by name, import string or file, with errors that say what to do."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from animator.__main__ import app
from animator.control import Control
from animator.live import Animator
from animator.motion.behaviour.choice import BehaviourError
from animator.motion.rows import space
from animator.motion.voice.mouth_net import MODEL
from animator.units import SAMPLES_PER_FRAME


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


CALM = '''
import numpy as np

from animator.motion.behaviour.channels import CHANNELS, MOUTH_AT


class Calm:
    """Speaks, and moves nothing else."""

    def __init__(self, random):
        pass

    def __call__(self, own, other, control):
        row = np.zeros(len(CHANNELS), np.float32)
        row[MOUTH_AT] = own.mouth
        return row


class Short(Calm):
    def __call__(self, own, other, control):
        return super().__call__(own, other, control)[:-1]


class Broken(Calm):
    def __call__(self, own, other, control):
        return self.nothing


class Late(Calm):
    """Fails, or gives what is no row of channels, as soon as it speaks."""

    fault = None

    def __call__(self, own, other, control):
        row = super().__call__(own, other, control)
        return self.fault(row) if control.state == "speaking" else row


class LateError(Late):
    def fault(self, row):
        raise ArithmeticError("too late")


class LateList(Late):
    def fault(self, row):
        return [*row, 0.0]


class LateNan(Late):
    def fault(self, row):
        return row * np.nan


class LateNothing(Late):
    def fault(self, row):
        pass
'''


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module of the user's, as Python finds it."""
    name = f"mine_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(CALM)
    monkeypatch.syspath_prepend(tmp_path)
    return name


def test_a_class_moves_a_face_by_its_import_string(mine: str) -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 20 * SAMPLES_PER_FRAME).astype(np.float32)
    calm = Animator(behaviour=f"{mine}:Calm", seed=1).generator().step(noise, Control("speaking"))
    lively = Animator(seed=1).generator().step(noise, Control("speaking"))
    eyes = slice(space.GAZE_LEFT_YAW, space.GAZE_RIGHT_PITCH + 1)
    assert np.ptp(calm[:, eyes]) == 0 < np.ptp(lively[:, eyes])
    assert calm[:, space.INDEX["jawOpen"]].max() > 0


@pytest.mark.parametrize(
    ("attribute", "words"),
    [
        ("Short", r"gave \(\d+,\) numbers a frame; expected \(\d+,\)"),
        ("Broken", "failed: AttributeError"),
        ("Absent", "There is no Absent in"),
    ],
)
def test_a_class_that_cannot_move_a_face_is_refused(mine: str, attribute: str, words: str) -> None:
    with pytest.raises(BehaviourError, match=words):
        Animator(behaviour=f"{mine}:{attribute}")


@pytest.mark.parametrize(
    ("attribute", "words"),
    [
        ("LateError", r":LateError failed: ArithmeticError: too late"),
        ("LateList", r"gave \(\d+,\) numbers a frame; expected"),
        ("LateNan", "all of them finite"),
        ("LateNothing", r"gave \(\) numbers a frame; expected"),
    ],
)
def test_a_class_that_goes_wrong_later_says_so(mine: str, attribute: str, words: str) -> None:
    moving = Animator(behaviour=f"{mine}:{attribute}").generator()
    silence = np.zeros(3 * SAMPLES_PER_FRAME, np.float32)
    assert moving.step(silence, Control("listening")).shape == (3, space.SIZE)
    with pytest.raises(BehaviourError, match=words):
        moving.step(silence, Control("speaking"))


def test_a_module_that_there_is_not_is_refused() -> None:
    with pytest.raises(BehaviourError, match="nowhere of the behaviour nowhere:Calm cannot be imported"):
        Animator(behaviour="nowhere:Calm")
