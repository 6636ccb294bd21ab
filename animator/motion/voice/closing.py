"""Lips that touch: a network hears which frames of a voice shut them, or bring the lower one to the teeth.

How it was trained: `animator.learn.speech.closing`; its figures: MODEL_CARD.md.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from animator.media.mel import Features
from animator.motion.voice.mouth_net import CHANNELS, MouthRow, session_of

CLOSED, TEETH = range(2)
TOUCHES = 2
HIDDEN = 128
MODEL = Path(__file__).with_name("closing.onnx")
_MAYBE, _SURE = 0.3, 0.5  # what the network says where a touch begins to show, and where it is complete
_LOOSE = 0.45  # of mouthClose, which the mouth network may ask for by itself
_AT_TEETH = {
    "jawOpen": 0.08, "mouthClose": 0.45, "mouthRollLower": 0.42, "mouthLowerDown": 0.0, "mouthUpperUp": 0.16,
    "mouthShrugLower": 0.12,
}  # fmt: skip
_COLUMNS = [CHANNELS.index(name) for name in _AT_TEETH]
_TOUCHING = np.array(list(_AT_TEETH.values()), np.float32)
_CLOSE = CHANNELS.index("mouthClose")

Touches = NDArray[np.float32]  # (TOUCHES,) in [0, 1]
APART: Touches = np.zeros(TOUCHES, np.float32)


class Closing:
    """The touches of a stream, of the frame that `MouthNet` tells at the same time."""

    def __init__(self) -> None:
        self._network = session_of(MODEL)
        self.reset()

    def __call__(self, window: Features, speech: float) -> Touches:
        """`MouthNet.window` and `MouthNet.speech` of a frame -> how much the lips touch each other, and the teeth."""
        if speech == 0:
            self.reset()
            return APART
        output, self._state = self._network.run(None, {"features": window[None], "state": self._state})
        said = np.asarray(output, np.float32).reshape(-1)
        return (((said - _MAYBE) / (_SURE - _MAYBE)).clip(0.0, 1.0) * speech).astype(np.float32)

    def reset(self) -> None:
        """Forget all sound."""
        self._state = np.zeros((1, 1, HIDDEN), np.float32)


def touched(mouth: MouthRow, touches: Touches) -> MouthRow:
    """A mouth that touches as it should: shut for p, b, m, the lower lip under the upper teeth for f, v."""
    closed, teeth = touches[CLOSED], touches[TEETH] * (1 - touches[CLOSED])
    row = mouth.copy()
    row[_CLOSE] = min(row[_CLOSE], _LOOSE)
    row[_COLUMNS] += teeth * (_TOUCHING - row[_COLUMNS])
    row[_CLOSE] += closed * (1 - row[_CLOSE])
    return row
