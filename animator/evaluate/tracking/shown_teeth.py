"""How much of the teeth a frame shows, and the mean colour inside the mouth, from the pixels between the lips."""

import cv2
import numpy as np
from numpy.typing import NDArray

from animator.portrait.geometry.topology import RINGS

Floats = NDArray[np.float32]
Image = NDArray[np.uint8]  # (height, width, 3) RGB

# A pixel is of a tooth over this share of the cheek's L and under this share of its a*.
LEAST_LIGHTNESS, MOST_REDNESS = 0.72, 0.75
# Cheeks of less a* than this do not tell teeth from lips, as in grey pictures: there the lightness does alone
_COLOURED_REDNESS = 2.0
SHUT_GAP = 0.03  # eye distances between lips that show no teeth
_EYE_DISTANCE = 100  # px that the eyes are apart where teeth are counted
_MOUTH_SIDE = 90  # px of the square around the mouth
_INNER_LIPS = (*RINGS["lips_inner_upper"], *RINGS["lips_inner_lower"][-2:0:-1])
_CHEEK_POINTS = (50, 280)
_PATCH_RADIUS = 6  # px, half a side of what is seen of a cheek
_EYE_CORNERS, _LIP_MIDDLES = (33, 263), (13, 14)


def teeth_area(image: Image, points: Floats) -> float:
    """The area inside the inner lips that is lighter and less red than skin, in squared distances between the outer
    corners of the eyes; 0 when the lips are shut. ``image`` (h, w, 3) uint8 RGB; ``points`` (468 or more, 2 or more)
    px."""
    seen = _between_lips(image, points)
    if seen is None:
        return 0.0
    light, red = _skin(image, points)
    teeth = seen[:, 0] > LEAST_LIGHTNESS * light
    if red > _COLOURED_REDNESS:
        teeth &= seen[:, 1] < MOST_REDNESS * red
    return float(teeth.sum()) / _EYE_DISTANCE**2


def inside(image: Image, points: Floats) -> Floats | None:
    """(3,) float32: mean L, a* and b* inside the inner lips; None when they are shut."""
    seen = _between_lips(image, points)
    return None if seen is None or not len(seen) else seen.mean(axis=0)


def _between_lips(image: Image, points: Floats) -> Floats | None:
    """(n, 3) Lab of what is inside the inner lips, at `_EYE_DISTANCE` px an eye distance; None if they are shut."""
    flat, step = points[:, :2].astype(np.float64), _step(points)
    if np.linalg.norm(flat[_LIP_MIDDLES[0]] - flat[_LIP_MIDDLES[1]]) * step < SHUT_GAP * _EYE_DISTANCE:
        return None
    ring = flat[list(_INNER_LIPS)]
    mouth = _cut(image, ring.mean(axis=0), step, _MOUTH_SIDE)
    mask = np.zeros(mouth.shape[:2], np.uint8)
    placed = (ring - ring.mean(axis=0)) * step + _MOUTH_SIDE / 2
    cv2.fillPoly(mask, [np.round(placed * 16).astype(np.int32)], 1, shift=4)
    return _lab(mouth)[mask > 0]


def _step(points: Floats) -> float:
    """What magnifies a face so that its eyes are `_EYE_DISTANCE` px apart."""
    return _EYE_DISTANCE / float(np.linalg.norm(points[_EYE_CORNERS[0], :2] - points[_EYE_CORNERS[1], :2]))


def _skin(image: Image, points: Floats) -> tuple[float, float]:
    """L and a* of the cheeks, the middle values of their pixels."""
    flat, step = points[:, :2].astype(np.float64), _step(points)
    seen = [_lab(_cut(image, flat[cheek], step, 2 * _PATCH_RADIUS)).reshape(-1, 3) for cheek in _CHEEK_POINTS]
    light, red, _ = np.median(np.concatenate(seen), axis=0)
    return float(light), float(red)


def _cut(image: Image, centre: NDArray[np.float64], step: float, side: int) -> Image:
    """A square of ``side`` px around ``centre``, magnified by ``step``."""
    matrix = np.column_stack([step * np.eye(2), side / 2 - step * centre])
    return np.asarray(cv2.warpAffine(image, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _lab(image: Image) -> Floats:
    """L from 0 to 100, a* and b* about 0."""
    return np.asarray(cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)
