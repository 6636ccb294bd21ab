"""Opens the eyes of pictures in which they are half shut: by a squint, a laugh, or the middle of a blink."""

from typing import TYPE_CHECKING

import numpy as np

from animator.motion.rows.space import INDEX
from animator.units import Motion

if TYPE_CHECKING:
    from animator.portrait.portrait import Portrait

# Irises' heights of opening, below which an eye counts as half shut: most people's are 0.6 to 0.9
DROOPING_OPENNESS = 0.5
LIFTED_OPENNESS = 0.56  # to which it is opened, but
LIFT_SHARE = 0.8  # only so much of the way: the rest is made up; and
LARGEST_LIFT = 0.5  # by no more than this weight of a blink

_BLINKS = [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]


def drooping(portrait: "Portrait") -> tuple[float, float]:
    """Weights of the left and the right blink by which ``portrait``'s eyes should be opened; 0 for open ones, and for
    those that something hides."""
    each = zip(opennesses(portrait), portrait.eyes_hidden, strict=True)
    left, right = (0.0 if hidden else _lift(openness) for openness, hidden in each)
    return left, right


def opennesses(portrait: "Portrait") -> tuple[float, float]:
    """How far the left and the right eye are open in the picture, in diameters of their irises."""
    left, right = (_openness(portrait, side, iris) for side, iris in zip(("left", "right"), portrait.iris, strict=True))
    return left, right


def _openness(portrait: "Portrait", side: str, iris: "np.ndarray") -> float:
    x, _, radius = (float(value) for value in iris)
    upper, lower = (portrait.vertices[portrait.contours[f"eye_{side}_{lid}"], :2] for lid in ("upper", "lower"))
    heights = [float(np.interp(x, lid[:, 0], lid[:, 1])) for lid in (upper, lower)]
    return max(heights[1] - heights[0], 0.0) / max(2 * radius, 1e-3)


def _lift(openness: float) -> float:
    if openness >= DROOPING_OPENNESS:
        return 0.0
    return min(LIFT_SHARE * (LIFTED_OPENNESS / max(openness, 0.05) - 1), LARGEST_LIFT)


class LiftedLids:
    """Lids that a face holds higher than its picture; they shut as wholly as any others."""

    def __init__(self, lift: tuple[float, float]) -> None:
        """``lift``, see `drooping`."""
        self._lift = np.array(lift, np.float32)

    def __call__(self, motion: Motion) -> Motion:
        """(n, 64) -> (n, 64); ``motion`` is left as it is."""
        out = motion.copy()
        blink = motion[:, _BLINKS]
        out[:, _BLINKS] = blink - self._lift * (1 - blink.clip(0, 1))
        return out
