"""Brows of drawn faces: separate strokes that are moved over a face which stays as it is.

The skin of a flat drawing has no texture in which motion would show, but any pixel of a brow that stays behind is
visible.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from animator.portrait.drawn.drawn_eyes import SKIN_DISTANCE, skins
from animator.portrait.geometry.topology import RINGS

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

_SIDE_REACH, _TOP_REACH = 0.3, 0.4  # face widths beside and above an eye's middle where its brow is searched
_EYE_MARGIN = 0.012  # face widths around an eye that belong to it
_OUTLINE_WIDTH = 0.03  # face widths around an eye in which its outline lies
_OUTLINED_SHARE = 0.5  # share of the strip right below an eye that is not skin, from which the eye has an outline
_LEAST_WIDTH, _MOST_WIDTH, _MOST_HEIGHT = 0.08, 0.48, 0.24  # face widths of a brow
_MOST_ASIDE = 0.16  # face widths from the middle of the eye to that of its brow
_NEAR_SHARE = 0.5  # largest share of a brow touching the eye that may lie within an outline's distance
_ONE_COLOUR = 12.0  # Lab by which what touches an eye may differ from the rest of its brow
_EDGE_WIDTH = 5  # px across the soft edge of what is drawn


def find_brows(picture: NDArray[np.uint8], points: Floats) -> NDArray[np.uint8]:
    """(h, w): 255 on the brows of the flat drawing ``picture`` (h, w, 3) RGB, 0 elsewhere; of shape (0, 0) unless both
    are found as separate strokes.

    The eyes of the landmarks ``points`` (478, 3) must lie on the drawn outlines.
    """
    lab = np.asarray(cv2.cvtColor((picture / 255).astype(np.float32), cv2.COLOR_RGB2LAB), np.float32)
    found = [_brow(lab, skin, points, side) for side, skin in skins(lab, points).items()]
    masks = [mask for mask in found if mask is not None]
    if len(masks) < len(found) or (masks[0] & masks[1]).any():
        return np.zeros((0, 0), np.uint8)
    return np.where(masks[0] | masks[1], 255, 0).astype(np.uint8)


def _brow(lab: Floats, skin: Floats, points: Floats, side: str) -> Mask | None:
    """(h, w) the brow over the eye on a ``side``, with its soft edge."""
    width = float(np.linalg.norm(points[234] - points[454]))
    rim = points[[*RINGS[f"eye_{side}_upper"], *RINGS[f"eye_{side}_lower"][::-1]], :2]
    eye = cv2.fillPoly(np.zeros(lab.shape[:2], np.uint8), [rim.round().astype(np.int32)], (1,))
    away = np.asarray(cv2.distanceTransform(1 - eye, cv2.DIST_L2, 5), np.float32)
    (x, y), margin = rim.mean(axis=0), max(_EYE_MARGIN * width, 2)
    other = np.linalg.norm(lab - skin, axis=2) > SKIN_DISTANCE
    below = (away > margin) & (away < 2 * margin) & (np.arange(len(lab))[:, None] > y)
    outlined = bool(other[below].mean() > _OUTLINED_SHARE) if below.any() else True
    left, right = max(int(x - _SIDE_REACH * width), 0), int(x + _SIDE_REACH * width)
    area = np.s_[max(int(y - _TOP_REACH * width), 0) : int(y), left:right]
    part = (other & (away > margin))[area].astype(np.uint8)
    count, labels, boxes, centres = cv2.connectedComponentsWithStats(part, connectivity=8)
    best, brow = 0, None
    for number in range(1, count):
        column, row, wide, high, size = (int(value) for value in boxes[number])
        on_edge = column == 0 or row == 0 or column + wide == part.shape[1]
        sized = _LEAST_WIDTH * width < wide < _MOST_WIDTH * width and high < min(_MOST_HEIGHT * width, wide)
        aside = abs(centres[number][0] + left - x) > _MOST_ASIDE * width
        mask = labels == number
        if not on_edge and sized and not aside and size > best and _alone(lab[area], away[area], mask, outlined, width):
            best, brow = size, mask
    if brow is None:
        return None
    whole = np.zeros(lab.shape[:2], np.uint8)
    whole[area][brow] = 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_EDGE_WIDTH, _EDGE_WIDTH))
    return (cv2.dilate(whole, kernel) > 0) & (away > margin / 2)


def _alone(lab: Floats, away: Floats, brow: Mask, outlined: bool, width: float) -> bool:
    """Whether a ``brow`` (h, w) is separate from the eye, from which pixels lie ``away`` (h, w) px: it does not touch
    the eye, or what touches it is neither an outline nor lashes."""
    near = brow & (away < _OUTLINE_WIDTH * width)
    if not near.any():
        return True
    if outlined or near.sum() > _NEAR_SHARE * brow.sum():
        return False
    one, other = np.median(lab[near], axis=0), np.median(lab[brow & ~near], axis=0)
    return float(np.linalg.norm(one - other)) < _ONE_COLOUR
