"""A face that lives: `Face.step` turns the next chunk of sound into the next frames."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from animator.control import Control

Samples = NDArray[np.float32]  # (n,) mono, in [-1, 1], at RATE
Frames = NDArray[np.uint8]  # (n, height, width, 3) RGB
Motion = NDArray[np.float32]  # (n, 64), see animator.motion.space

RATE = 24_000  # Hz
FPS = 25
SAMPLES_PER_FRAME = RATE // FPS  # 960


@dataclass(frozen=True, slots=True)
class Shown:
    """One chunk as it leaves the face: picture and sound that belong together.

    The sound is the input delayed by the face's look-ahead, so that ``audio[i * 960:(i + 1) * 960]`` is what
    ``frames[i]`` says.
    """

    frames: Frames
    audio: Samples
    motion: Motion


class Face(Protocol):
    """One session's face. Called from one thread at a time."""

    width: int
    height: int
    chunk_frames: int
    delay_frames: int  # look-ahead: how much later than its input a chunk leaves

    def step(self, audio: Samples, control: Control) -> Shown:
        """(chunk_frames * 960,) of sound, zeros where nobody speaks -> chunk_frames frames."""
        ...

    def interrupt(self) -> None:
        """Forget the sound that was taken in but not yet shown; the face moves on from where it is."""
        ...

    def reset(self) -> None:
        """Back to the first frame of a new session."""
        ...
