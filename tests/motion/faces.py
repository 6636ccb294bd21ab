"""Faces for the tests of motion."""

import numpy as np

from animator.motion.channels import CHANNELS
from animator.motion.generator import Generator


def still(seed: int) -> Generator:
    """One that does nothing by itself: what moves, the generator adds."""
    return Generator(seed, lambda random: lambda own, other, control: np.zeros(len(CHANNELS), np.float32))
