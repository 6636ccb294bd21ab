"""Two videos whose brightness tells the time, beside each other."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from animator.__main__ import app
from animator.evaluate.stills.beside import COLUMNS, FRAME_HEIGHT, save
from animator.media.files import MediaError, Mp4Writer
from animator.portrait.characters import find


def clock(path: Path, frames: int, start: int, width: int = 64) -> Path:
    """A grey video of 64 px height that gets lighter by 4 levels a frame."""
    with Mp4Writer(path, width, 64) as writer:
        for number in range(frames):
            image = np.full((1, 64, width, 3), start + 4 * number, np.uint8)
            writer.write(image, np.zeros(960, np.float32))
    return path


def test_a_strip_shows_both_at_the_same_times(tmp_path: Path) -> None:
    one, other = clock(tmp_path / "one.mp4", 40, 20), clock(tmp_path / "other.mp4", 50, 40, 128)
    save((one, other), tmp_path / "strip.png")
    strip = np.asarray(Image.open(tmp_path / "strip.png")).astype(float)
    assert strip.shape == (2 * FRAME_HEIGHT, COLUMNS * 2 * FRAME_HEIGHT, 3)
    upper = strip[FRAME_HEIGHT // 2, FRAME_HEIGHT // 2 : COLUMNS * FRAME_HEIGHT : FRAME_HEIGHT].mean(axis=1)
    lower = strip[FRAME_HEIGHT + FRAME_HEIGHT // 2, FRAME_HEIGHT :: 2 * FRAME_HEIGHT].mean(axis=1)
    assert lower - upper == pytest.approx(20, abs=6), "20 levels apart at every time"
    assert np.diff(upper) == pytest.approx(4 * 39 / COLUMNS, abs=5), "evenly spaced over the shorter one"


def test_what_is_no_video_is_told(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(MediaError, match="cannot be read as a video"):
        save((tmp_path / "text.mp4", tmp_path / "text.mp4"), tmp_path / "strip.png")
    with pytest.raises(MediaError, match="There is no file"):
        save((tmp_path / "missing.mp4",), tmp_path / "strip.png")


def test_the_command_compares_two_videos_and_writes_a_strip(tmp_path: Path) -> None:
    still = np.asarray(Image.open(find("mona_lisa").picture).convert("RGB").resize((320, 320)))
    video = tmp_path / "still.mp4"
    with Mp4Writer(video, 320, 320) as writer:
        for _ in range(10):
            writer.write(still[None], np.zeros(960, np.float32))
    strip = tmp_path / "both.png"
    done = CliRunner().invoke(app, ["evaluate", "--compare", str(video), str(video), "--strip", str(strip)])
    assert done.exit_code == 0, done.output
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["A"] == figures["B"]
    assert figures["A"]["smile_sd"] < 0.01, "a still face does not smile"
    assert figures["A"]["distance"] > 1.5
    assert strip.exists()
