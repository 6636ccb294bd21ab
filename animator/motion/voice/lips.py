"""Timing of the lips from sound to sound: smoothed to the speed of real ones, without being late for a contact.

On film the gap between the lips changes by up to .10 distances of the eyes a frame (in 95 % of frames; .15 in 99 %).
Frames that networks tell one by one flap at twice that.
"""

import numpy as np

from animator.motion.voice.closing import NO_TOUCHES, TIP_TOUCH, Touches, touched
from animator.motion.voice.mouth_net import CHANNELS, MouthRow

_CLOSING_STEP, _PARTING_STEP = 0.5, 0.34  # of a touch, by which it comes and leaves in a frame: two frames, and three


class Lips:
    """One face's.

    Shapes are those half-way between the last frame and this one, and so 20 ms late, by which the networks are ahead of
    the voice (as tracked in rendered videos). Touches need that time: they begin in this frame to be whole in the next,
    however short they are.
    """

    def __init__(self) -> None:
        self._asked = np.zeros(len(CHANNELS), np.float32)
        self._called = self._touches = NO_TOUCHES

    def __call__(self, mouth: MouthRow, touches: Touches) -> tuple[MouthRow, float]:
        """What is asked of a frame -> its mouth, and how far the tongue's tip is raised, 0 to 1."""
        between, self._asked = np.float32(0.5) * (self._asked + mouth), mouth
        wanted = np.where(self._touches < self._called, np.maximum(self._called, touches), touches)
        self._called = touches
        nearer = np.clip(wanted - self._touches, -_PARTING_STEP, _CLOSING_STEP)
        self._touches = (self._touches + nearer).astype(np.float32)
        return touched(between, self._touches), float(self._touches[TIP_TOUCH])
