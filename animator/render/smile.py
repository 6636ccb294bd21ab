"""The upper teeth that the picture itself shows: found between the lips and continued behind the upper one."""

import cv2
import numpy as np
from numpy.typing import NDArray

from animator.portrait.portrait import Portrait
from animator.render.arrays import Floats, f32
from animator.render.palette import lip_ring

EXTENDED = 0.03  # face widths that the teeth go on above the lip, before the gum


def own_teeth(portrait: Portrait) -> tuple[tuple[int, int], Floats]:
    """The upper teeth that the picture shows, extended upwards behind the lip: corner and (h, w, 4) layer."""
    inner = lip_ring(portrait, "inner")
    ids = np.concatenate([portrait.contours["lips_inner_upper"], portrait.contours["lips_inner_lower"]])
    low, high = portrait.vertices[ids, :2].min(axis=0), portrait.vertices[ids, :2].max(axis=0)
    pad = int(3 * EXTENDED * portrait.face_width)
    left, top, right, bottom = (int(low[0]) - pad, int(low[1]) - pad, int(high[0]) + pad, int(high[1]) + pad)
    pixels = portrait.picture[top:bottom, left:right].astype(np.float32)
    layer = np.concatenate([pixels, np.zeros((*pixels.shape[:2], 1), np.float32)], axis=2)
    if not portrait.teeth_visible:
        return (left, top), layer
    inside = inner[top:bottom, left:right]
    lightness = cv2.cvtColor(pixels.astype(np.uint8), cv2.COLOR_RGB2LAB).astype(np.float32)
    values = lightness[..., 0] - 1.5 * np.abs(lightness[..., 1] - 128)
    dark, bright = np.percentile(values[inside], (8, 85))
    tooth = inside & (values > dark + 0.55 * (bright - dark))
    tops, ends = np.full((2, inside.shape[1]), -1)
    for column in np.flatnonzero(inside.any(axis=0)):
        tops[column], ends[column] = _upper_run(np.flatnonzero(inside[:, column]), tooth[:, column])
    _even_out(tops, ends, round(0.03 * portrait.face_width))
    for column in np.flatnonzero(tops >= 0):
        layer[tops[column] : ends[column] + 1, column, 3] = 1
    _extend(layer, tops, EXTENDED * portrait.face_width)
    layer[..., 3] = cv2.GaussianBlur(layer[..., 3], (0, 0), 0.8)
    return (left, top), layer


def _upper_run(rows: NDArray[np.int_], tooth: NDArray[np.bool_]) -> tuple[int, int]:
    """First row clear of the lip and last row of the upper teeth in one column of the opening, whose ``rows`` are
    given; -1 where there are none."""
    rows = rows[: max(len(rows) - 1, 0)]
    lit = rows[tooth[rows]]
    if len(lit) < 2 or lit[0] - rows[0] > max(3, 0.4 * len(rows)):
        return -1, -1
    run = lit[: 1 + int(np.argmax(np.append(np.diff(lit) > 1, True)))]
    return int(min(run[0] + 2, run[-1])), int(run[-1])


def _even_out(tops: NDArray[np.int_], ends: NDArray[np.int_], reach: int) -> None:
    """Make the teeth in the rows ``tops`` to ``ends`` (w,), in place, as long as ``reach`` px of neighbours are: a dark
    gap between two of them is no hole, and a bright lip below them is no tooth."""
    found = np.flatnonzero(tops >= 0)
    first, last = tops[found], ends[found]
    for column in range(int(found[0]), int(found[-1]) + 1) if len(found) else ():
        near = np.abs(found - column) <= reach
        if near.any():
            shortest, longest = np.percentile(last[near], (25, 40)).astype(int)
            tops[column] = tops[column] if tops[column] >= 0 else int(np.median(first[near]))
            ends[column] = min(max(ends[column], shortest), longest + 1)


def _extend(layer: Floats, tops: NDArray[np.int_], reach: float) -> None:
    """Continue the teeth of ``layer`` upwards from the rows ``tops`` (w,) by ``reach`` px, behind the lip, into gum."""
    columns = np.flatnonzero(tops >= 0)
    if not len(columns):
        return
    edge = layer[tops[columns], columns, :3]
    smooth = cv2.GaussianBlur(edge[None], (0, 0), 2.0)[0]
    for column, start, colour in zip(columns, tops[columns], smooth, strict=True):
        rows = np.arange(int(start))
        up = (start - rows) / reach
        into_gum = np.clip((up - 0.25) / 0.5, 0, 1)[:, None]
        layer[rows, column, :3] = colour * (1 - into_gum * (1 - f32([0.82, 0.56, 0.56])))
        layer[rows, column, 3] = 1
