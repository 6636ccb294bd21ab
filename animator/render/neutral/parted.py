"""Shuts the lips of pictures in which they are parted: speech cannot start from a smile with teeth."""

from typing import TYPE_CHECKING

import numpy as np

from animator.control import Control
from animator.motion.behaviour.emotions import LOOKS
from animator.motion.rows.space import INDEX
from animator.portrait.shaping.lip_shapes import OPENING, ROUNDINGS
from animator.units import FPS, Motion

if TYPE_CHECKING:
    from animator.portrait.portrait import Portrait

HOLD_SHARE = 0.93  # how far a speaking face shuts the lips that its picture parts, while it says nothing
SHUT_JAW = 0.1  # jawOpen that goes with lips that a mood shuts: their seal is told by mouthClose's share of it
SMILE_S = 0.3  # seconds to get back
# Seconds to get there, since a voice does not wait, but no more of the way in a frame
SPEAK_S, LARGEST_STEP = 0.08, 0.18

LEAST_ROUNDNESS = 0.3  # rounded further, the lips of wide smiles leave a jagged hole between thin lines
# MouthSmile in the picture of lips that round as any, and of those that do so least
_STRAIGHT_SMILE, _WIDE_SMILE = 0.15, 0.40
_JAW, _CLOSE = INDEX["jawOpen"], INDEX["mouthClose"]
_FUNNEL = INDEX["mouthFunnel"]
_HOLE = ROUNDINGS["mouthFunnel"].hole / OPENING  # weight of jawOpen that opens as much as the hole of rounded lips
_ROUND_SHAPES = [INDEX["mouthFunnel"], INDEX["mouthPucker"]]
_SMILES = [INDEX["mouthSmileLeft"], INDEX["mouthSmileRight"]]


def parting(portrait: "Portrait") -> float:
    """The weight of jawOpen that parts closed lips as far as those of ``portrait`` are parted; 0 for closed ones."""
    if not portrait.mouth_open:
        return 0.0
    rims = [portrait.contours[f"lips_inner_{side}"] for side in ("upper", "lower")]
    upper, lower = (int(rim[len(rim) // 2]) for rim in rims)
    opened = portrait.shapes[_JAW, lower] - portrait.shapes[_JAW, upper]
    apart = portrait.vertices[lower] - portrait.vertices[upper]
    return float(np.linalg.norm(apart[:2]) / np.linalg.norm(opened[:2]))


def roundness(portrait: "Portrait") -> float:
    """How far parted lips of ``portrait`` can round, from `LEAST_ROUNDNESS` for wide smiles to 1.

    The folds of a wide smile stay in the skin, and do not go with lips as round as can be.
    """
    smile = float(portrait.expression[_SMILES].max())
    return float(np.clip(1 - (smile - _STRAIGHT_SMILE) / (_WIDE_SMILE - _STRAIGHT_SMILE), LEAST_ROUNDNESS, 1))


class PartedLips:
    """Lips that the picture parts: nearly shut while the face speaks, and shut in moods that show no teeth.

    What the voice opens is added to what is left of the gap, so that such a mouth moves as far as any other.
    """

    def __init__(self, gap: float, roundness: float = 1.0) -> None:
        """``gap``, see `parting`, above 0; ``roundness``, see there."""
        self._gap, self._roundness = gap, roundness
        self._held = 0.0

    def __call__(self, motion: Motion, control: Control) -> Motion:
        """(n, 64) -> (n, 64), the next frames; ``motion`` is left as it is."""
        goal = _hold(control)
        held = np.empty(len(motion), np.float32)
        for i in range(len(motion)):
            left = goal - self._held
            self._held += min(left / (SPEAK_S * FPS), LARGEST_STEP) if left > 0 else left / (SMILE_S * FPS)
            held[i] = self._held
        out = motion.copy()
        out[:, _ROUND_SHAPES] *= self._roundness
        lowered = SHUT_JAW * np.minimum(held / HOLD_SHARE, 1)
        parted = 1 - motion[:, _CLOSE] / np.maximum(motion[:, _JAW], 1e-3)
        hole = _HOLE * out[:, _FUNNEL].clip(0)
        wanted = parted.clip(0) * ((1 - held) * self._gap + motion[:, _JAW] * parted + hole)
        jaw, gap = motion[:, _JAW] + lowered, self._gap + hole
        # mouthClose shuts what it leaves of the jaw's opening once more: jaw * left**2 + gap * left = wanted
        left = 2 * wanted / (gap + np.sqrt(gap**2 + 4 * jaw * wanted))
        out[:, _JAW], out[:, _CLOSE] = jaw, jaw * (1 - left).clip(0, 1)
        return out

    def reset(self) -> None:
        self._held = 0.0


def _hold(control: Control) -> float:
    mood = min(control.emotion_strength, 1.0) * LOOKS[control.emotion].shuts
    return max(HOLD_SHARE, mood) if control.state == "speaking" else mood
