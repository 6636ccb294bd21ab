from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from hibari import Hibari

from animator.control import Control, State
from animator.face import SAMPLES_PER_FRAME, Motion
from animator.motion.generator import Generator

from .sounds import Sound, in_frames, silence

SENTENCES = (
    "Bob moved the purple box, then found five more. Why did he do that?",
    "My mother baked some apple pie for everybody at home.",
    "I think that these three things are worth thinking through, and I would love to tell you more about it.",
)


@cache
def _speech() -> Sound:
    voice = Hibari()
    parts = [part for text in SENTENCES for part in (voice(text, seed=0), silence(0.4))]
    return in_frames(np.concatenate(parts).astype(np.float32))


@pytest.fixture(scope="session")
def speech() -> Sound:
    """About 14 s of a voice at 24 kHz, with pauses between sentences."""
    return _speech()


@cache
def _minutes(state: State) -> Motion:
    frames = 5 * 60 * 25
    sound = silence(300)
    if state == "speaking":
        sound = np.resize(_speech(), frames * SAMPLES_PER_FRAME)
    return Generator(seed=3).step(sound, Control(state))


@pytest.fixture(scope="session")
def minutes() -> Callable[[State], Motion]:
    """Five minutes of motion in a state: (7500, 64), with a voice when speaking."""
    return _minutes
