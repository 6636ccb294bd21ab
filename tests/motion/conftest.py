from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from hibari import Hibari
from numpy.typing import NDArray

from animator.control import Control, State
from animator.units import RATE

from .faces import lives
from .sounds import Sound, in_frames, silence

# Of faces in one state; means over them are asserted, each four standard errors within its bounds.
SEEDS, SECONDS = 10, 40
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
def _days(state: State) -> NDArray[np.float32]:
    sound = np.resize(_speech(), SECONDS * RATE) if state == "speaking" else silence(SECONDS)
    return lives(range(SEEDS), sound, Control(state))


@pytest.fixture(scope="session")
def days() -> Callable[[State], NDArray[np.float32]]:
    """The motion of `SEEDS` faces in a state, with a voice when speaking: (SEEDS, 25 * SECONDS, 64)."""
    return _days
