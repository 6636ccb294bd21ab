"""`companion talk` with stages that understand nothing: timing, recording and errors."""

import json
from pathlib import Path

import av
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from animator.media.files import Mp4Writer, read_audio
from animator.units import RATE
from companion.call.caller import edges_of_speech
from companion.call.talk import talk

app = typer.Typer()
app.command()(talk)


@pytest.fixture(scope="module")
def question(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a second of hum, then silence; stored as an MP4, since any sound will do."""
    path = tmp_path_factory.mktemp("sound") / "question.mp4"
    t = np.arange(RATE) / RATE
    audio = np.where(t < 0.5, 0.3 * np.sin(2 * np.pi * 200 * t), 0).astype(np.float32)
    with Mp4Writer(path, 16, 16) as writer:
        writer.write(np.zeros((25, 16, 16, 3), np.uint8), audio)
    return path


def config(folder: Path, text: str) -> Path:
    path = folder / "test.toml"
    path.write_text(f'extends = "fakes"\n{text}')
    return path


def test_two_turns_are_recorded_in_step_and_timed(question: Path, tmp_path: Path) -> None:
    short = config(
        tmp_path, '[llm]\nuse = "companion.stages.fakes:ScriptedLLM"\nreplies = ["One two three.", "Four five."]'
    )
    out = tmp_path / "out.mp4"
    arguments = ["--wav", str(question), "--wav", str(question), "--out", str(out), "--config", str(short)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert [turn["assistant"] for turn in said["turns"]] == ["One two three.", "Four five."]
    assert [turn["user"] for turn in said["turns"]] == ["Hello, who are you?", "Tell me about the sea."]
    for turn in said["turns"]:
        steps = turn["ms"]
        assert 0 < steps["transcript"] <= steps["first_token"] <= steps["first_audio"]
        assert steps["first_audio"] > 480, "a turn ends after half a second of silence"
        assert steps["first_frame"] == pytest.approx(steps["first_audio"], abs=81)
    assert said["dropped_frames"] == 0
    with av.open(out) as container:
        lengths = {s.type: float(s.duration * s.time_base) for s in container.streams}
        assert sum(1 for _ in container.decode(video=0)) == said["frames"]
    assert abs(lengths["video"] - lengths["audio"]) < 0.04
    assert np.abs(read_audio(out)).max() > 0.1


def test_a_failing_stage_is_told_and_leaves_no_file(question: Path, tmp_path: Path) -> None:
    broken = config(tmp_path, '[llm]\nuse = "companion.stages.fakes:Broken"\ncode = "model_gone"')
    out = tmp_path / "out.mp4"
    done = CliRunner().invoke(app, ["--wav", str(question), "--out", str(out), "--config", str(broken)])
    assert done.exit_code == 1
    assert "model_gone" in done.stderr
    assert not done.stdout
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--wav", "missing.wav", "--out", "out.mp4"], "There is no file missing.wav"),
        (["--wav", "x.wav", "--out", "nowhere/out.mp4"], "There is no folder nowhere"),
        (["--wav", "x.wav", "--out", "out.mp4", "--persona", "nobody"], "There is no persona 'nobody'"),
        (["--wav", "x.wav", "--out", "out.mp4", "--config", "nothing"], "There is no config 'nothing'"),
    ],
)
def test_mistakes_are_named(arguments: list[str], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    if "--config" not in arguments:
        arguments = [*arguments, "--config", "fakes"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 1
    assert reason in done.stderr


def test_the_edges_of_speech_are_where_the_voice_begins_and_stops() -> None:
    audio = np.concatenate([np.zeros(8000), np.full(8000, 0.2), np.zeros(16000)]).astype(np.float32)
    assert edges_of_speech(audio, lambda window: float(window.max()), 0.1) == pytest.approx((0.5, 1.0), abs=0.04)
    assert edges_of_speech(np.zeros(16000, np.float32), lambda window: float(window.max()), 0.1) == (0.0, 0.0)
