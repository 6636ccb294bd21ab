"""Pictures that show parted lips: a smile with teeth is no mouth to speak with."""

import numpy as np

from animator.control import Control
from animator.face import FPS, Motion
from animator.motion.space import INDEX

HOLD = 0.45  # how far a speaking face shuts the lips that its picture parts: closing them wholly for every "m" flaps
JAW = 0.1  # jawOpen that goes with it, since the seal of the lips is told by mouthClose's share of it
SECONDS = 0.3  # to get there and back

_JAW, _CLOSE = INDEX["jawOpen"], INDEX["mouthClose"]


class PartedLips:
    """While the face speaks its lips rest half-way between the picture's and closed ones, else as in the picture."""

    def __init__(self) -> None:
        self._held = 0.0

    def __call__(self, motion: Motion, control: Control) -> Motion:
        """(n, 64) -> (n, 64), the next frames; ``motion`` is left as it is."""
        held = np.empty(len(motion), np.float32)
        for i in range(len(motion)):
            self._held += ((control.state == "speaking") - self._held) / (SECONDS * FPS)
            held[i] = self._held
        out = motion.copy()
        share = motion[:, _CLOSE] / np.maximum(motion[:, _JAW], 1e-3)
        out[:, _JAW] += JAW * held
        out[:, _CLOSE] = out[:, _JAW] * np.clip(share + (1 - share) * HOLD * held, 0, 1)
        return out

    def reset(self) -> None:
        self._held = 0.0
