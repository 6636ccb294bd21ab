"""What a behaviour gives: one row of channels a frame, from which a row of the motion space is put together.

| channels | what | unit |
|---|---|---|
| `MOUTH` | speech, see `animator.motion.voice.mouth_net.CHANNELS` | weights; ``mouthClose`` as a fraction of the jaw |
| `UPPER_FACE` | brows, lids, cheeks, passing expressions of the mouth; a name without a side is both | weights |
| ``blink`` | both lids | 0 open to 1 closed |
| `HEAD` | head, relative to the wished pose | degrees, face widths |
| `GAZE` | gaze, relative to the wished direction | degrees |

All but `MOUTH` are offsets to what `animator.control.Control` asks for (pose, gaze, an emotion's own face and bearing),
so that a wish is met exactly, whatever the behaviour does.
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from animator.control import Control
from animator.motion.rows.space import INDEX
from animator.motion.voice.mouth_net import CHANNELS as MOUTH
from animator.motion.voice.voices import Other, Own

UPPER_FACE: tuple[str, ...] = (
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekSquintLeft", "cheekSquintRight", "eyeSquint", "eyeWide", "eyeBlink", "noseSneer",
    "mouthSmileLeft", "mouthSmileRight", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrown", "mouthPress",
    "mouthShrugLower", "mouthShrugUpper", "mouthUpperUp", "mouthLowerDown", "mouthStretch", "mouthRollLower",
    "mouthFunnel", "mouthLeft", "jawForward", "jawOpen",
)  # fmt: skip
HEAD: tuple[str, ...] = ("yaw", "pitch", "roll", "x", "y", "z")
GAZE: tuple[str, ...] = ("gaze_yaw", "gaze_pitch")
CHANNELS: tuple[str, ...] = (*(f"speech.{name}" for name in MOUTH), *UPPER_FACE, "blink", *HEAD, *GAZE)

_STARTS = np.cumsum([0, len(MOUTH), len(UPPER_FACE), 1, len(HEAD), len(GAZE)]).tolist()
MOUTH_AT, UPPER_AT, BLINK_AT, HEAD_AT, GAZE_AT = (slice(a, b) for a, b in zip(_STARTS, _STARTS[1:], strict=False))

_SPREAD_MATRIX = np.zeros((len(UPPER_FACE), 52), np.float32)
_GATHER_MATRIX = np.zeros((52, len(UPPER_FACE)), np.float32)
for _row, _name in enumerate(UPPER_FACE):
    _columns = [INDEX[_name + side] for side in (("",) if _name in INDEX else ("Left", "Right"))]
    _SPREAD_MATRIX[_row, _columns] = 1.0
    _GATHER_MATRIX[_columns, _row] = 1 / len(_columns)


def to_upper(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """(..., 52) ARKit weights of everything but speech -> (..., len(UPPER)); both sides of one channel are averaged."""
    return weights @ _GATHER_MATRIX


def from_upper(upper: NDArray[np.float32]) -> NDArray[np.float32]:
    """(..., len(UPPER)) -> (..., 52) ARKit weights."""
    return upper @ _SPREAD_MATRIX


class Behaviour(Protocol):
    """Moves head, gaze, blinks, brows and mouth: `Processes`, `MotionNet`, or a class of the user's."""

    def __call__(self, own: Own, other: Other, control: Control) -> NDArray[np.float32]:
        """(len(CHANNELS),) float32 of one frame, 25 times a second, for both voices and a wish."""
        ...


Make = Callable[[np.random.Generator], Behaviour]  # all chance comes from the generator: a seed repeats a motion
