"""Sounds for the tests of motion."""

import numpy as np
from numpy.typing import NDArray

from animator.units import RATE, SAMPLES_PER_FRAME

Sound = NDArray[np.float32]


def silence(seconds: float) -> Sound:
    return np.zeros(round(seconds * RATE) // SAMPLES_PER_FRAME * SAMPLES_PER_FRAME, np.float32)


def in_frames(sound: Sound) -> Sound:
    return sound[: len(sound) // SAMPLES_PER_FRAME * SAMPLES_PER_FRAME]
