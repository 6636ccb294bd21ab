"""What a behaviour has to do: called once a frame with two voices and a wish, it gives one row of channels."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from animator.control import Control
from animator.motion.voice.voices import Other, Own


class Behaviour(Protocol):
    """Moves head, gaze, blinks, brows and mouth: `Processes`, `MotionNet`, or a class of the user's."""

    def __call__(self, own: Own, other: Other, control: Control) -> NDArray[np.float32]:
        """(len(CHANNELS),) float32 of one frame, see `animator.motion.behaviour.channels`; 25 calls are a second."""
        ...


Make = Callable[[np.random.Generator], Behaviour]  # all chance comes from the generator: a seed repeats a motion
