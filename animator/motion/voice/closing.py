"""Contacts in the mouth: a network hears in which frames of a voice the lips shut (p, b, m), the lower lip meets the
teeth (f, v), or the tip of the tongue does (l, n, th).

How it was trained: `animator.learn.speech.train_closing`; its figures: MODEL_CARD.md.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from animator.motion.voice.listener import Listener
from animator.motion.voice.mouth_net import CHANNELS, MouthRow, closing_by

LIP_TOUCH, TEETH_TOUCH, TIP_TOUCH = range(3)
TOUCH_COUNT = 3
HIDDEN_SIZE = 128
MODEL = Path(__file__).with_name("closing.onnx")
# What the network says where a touch begins to show, and where it is complete. Of the tongue, whose sounds it tells
# apart less well, it says .27 at l and n in the median, and .05 elsewhere.
_TOUCH_START, _TOUCH_FULL = np.array([0.3, 0.3, 0.12], np.float32), np.array([0.5, 0.5, 0.38], np.float32)
# The mouthClose from and at which the mouth network is believed without a touch: it asks for .3 to .7 at t, d and n,
# too, where people part the lips.
_UNSURE_CLOSING, _SURE_CLOSING = 0.8, 0.95
_TEETH_SHAPES = {  # nearly shut, an edge of the upper teeth on a lower lip that is rolled in, as on film
    "jawOpen": 0.08, "mouthClose": 0.32, "mouthRollLower": 0.55, "mouthLowerDown": 0.0, "mouthUpperUp": 0.23,
    "mouthShrugLower": 0.12,
}  # fmt: skip
_WHOLE_TOUCH = 0.9  # of a touch, with which lips are shut
_JAW_RISE, _SHUT_JAW = 0.8, 0.10  # behind lips that shut, the jaw goes so much of the way to this, which film has there
_COLUMNS = [CHANNELS.index(name) for name in _TEETH_SHAPES]
_TEETH_ROW = np.array(list(_TEETH_SHAPES.values()), np.float32)
_CLOSE, _JAW = CHANNELS.index("mouthClose"), CHANNELS.index("jawOpen")

Touches = NDArray[np.float32]  # (TOUCH_COUNT,) in [0, 1]
NO_TOUCHES: Touches = np.zeros(TOUCH_COUNT, np.float32)


class Closing(Listener):
    """The touches of a stream, of the frame that `MouthNet` tells at the same time: how much the lips touch each other,
    and the teeth, and how far the tongue's tip is raised to these."""

    def __init__(self) -> None:
        super().__init__(MODEL, HIDDEN_SIZE, TOUCH_COUNT)

    def meant(self, said: Touches, speech: float) -> Touches:
        return (((said - _TOUCH_START) / (_TOUCH_FULL - _TOUCH_START)).clip(0.0, 1.0) * speech).astype(np.float32)


def touched(mouth: MouthRow, touches: Touches) -> MouthRow:
    """A mouth that touches as it should: shut for p, b, m, the lower lip under the upper teeth for f, v.

    As a touch grows, the gap shrinks evenly: mouthClose leaves the square of what it leaves of the jaw.
    """
    insisted = (float(mouth[_CLOSE]) - _UNSURE_CLOSING) / (_SURE_CLOSING - _UNSURE_CLOSING)
    closed = min(max(float(touches[LIP_TOUCH]), insisted, 0.0) / _WHOLE_TOUCH, 1.0)
    teeth = touches[TEETH_TOUCH] * (1 - closed)
    row = mouth.copy()
    row[_CLOSE] = 0.0
    row[_COLUMNS] += teeth * (_TEETH_ROW - row[_COLUMNS])
    row[_CLOSE] = max(row[_CLOSE], closing_by(1 - (1 - closed) ** 0.5))
    row[_JAW] -= _JAW_RISE * closed * max(0.0, row[_JAW] - _SHUT_JAW)
    return row
