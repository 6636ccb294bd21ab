"""What the picture shows between the lips."""

import cv2
import numpy as np
from numpy.typing import NDArray

from animator.portrait.topology import RINGS

Floats = NDArray[np.float32]

_NEUTRAL = 128  # of OpenCV's a in 8-bit Lab
_GREY = 4  # levels of a
_LIGHTER = 15  # levels of L that teeth exceed the lips by
_PARTED = 0.035  # of the mouth's width: a wider gap between the inner lips shows what is behind them


def lips_parted(points: Floats) -> bool:
    """Whether the landmarks (478, 3) show an open mouth."""
    upper, lower = points[list(RINGS["lips_inner_upper"])], points[list(RINGS["lips_inner_lower"])]
    gaps = np.linalg.norm(upper - lower, axis=1)[3:8]
    width = float(np.linalg.norm(upper[0] - upper[-1]))
    return bool(gaps.mean() > _PARTED * width)


def shows_teeth(picture: NDArray[np.uint8], points: Floats) -> bool:
    """Whether pixels between the parted lips are lighter and less coloured than the lips: teeth."""
    if not lips_parted(points):
        return False
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB).astype(np.float32)
    inner = _area(picture.shape[:2], points, "inner")
    lips = _area(picture.shape[:2], points, "outer") & ~inner
    if inner.sum() < 12 or not lips.any():
        return False
    light, red = np.percentile(lab[inner, 0], 75), np.median(lab[inner, 1])
    lip_light, lip_red = np.median(lab[lips, 0]), np.median(lab[lips, 1])
    if abs(lip_red - _NEUTRAL) < _GREY:  # a picture without colours
        return bool(light > lip_light + 2 * _LIGHTER)
    return bool(light > lip_light + _LIGHTER and red < lip_red - _GREY)


def _area(shape: tuple[int, ...], points: Floats, ring: str) -> NDArray[np.bool_]:
    outline = [*RINGS[f"lips_{ring}_upper"], *RINGS[f"lips_{ring}_lower"][::-1]]
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [(points[outline, :2] * 16).round().astype(np.int32)], 1, shift=4)
    return mask.astype(bool)
