"""Pictures that show parted lips: a smile with teeth is no mouth to speak with."""

import numpy as np

from animator.control import Control, Emotion
from animator.face import FPS, Motion
from animator.motion.space import INDEX

HOLD = 0.45  # how far a speaking face shuts the lips that its picture parts: closing them wholly for every "m" flaps
SHUT: dict[Emotion, float] = {  # how far a face that does not speak shuts them, at full strength of its emotion
    "sad": 0.95, "angry": 0.95, "disgusted": 0.95, "afraid": 0.5, "tender": 0.85, "thoughtful": 0.95,
}  # fmt: skip
SHUT_MOST = 0.65  # while it speaks
JAW = 0.1  # jawOpen that goes with it, since the seal of the lips is told by mouthClose's share of it
SECONDS = 0.3  # to get there and back

_JAW, _CLOSE = INDEX["jawOpen"], INDEX["mouthClose"]


class PartedLips:
    """Lips that the picture parts: half-way shut while the face speaks, and shut in moods that show no teeth."""

    def __init__(self) -> None:
        self._held = 0.0

    def __call__(self, motion: Motion, control: Control) -> Motion:
        """(n, 64) -> (n, 64), the next frames; ``motion`` is left as it is."""
        goal = _hold(control)
        held = np.empty(len(motion), np.float32)
        for i in range(len(motion)):
            self._held += (goal - self._held) / (SECONDS * FPS)
            held[i] = self._held
        out = motion.copy()
        share = motion[:, _CLOSE] / np.maximum(motion[:, _JAW], 1e-3)
        out[:, _JAW] += JAW * np.minimum(held / HOLD, 1)
        out[:, _CLOSE] = out[:, _JAW] * np.clip(share + (1 - share) * held, 0, 1)
        return out

    def reset(self) -> None:
        self._held = 0.0


def _hold(control: Control) -> float:
    mood = min(control.emotion_strength, 1.0) * SHUT.get(control.emotion, 0.0)
    return max(HOLD, min(mood, SHUT_MOST)) if control.state == "speaking" else mood
