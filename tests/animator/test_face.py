import subprocess
import sys

import numpy as np
import pytest

from animator.control import Control
from animator.live import LiveFace
from animator.units import SAMPLES_PER_FRAME

CHUNK = 2 * SAMPLES_PER_FRAME


def say(face: LiveFace, audio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    shown = [face.step(chunk, Control()) for chunk in audio.reshape(-1, CHUNK)]
    return np.concatenate([s.frames for s in shown]), np.concatenate([s.audio for s in shown])


def test_each_frame_shows_the_sound_it_leaves_with(lamp: LiveFace) -> None:
    audio = np.zeros(5 * CHUNK, np.float32)
    audio[4 * SAMPLES_PER_FRAME : 5 * SAMPLES_PER_FRAME] = 0.8
    frames, sound = say(lamp, audio)
    loud = np.abs(sound.reshape(-1, SAMPLES_PER_FRAME)).max(axis=1)
    assert np.flatnonzero(loud).tolist() == [4 + lamp.delay_frames]
    assert np.flatnonzero(frames.reshape(len(frames), -1).max(axis=1)).tolist() == [4 + lamp.delay_frames]


def test_an_interruption_forgets_sound_that_was_not_shown(lamp: LiveFace) -> None:
    lamp.step(np.full(CHUNK, 0.5, np.float32), Control())
    lamp.interrupt()
    shown = lamp.step(np.zeros(CHUNK, np.float32), Control())
    assert not shown.audio.any()
    assert not shown.frames.any()


def test_a_chunk_of_the_wrong_length_is_refused_and_changes_nothing(lamp: LiveFace) -> None:
    lamp.step(np.full(CHUNK, 0.5, np.float32), Control())
    with pytest.raises(ValueError, match=str(CHUNK)):
        lamp.step(np.zeros(7, np.float32), Control())
    assert lamp.step(np.zeros(CHUNK, np.float32), Control()).audio.max() == np.float32(0.5)


def test_importing_the_face_loads_neither_torch_nor_compiled_code() -> None:
    code = "import sys, animator.face, animator.control; print({'torch', 'numba', 'onnxruntime'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"


class Restless:
    """Everything moves at once, all the time."""

    delay_frames = 2

    def step(self, audio: np.ndarray, control: Control, other: np.ndarray | None = None) -> np.ndarray:
        return np.ones((len(audio) // SAMPLES_PER_FRAME, 64), np.float32)

    def interrupt(self) -> None: ...
    def reset(self) -> None: ...


class Blank:
    def draw_many(self, motions: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        return np.zeros((len(motions), 16, 16, 3), np.uint8)


def test_a_face_begins_as_its_picture_but_may_speak_at_once() -> None:
    face = LiveFace(Restless(), Blank(), size=16)

    def live(frames: int) -> np.ndarray:
        return np.concatenate([face.step(np.zeros(CHUNK, np.float32), Control()).motion for _ in range(frames // 2)])

    motion = live(40)[face.delay_frames :]
    head, jaw = motion[:, 52], motion[:, 24]
    assert head[0] == 0
    assert (np.diff(head) >= 0).all()
    assert np.diff(head).max() < 0.1
    assert head[25] == 1
    assert (jaw == 1).all()
    face.reset()
    assert live(4)[face.delay_frames, 52] == 0
