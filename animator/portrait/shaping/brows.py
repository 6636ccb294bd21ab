"""Brows that rise as a whole: hair does not stretch, so both edges of a brow go the same way."""

import numpy as np
from numpy.typing import NDArray

from animator.motion.rows.filters import smoothstep
from animator.motion.rows.space import INDEX
from animator.portrait.geometry.topology import BROW_LOWER_EDGES, BROW_UPPER_EDGES, mesh

Floats = NDArray[np.float32]

_RAISING_SHAPES = ("browInnerUp", "browOuterUpLeft", "browOuterUpRight")
_ALONG_REACH = 0.05  # face widths along the brow that share a value
# Shares of the way from brow to lid: up to the first skin goes with the brow, from the second with the lid.
_HAIR_RANGE = 0.3, 0.78
_FOREHEAD_REACH = 0.07  # face widths over which the forehead ceases to go with the brow


def level_brows(vertices: Floats, shapes: Floats, width: float) -> Floats:
    """``shapes`` (52, V, 3) in which raised brows of ``vertices`` (V, 3) keep their height; ``width`` px of a face."""
    shapes = shapes.copy()
    for side in ("left", "right"):
        share, weights = _follow(vertices, side, width)
        for name in _RAISING_SHAPES:
            shape = shapes[INDEX[name]]
            level = (shape[list(BROW_LOWER_EDGES[side])] + shape[list(BROW_UPPER_EDGES[side])]) / 2
            shape += share[:, None] * (weights @ np.concatenate([level, level]) - shape)
    return shapes


def _follow(vertices: Floats, side: str, width: float) -> tuple[Floats, Floats]:
    """(V,) how far each vertex goes with the brow of a ``side``, and (V, 10) with which points of its edges."""
    brow, lid = [*BROW_LOWER_EDGES[side], *BROW_UPPER_EDGES[side]], mesh().contours[f"eye_{side}_upper"]
    to_brow, to_lid = (np.linalg.norm(vertices[:, None, :2] - vertices[None, ids, :2], axis=2) for ids in (brow, lid))
    nearest, lid_away = to_brow.min(axis=1), to_lid.min(axis=1)
    weights = np.exp(-0.5 * ((to_brow - nearest[:, None]) / (_ALONG_REACH * width)) ** 2)
    way = (nearest / (nearest + lid_away + 1e-6) - _HAIR_RANGE[0]) / (_HAIR_RANGE[1] - _HAIR_RANGE[0])
    below = 1 - smoothstep(way)
    share = below * np.exp(-0.5 * (nearest / (_FOREHEAD_REACH * width)) ** 2)
    return share.astype(np.float32), (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
