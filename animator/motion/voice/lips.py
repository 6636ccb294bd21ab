"""Timing of the lips from sound to sound: smoothed to the speed of real ones, without being late for a contact.

On film the gap between the lips changes by up to .10 distances of the eyes a frame (in 95 % of frames; .15 in 99 %).
Frames that networks tell one by one flap at twice that.
"""

import numpy as np

from animator.motion.voice.closing import LIP_TOUCH, NO_TOUCHES, TEETH_TOUCH, TIP_TOUCH, Touches, touched
from animator.motion.voice.mouth_net import CHANNELS, MouthRow

_CLOSING_STEP, _PARTING_STEP = 0.5, 0.34  # of a touch, by which it comes and leaves in a frame: two frames, and three
_WHOLE = 0.9  # of a touch of the teeth, with which it stays for another frame: nobody sees an f of 40 ms
# Shares of the way to what is asked for that are gone in a frame, as a shape grows and as it leaves. Lips that a sound
# parts stay parted until one shuts them; the corners, which the flat muscles of the cheek draw, are slower than lips.
_PACES = {
    "jawOpen": (1.0, 0.3), "mouthUpperUp": (0.5, 0.3), "mouthLowerDown": (1.0, 0.3),
    "mouthSmile": (0.6, 0.2), "mouthStretch": (0.6, 0.2), "mouthDimple": (0.6, 0.2),
}  # fmt: skip
_CORNERS = [CHANNELS.index(name) for name in ("mouthSmile", "mouthStretch", "mouthDimple")]
_ROUND_SHAPES = [CHANNELS.index(name) for name in ("mouthFunnel", "mouthPucker")]
_ROUND = 0.6  # funnel and pucker together that draw the corners in at once


class Lips:
    """One face's.

    Shapes are those half-way between the last frame and this one, and so 20 ms late, by which the networks are ahead of
    the voice (as tracked in rendered videos), or later where they leave. Touches need that time: they begin in this
    frame to be whole in the next, however short they are.
    """

    def __init__(self) -> None:
        self._asked = self._shape = np.zeros(len(CHANNELS), np.float32)
        self._called = self._touches = NO_TOUCHES
        self._bites = False  # the teeth have met the lip in the last frame

    def __call__(self, mouth: MouthRow, touches: Touches) -> tuple[MouthRow, float]:
        """What is asked of a frame -> its mouth, and how far the tongue's tip is raised, 0 to 1."""
        between, self._asked = np.float32(0.5) * (self._asked + mouth), mouth
        goal = np.where(_LEAVING < 1, np.minimum(between, mouth), between)  # what leaves slowly begins to do so at once
        self._shape = (self._shape + self._pace(goal) * (goal - self._shape)).astype(np.float32)
        wanted = np.where(self._touches < self._called, np.maximum(self._called, touches), touches)
        if self._bites:
            wanted[TEETH_TOUCH] = max(wanted[TEETH_TOUCH], self._touches[TEETH_TOUCH])
        self._called = touches
        nearer = np.clip(wanted - self._touches, -_PARTING_STEP, _CLOSING_STEP)
        before, self._touches = self._touches, (self._touches + nearer).astype(np.float32)
        self._bites = bool(before[TEETH_TOUCH] < _WHOLE <= self._touches[TEETH_TOUCH])
        return touched(self._shape, self._touches), float(self._touches[TIP_TOUCH])

    def _pace(self, goal: MouthRow) -> MouthRow:
        """(len(CHANNELS),) shares of the way to ``goal`` that are gone in this frame."""
        leaving = _LEAVING + (1 - _LEAVING) * self._touches[LIP_TOUCH]  # nothing stays parted behind lips that shut
        leaving[_CORNERS] = _LEAVING[_CORNERS]
        leaving[_CORNERS] += (1 - leaving[_CORNERS]) * np.float32(min(1.0, float(goal[_ROUND_SHAPES].sum()) / _ROUND))
        return np.where(goal > self._shape, _GROWING, leaving)


_GROWING, _LEAVING = np.array([_PACES.get(name, (1.0, 1.0)) for name in CHANNELS], np.float32).T
