"""The openings of mouth and eyes: where they are in a frame, and how much of each pixel they take.

The mesh is cut along lips and lids. A narrow skirt continues it into the opening, so that a pixel of which the opening
takes a part finds the colour of the lip there and blends it with what lies behind by exact area.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from animator.render.jit import kernel

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Bytes = NDArray[np.uint8]

SKIRT = 1.5  # px
_FINE = 4  # subpixels per pixel and axis


@dataclass(frozen=True, slots=True)
class Skirts:
    """Vertices behind the body's: one per vertex of a contour. ``uv`` (N, 2); ``triangles`` (T, 3); the rest (N,):
    the contour vertex, its neighbours along the contour, and the side (+1 or -1) on which the opening lies."""

    uv: Floats
    triangles: Ints
    root: Ints
    before: Ints
    after: Ints
    side: Floats


def skirts(vertices: Floats, pairs: list[tuple[Ints, Ints]], first: int) -> Skirts:
    """Skirts for (upper, lower) contours of ``vertices`` (V, 2 or 3); their vertices are numbered from ``first``."""
    parts: list[tuple[Ints, float]] = [(c, s) for upper, lower in pairs for c, s in ((upper, 1.0), (lower, -1.0))]
    root = np.concatenate([c for c, _ in parts])
    before = np.concatenate([np.concatenate([c[:1], c[:-1]]) for c, _ in parts])
    after = np.concatenate([np.concatenate([c[1:], c[-1:]]) for c, _ in parts])
    side = np.concatenate([np.full(len(c), s) for c, s in parts]).astype(np.float32)
    other = np.concatenate([np.concatenate([lower, upper]) for upper, lower in pairs])
    gap = np.linalg.norm(vertices[other, :2] - vertices[root, :2], axis=1)
    reach = np.minimum(SKIRT, gap / 2).astype(np.float32)
    flat = np.ascontiguousarray(vertices[:, :2], dtype=np.float32)
    uv = np.zeros((len(root), 2), np.float32)
    hem(flat, root, before, after, side * reach / np.float32(SKIRT), uv)
    triangles: list[tuple[int, int, int]] = []
    at = first
    for contour, sign in parts:
        for i in range(len(contour) - 1):
            a, b, c, d = int(contour[i]), int(contour[i + 1]), at + i + 1, at + i
            triangles += [(a, b, c), (a, c, d)] if sign > 0 else [(a, c, b), (a, d, c)]
        at += len(contour)
    return Skirts(uv, np.array(triangles, np.int32), root, before, after, side)


@kernel
def hem(xy: Floats, root: Ints, before: Ints, after: Ints, side: Floats, out: Floats) -> None:
    """``out`` (N, 2): the points ``root`` of ``xy`` moved across their contour by ``SKIRT`` px times ``side`` (N,)."""
    for i in range(root.shape[0]):
        dx, dy = xy[after[i], 0] - xy[before[i], 0], xy[after[i], 1] - xy[before[i], 1]
        scale = np.float32(SKIRT) * side[i] / (np.sqrt(dx * dx + dy * dy) + np.float32(1e-3))
        out[i, 0] = xy[root[i], 0] - dy * scale
        out[i, 1] = xy[root[i], 1] + dx * scale


@kernel
def coverage(upper: Floats, lower: Floats, left: int, top: int, fine: Bytes, out: Floats) -> None:
    """``out`` (h, w): share of each pixel that lies between the contours ``upper`` and ``lower``, both (N, 2) px.

    ``out[0, 0]`` is the pixel (``left``, ``top``); ``fine`` (4 h, 4 w) is scratch. Where the contours cross, that is
    where the opening is shut, nothing is covered.
    """
    fine[:] = 0
    for i in range(upper.shape[0] - 1):
        _fill(fine, upper[i], upper[i + 1], lower[i + 1], left, top)
        _fill(fine, upper[i], lower[i + 1], lower[i], left, top)
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            total = 0
            for j in range(_FINE):
                for i in range(_FINE):
                    total += fine[y * _FINE + j, x * _FINE + i]
            out[y, x] = np.float32(total) * np.float32(1 / (_FINE * _FINE))


@kernel
def _fill(fine: Bytes, a: Floats, b: Floats, c: Floats, left: int, top: int) -> None:
    """Set the subpixels whose centres lie in the clockwise triangle a, b, c."""
    four, shift = np.float32(_FINE), np.float32(_FINE / 2 - 0.5)
    ax, ay = (a[0] - left) * four + shift, (a[1] - top) * four + shift
    bx, by = (b[0] - left) * four + shift, (b[1] - top) * four + shift
    cx, cy = (c[0] - left) * four + shift, (c[1] - top) * four + shift
    if (bx - ax) * (cy - ay) - (cx - ax) * (by - ay) <= 0:
        return
    for row in range(max(math.ceil(min(ay, by, cy)), 0), min(math.ceil(max(ay, by, cy)), fine.shape[0])):
        y = np.float32(row)
        low, high = np.float32(1e9), np.float32(-1e9)
        for x0, y0, x1, y1 in ((ax, ay, bx, by), (bx, by, cx, cy), (cx, cy, ax, ay)):
            if (y0 <= y) != (y1 <= y):
                x = x0 + (y - y0) * (x1 - x0) / (y1 - y0)
                low, high = min(low, x), max(high, x)
        for column in range(max(math.ceil(low), 0), min(math.ceil(high), fine.shape[1])):
            fine[row, column] = 1


def box(upper: Floats, lower: Floats, size: int) -> tuple[int, int, int, int] | None:
    """Left, top, right, bottom of the pixels of the frame that an opening may touch, None when there are none."""
    low = np.minimum(upper.min(axis=0), lower.min(axis=0))
    high = np.maximum(upper.max(axis=0), lower.max(axis=0))
    left, top = max(int(low[0]) - 1, 0), max(int(low[1]) - 1, 0)
    right, bottom = min(int(high[0]) + 3, size), min(int(high[1]) + 3, size)
    return (left, top, right, bottom) if left < right and top < bottom else None
