"""Brows that rise as a whole: hair does not stretch, so both edges of a brow go the same way.

Nor do lashes: what stretches is the skin between them, and `rise` is how far there is enough of it in the picture.
Behind the frame of glasses it shows neither, so that brows which the frame covers hardly rise.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from animator.motion.rows.filters import smoothstep
from animator.motion.rows.space import INDEX
from animator.portrait.geometry.topology import BROW_LOWER_EDGES, BROW_UPPER_EDGES, mesh

Floats = NDArray[np.float32]

RAISING_SHAPES = ("browInnerUp", "browOuterUpLeft", "browOuterUpRight")
_ALONG_REACH = 0.05  # face widths along the brow that share a value
_FOREHEAD_REACH = 0.07  # face widths over which the forehead ceases to go with the brow
# Shares of the way from the lower edge of a brow to the lid: where its hair ends, and where lashes begin.
_HAIR_END, _LASH_START = 0.12, 0.72  # in pictures that do not show it
_HAIR_ENDS, _LASH_STARTS = (0.05, 0.5), (0.5, 0.85)  # least and most
_LEAST_SKIN = 0.3  # between them
_COLUMNS, _STEPS = 24, 48  # in which a picture is searched, along a brow and from it to the lid
_BLUR = 0.004  # face widths
_SKIN_SHARES = 0.3, 0.7  # of the way from brow to lid: mostly skin
_LASH_SHARE = 0.85  # of that way: certainly lashes, where there are any
_LEAST_CONTRAST = 9.0  # in Lab, between hair and skin
_CLEAR_SHARE = 0.3  # of that contrast, below which it is skin
_MOST_STRETCH = 1.6  # of that skin, in its own heights
_LEAST_RISE = 0.45  # weight up to which brows rise anyway
_COVERED_SHARE = 0.3  # of a brow, which a frame covers that hides how it rises
_COVERED_RISE = 0.15  # weight up to which it rises then


@dataclass(frozen=True, slots=True)
class _Brow:
    """One brow over its eye: axes (2, 2) along and down; lines (n, 2) along those, from left to right: both edges of
    the brow and the upper lid."""

    axes: Floats
    upper: Floats
    lower: Floats
    lid: Floats

    def local(self, points: Floats) -> Floats:
        return points[:, :2] @ self.axes.T

    def rows(self, x: Floats) -> tuple[Floats, Floats, Floats]:
        """(n,) each: where the three lines are at ``x`` (n,), at least a little above each other."""
        lid = np.interp(x, *self.lid.T)
        lower = np.minimum(np.interp(x, *self.lower.T), lid - 1)
        return np.minimum(np.interp(x, *self.upper.T), lower - 1), lower, lid


def level_brows(vertices: Floats, shapes: Floats, picture: NDArray[np.uint8]) -> Floats:
    """``shapes`` (52, V, 3) in which raised brows of ``vertices`` (V, 3) keep their height, as the lashes under them do
    in ``picture`` (n, n, 3)."""
    shapes = shapes.copy()
    width = _width(vertices)
    for side, (brow, skin) in _seen(vertices, picture).items():
        settled, share = _follow(vertices, brow, skin, width)
        edges = _edges(side)
        weights = _nearest(vertices, [*edges[0], *edges[1]], width)
        for name in RAISING_SHAPES:
            shape = shapes[INDEX[name]]
            level = (shape[edges[0]] + shape[edges[1]]) / 2
            shape += settled[:, None] * (share[:, None] * (weights @ np.concatenate([level, level])) - shape)
    return shapes


def rise(vertices: Floats, shapes: Floats, picture: NDArray[np.uint8], glasses: NDArray[np.uint8]) -> float:
    """The weight of all `RAISING_SHAPES` together beyond which the brows of ``vertices`` (V, 3) do not rise, since the
    ``picture`` (n, n, 3) shows too little of the skin under them; above 1 for most faces. ``shapes`` are those of
    `level_brows`, ``glasses`` the opacity of their frame, see `Portrait.glasses`."""
    seen = _seen(vertices, picture)
    most = min(_stretched(brow, skin, shapes, side) for side, (brow, skin) in seen.items())
    covered = max(_covered(brow, glasses) for brow, _ in seen.values())
    hidden = float(smoothstep(np.array([covered / _COVERED_SHARE]))[0])
    return most + hidden * (min(_COVERED_RISE, most) - most)


def _seen(vertices: Floats, picture: NDArray[np.uint8]) -> dict[str, tuple[_Brow, Floats]]:
    """Both brows, and what `_skin` says of them."""
    light = cv2.GaussianBlur((picture / np.float32(255)).astype(np.float32), (0, 0), _BLUR * _width(vertices))
    lab = np.asarray(cv2.cvtColor(light, cv2.COLOR_RGB2LAB), np.float32)
    brows = {side: _brow(vertices, side) for side in ("left", "right")}
    return {side: (brow, _skin(brow, lab)) for side, brow in brows.items()}


def _width(vertices: Floats) -> float:
    return float(np.linalg.norm(vertices[234] - vertices[454]))


def _edges(side: str) -> tuple[list[int], list[int]]:
    return list(BROW_LOWER_EDGES[side]), list(BROW_UPPER_EDGES[side])


def _stretched(brow: _Brow, skin: Floats, shapes: Floats, side: str) -> float:
    """The weight at which the ``skin`` under a ``brow``, from `_skin`, is stretched by as much as it may be."""
    lower, upper = _edges(side)
    raised = -shapes[[INDEX[name] for name in RAISING_SHAPES]].sum(axis=0)[:, :2] @ brow.axes[1]
    _, top, lid = brow.rows(skin[0])
    has = np.median((skin[2] - skin[1]) * (lid - top))
    wanted = max(float(np.median(raised[[*lower, *upper]])), 1e-3)
    return max(float(_MOST_STRETCH * has / wanted), _LEAST_RISE)


def _brow(vertices: Floats, side: str) -> _Brow:
    lid = vertices[mesh().contours[f"eye_{side}_upper"], :2]
    along = (lid[-1] - lid[0]) / np.linalg.norm(lid[-1] - lid[0])
    axes = np.array([along, [-along[1], along[0]]], np.float32)
    lower, upper = (vertices[ids, :2] for ids in _edges(side))
    lines = (points @ axes.T for points in (upper, lower, lid))
    return _Brow(axes, *(line[np.argsort(line[:, 0])] for line in lines))


def _follow(vertices: Floats, brow: _Brow, skin: Floats, width: float) -> tuple[Floats, Floats]:
    """(V,) each: how far it is settled where each vertex goes, and what share of the rise of the ``brow`` that is;
    ``skin`` from `_skin`."""
    x, y = brow.local(vertices).T
    upper, lower, lid = brow.rows(x)
    way = (y - lower) / (lid - lower)
    first, last = (np.interp(x, skin[0], values) for values in skin[1:])
    inside = np.stack([brow.lid[[0, -1], 0], brow.lower[[0, -1], 0]])
    aside = np.maximum(inside[:, 0].min() - x, x - inside[:, 1].max()).clip(0)
    away = np.hypot(aside, np.maximum(upper - y, y - lid).clip(0)) / width
    settled = np.exp(-0.5 * (away / _FOREHEAD_REACH) ** 2)
    return settled.astype(np.float32), ((last - way) / (last - first)).clip(0, 1).astype(np.float32)


def _nearest(vertices: Floats, points: list[int], width: float) -> Floats:
    """(V, n) with which of the ``points``, vertices of a brow's edges, each vertex goes."""
    away = np.linalg.norm(vertices[:, None, :2] - vertices[None, points, :2], axis=2)
    weights = np.exp(-0.5 * ((away - away.min(axis=1, keepdims=True)) / (_ALONG_REACH * width)) ** 2)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def _skin(brow: _Brow, lab: Floats) -> Floats:
    """(3, columns): x along the ``brow``, and the shares of the way from it to the lid between which there is skin."""
    x = np.linspace(max(brow.lid[0, 0], brow.lower[0, 0]), min(brow.lid[-1, 0], brow.lower[-1, 0]), _COLUMNS)
    upper, lower, lid = (row[:, None] for row in brow.rows(x))
    way = np.linspace(0, 1, _STEPS)
    hair, seen = (_sampled(lab, brow, x, rows) for rows in (upper + way * (lower - upper), lower + way * (lid - lower)))
    skin = np.median(seen[:, (way > _SKIN_SHARES[0]) & (way < _SKIN_SHARES[1])], axis=1, keepdims=True)
    skin = np.median(_neighbours(skin), axis=0)
    away = np.linalg.norm(seen - skin, axis=2)
    dark = np.percentile(np.linalg.norm(hair - skin, axis=2), 80, axis=1, keepdims=True)
    lash = away[:, way > _LASH_SHARE].max(axis=1, keepdims=True)
    ends = np.where(dark[:, 0] > _LEAST_CONTRAST, way[(away < _CLEAR_SHARE * dark).argmax(axis=1)], _HAIR_END)
    clear = (away < _CLEAR_SHARE * lash)[:, ::-1].argmax(axis=1)
    starts = np.where(lash[:, 0] > _LEAST_CONTRAST, way[::-1][clear], _LASH_START)
    ends, starts = (
        np.median(_neighbours(found), axis=0).clip(*limits)
        for found, limits in ((ends, _HAIR_ENDS), (starts, _LASH_STARTS))
    )
    lacking = (_LEAST_SKIN - (starts - ends)).clip(0) / 2
    return np.stack([x, ends - lacking, starts + lacking]).astype(np.float32)


def _neighbours(values: Floats) -> Floats:
    """(5, n, ...): ``values`` (n, ...) of each column and of two on each of its sides."""
    padded = np.pad(values, [(2, 2), *[(0, 0)] * (values.ndim - 1)], mode="edge")
    return np.stack([padded[step : step + len(values)] for step in range(5)])


def _sampled(lab: Floats, brow: _Brow, x: Floats, rows: NDArray[np.floating]) -> Floats:
    """(n, k, 3) of the layer ``lab``, at ``x`` (n,) and ``rows`` (n, k) along the axes of the ``brow``."""
    places = np.stack([np.broadcast_to(x[:, None], rows.shape), rows], axis=-1) @ brow.axes
    column, row = (np.ascontiguousarray(places[..., axis], np.float32) for axis in (0, 1))
    return np.asarray(cv2.remap(lab, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _covered(brow: _Brow, glasses: NDArray[np.uint8]) -> float:
    """The share of the ``brow`` that the frame covers."""
    if not glasses.size:
        return 0.0
    x = np.linspace(brow.lower[0, 0], brow.lower[-1, 0], _COLUMNS)
    upper, lower, _ = (row[:, None] for row in brow.rows(x))
    frame = glasses[..., None].astype(np.float32)
    return float((_sampled(frame, brow, x, upper + np.linspace(0, 1, _STEPS) * (lower - upper)) > 0).mean())
