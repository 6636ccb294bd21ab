"""A face that can be read off its pixels: brightness is the loudness of the frame's own sound."""

import numpy as np

from animator.control import Control
from animator.live import LiveFace
from animator.units import SAMPLES_PER_FRAME

DELAY = 2  # frames


class Loudness:
    """Moves the jaw by the peak of the sound that came in `DELAY` frames ago."""

    delay_frames = DELAY

    def __init__(self) -> None:
        self.reset()

    def step(self, audio: np.ndarray, control: Control, other: np.ndarray | None = None) -> np.ndarray:
        peaks = np.abs(audio.reshape(-1, SAMPLES_PER_FRAME)).max(axis=1)
        self.waiting = np.concatenate([self.waiting, peaks])
        motion = np.zeros((len(peaks), 64), np.float32)
        motion[:, 24] = self.waiting[: len(peaks)]
        self.waiting = self.waiting[len(peaks) :]
        return motion

    def interrupt(self) -> None:
        self.waiting = np.zeros(DELAY)

    reset = interrupt


class Lamp:
    """Draws the jaw's weight as brightness."""

    def draw_many(self, motions: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        return np.broadcast_to(np.uint8(motions[:, 24] * 250)[:, None, None, None], (len(motions), 64, 64, 3))


def lamp() -> LiveFace:
    """64 px."""
    return LiveFace(Loudness(), Lamp(), size=64)
