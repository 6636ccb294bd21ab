"""The upper teeth that the picture itself shows: segmented between the lips and continued behind the upper one."""

import cv2
import numpy as np
from numpy.typing import NDArray

from animator.portrait.portrait import Portrait
from animator.portrait.shaping.lip_gap import lighter_part, lightness_of_teeth
from animator.render.kernels.arrays import Floats, f32
from animator.render.mouth.palette import lip_ring

EXTENSION = 0.03  # face widths that the teeth go on above the lip, before the gum
COLUMN_REACH = 0.03  # face widths of neighbours that a column of teeth is as long as
FADE_WIDTH = 0.03  # face widths over which the outermost teeth pass into made ones
# Share of the teeth's height below which a line may part two rows; how much darker such a line is.
_LOWEST_LINE, _LINE_CONTRAST = 0.45, 0.07
_LEAST_RUN = 0.4  # of the longest run of bright pixels in a column, that make a tooth
_GUM_COLOUR = f32([0.82, 0.56, 0.56])  # its colour, in teeth's


def own_teeth(portrait: Portrait) -> tuple[tuple[int, int], Floats]:
    """The upper teeth that the picture shows, extended upwards behind the lip: corner and (h, w, 4) layer."""
    inner = lip_ring(portrait, "inner")
    ids = np.concatenate([portrait.contours["lips_inner_upper"], portrait.contours["lips_inner_lower"]])
    low, high = portrait.vertices[ids, :2].min(axis=0), portrait.vertices[ids, :2].max(axis=0)
    pad = int(3 * EXTENSION * portrait.face_width)
    left, top, right, bottom = (int(low[0]) - pad, int(low[1]) - pad, int(high[0]) + pad, int(high[1]) + pad)
    pixels = portrait.picture[top:bottom, left:right].astype(np.float32)
    layer = np.concatenate([pixels, np.zeros((*pixels.shape[:2], 1), np.float32)], axis=2)
    if not portrait.teeth_visible:
        return (left, top), layer
    inside = inner[top:bottom, left:right]
    lightness = cv2.cvtColor(pixels.astype(np.uint8), cv2.COLOR_RGB2LAB).astype(np.float32)
    values = lightness_of_teeth(lightness)
    tooth = inside & (values > lighter_part(values[inside]))
    light = f32(cv2.GaussianBlur(lightness[..., 0], (0, 0), 0.003 * portrait.face_width))
    tops, ends = np.full((2, inside.shape[1]), -1)
    for column in np.flatnonzero(inside.any(axis=0)):
        rows = np.flatnonzero(inside[:, column])
        tops[column], ends[column] = _upper_run(rows, tooth[:, column], light[:, column])
    _even_out(tops, ends, round(COLUMN_REACH * portrait.face_width))
    for column in np.flatnonzero(tops >= 0):
        layer[tops[column] : ends[column] + 1, column, 3] = 1
    _extend(layer, tops, EXTENSION * portrait.face_width)
    layer[..., 3] = cv2.GaussianBlur(layer[..., 3], (0, 0), 0.8) * _faded(tops, FADE_WIDTH * portrait.face_width)
    return (left, top), layer


def _upper_run(rows: NDArray[np.int_], tooth: NDArray[np.bool_], light: Floats) -> tuple[int, int]:
    """First row clear of the lip and last row of the upper teeth in one column of the opening, whose ``rows`` are
    given, by its ``light`` (h,): the lower teeth lie below a darker line; -1 where there are none."""
    rows = rows[: max(len(rows) - 1, 0)]
    lit = rows[tooth[rows]]
    runs = np.split(lit, np.flatnonzero(np.diff(lit) > 1) + 1)
    run = next(run for run in runs if len(run) >= _LEAST_RUN * max(map(len, runs)))  # what shines on the gum is none
    if len(run) < 2 or run[0] - rows[0] > max(3, 0.4 * len(rows)):
        return -1, -1
    seen = light[run]
    above, below = np.maximum.accumulate(seen), np.maximum.accumulate(seen[::-1])[::-1]
    line = 1 - seen / np.minimum(above, below)
    line[: int(_LOWEST_LINE * len(run))] = 0
    if line.max() > _LINE_CONTRAST:
        run = run[: max(int(line.argmax()), 2)]
    return int(min(run[0] + 2, run[-1])), int(run[-1])


def _even_out(tops: NDArray[np.int_], ends: NDArray[np.int_], reach: int) -> None:
    """Make the teeth in the rows ``tops`` to ``ends`` (w,), in place, as long as ``reach`` px of neighbours are: a dark
    gap between two of them is no hole, and a bright lip below them is no tooth."""
    found = np.flatnonzero(tops >= 0)
    first, last = tops[found], ends[found]
    for column in range(int(found[0]), int(found[-1]) + 1) if len(found) else ():
        near = np.abs(found - column) <= max(reach, int(np.abs(found - column).min()))
        shortest, longest = np.percentile(last[near], (25, 40)).astype(int)
        tops[column] = tops[column] if tops[column] >= 0 else int(np.interp(column, found, first))
        ends[column] = min(max(ends[column], shortest), longest + 1)


def _extend(layer: Floats, tops: NDArray[np.int_], reach: float) -> None:
    """Continue the teeth of ``layer`` upwards from the rows ``tops`` (w,) by ``reach`` px, behind the lip, into gum."""
    columns = np.flatnonzero(tops >= 0)
    if not len(columns):
        return
    edge = layer[tops[columns], columns, :3]
    smooth, gum = (cv2.GaussianBlur(edge[None], (0, 0), sigma)[0] for sigma in (2.0, reach))
    line = cv2.GaussianBlur(f32(tops[columns])[None], (0, 0), 0.3 * reach)[0]
    for column, start, colour, red, neck in zip(columns, tops[columns], smooth, gum * _GUM_COLOUR, line, strict=True):
        rows = np.arange(int(start))
        into_gum = np.clip(((neck - rows) / reach - 0.25) / 0.4, 0, 1)[:, None]
        layer[rows, column, :3] = colour + into_gum * (red - colour)
        layer[rows, column, 3] = 1


def _faded(tops: NDArray[np.int_], reach: float) -> Floats:
    """(w,) 0 to 1 over ``reach`` px from the outermost columns that have teeth, those with ``tops``."""
    columns = np.arange(len(tops))
    found = np.flatnonzero(tops >= 0)
    if not len(found):
        return np.zeros(len(tops), np.float32)
    inwards = np.minimum(columns - found[0], found[-1] - columns) / max(reach, 1.0)
    t = inwards.clip(0, 1)
    return f32(t * t * (3 - 2 * t))
