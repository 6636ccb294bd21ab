"""The openings of mouth and eyes, and the rim of the face: edges at which one surface ends in front of another.

Pixels there are shared. Into an opening the mesh goes on as a filler between its edges, so that a pixel of which the
opening takes a part finds the colour of the lip there and blends it with what lies behind by exact area. Over the rim
the face goes on as a narrow hem that fades out, which smooths the jaw before the neck; and so it does wherever a fold
of it, of the chin or the nose, comes to lie before the rest.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from animator.render.kernels.arrays import Floats, Image, Ints
from animator.render.kernels.jit import kernel
from animator.render.surface.raster import Surface

HEM_PX = 1.2  # px
MOST_FOLDS = 256  # edges at most that are hemmed in one frame
SUBPIXELS = 4  # subpixels per pixel and axis


def fillers(pairs: list[tuple[Ints, Ints]]) -> Ints:
    """(T, 3) triangles between the vertices of (upper, lower) contours."""
    triangles: list[tuple[int, int, int]] = []
    for upper, lower in pairs:
        for i in range(len(upper) - 1):
            a, b, c, d = int(upper[i]), int(upper[i + 1]), int(lower[i + 1]), int(lower[i])
            triangles += [(a, b, c), (a, c, d)]
    return np.array(triangles, np.int32)


@dataclass(frozen=True, slots=True)
class Hem:
    """Strips along lines of the mesh: per new vertex the ``root`` (N,) that it continues and that one's neighbours
    ``before`` and ``after`` (N,) along the line; ``triangles`` (T, 3)."""

    root: Ints
    before: Ints
    after: Ints
    triangles: Ints


def hems(rim: Ints, edges: list[Ints], first: int) -> Hem:
    """Hems of the closed, clockwise ``rim`` to its outside and of open ``edges``, which run from left to right, to
    below; the new vertices are numbered from ``first`` on."""
    lines = [np.append(rim, rim[0])] + [edge[::-1] for edge in edges]
    before = [np.concatenate([rim[-1:], rim])] + [np.append(line[0], line[:-1]) for line in lines[1:]]
    after = [np.concatenate([rim[1:], rim[:2]])] + [np.append(line[1:], line[-1]) for line in lines[1:]]
    triangles: list[NDArray[Any]] = []
    at = first
    for line in lines:
        a, b = line[:-1], line[1:]
        d = np.arange(at, at + len(line) - 1)
        triangles += [np.stack([a, b, d + 1], axis=1), np.stack([a, d + 1, d], axis=1)]
        at += len(line)
    whole = np.concatenate
    return Hem(whole(lines), whole(before), whole(after), whole(triangles).astype(np.int32))


@kernel
def hem(xy: Floats, root: Ints, before: Ints, after: Ints, out: Floats) -> None:
    """``out`` (N, 2): the points ``root`` of ``xy`` moved by `HEM_PX` px across their line, to its left with y down."""
    for i in range(root.shape[0]):
        dx, dy = xy[after[i], 0] - xy[before[i], 0], xy[after[i], 1] - xy[before[i], 1]
        scale = np.float32(HEM_PX) / (np.sqrt(dx * dx + dy * dy) + np.float32(1e-3))
        out[i, 0] = xy[root[i], 0] + dy * scale
        out[i, 1] = xy[root[i], 1] - dx * scale


def creases(points: Floats, triangles: Ints) -> Ints:
    """(E, 4): the edges a, b between two of the clockwise ``triangles`` (T, 3) with their opposite corners, where
    neither is turned away already in ``points`` (V, 2)."""
    sides: dict[tuple[int, int], int] = {}
    for a, b, c in triangles.tolist():
        (ax, ay), (bx, by), (cx, cy) = points[a], points[b], points[c]
        if (bx - ax) * (cy - ay) - (cx - ax) * (by - ay) > 1e-3:
            sides |= {(a, b): c, (b, c): a, (c, a): b}
    return np.array([(a, b, c, sides[b, a]) for (a, b), c in sides.items() if a < b and (b, a) in sides], np.int32)


def fold_surface() -> tuple[Surface, Ints]:
    """Room for the hems that `fold` makes, four vertices each, and their triangles."""
    count = 4 * MOST_FOLDS
    opacity = np.tile(np.array([1, 1, 0, 0], np.float32), MOST_FOLDS)
    triangles = np.array([[0, 1, 3], [0, 3, 2]], np.int32) + 4 * np.arange(MOST_FOLDS, dtype=np.int32)[:, None, None]
    place, colour = np.empty((count, 2), np.float32), np.empty((count, 2), np.float32)
    return Surface(place, colour, np.empty(count, np.float32), opacity), triangles.reshape(-1, 3).astype(np.int32)


@kernel
def fold(surface: Surface, points: Floats, edges: Ints, out: Surface) -> int:
    """Hem the ``edges`` (E, 4) of ``surface``, whose vertices are ``points`` (V, 3) in space, where the one side hides
    the other, which is turned away; returns how many, `MOST_FOLDS` at most."""
    xy, count = surface.xy, 0
    for i in range(edges.shape[0]):
        a, b, c, d = edges[i, 0], edges[i, 1], edges[i, 2], edges[i, 3]
        ex, ey = xy[b, 0] - xy[a, 0], xy[b, 1] - xy[a, 1]
        one = ex * (xy[c, 1] - xy[a, 1]) - (xy[c, 0] - xy[a, 0]) * ey
        other = (xy[d, 0] - xy[a, 0]) * ey - ex * (xy[d, 1] - xy[a, 1])
        if (one > 0) == (other > 0) or count == MOST_FOLDS:
            continue
        middle = np.float32(0.5) * (points[a, 2] + points[b, 2])
        nearer = (points[c, 2] - middle) * abs(other) > (points[d, 2] - middle) * abs(one)
        if nearer != (one > 0):  # the far end of the fold, hidden under it
            continue
        scale = np.float32(HEM_PX if one > 0 else -HEM_PX) / (np.sqrt(ex * ex + ey * ey) + np.float32(1e-3))
        for j, (root, away) in enumerate(((a, False), (b, False), (a, True), (b, True))):
            at = 4 * count + j
            out.xy[at, 0] = xy[root, 0] + (ey * scale if away else np.float32(0.0))
            out.xy[at, 1] = xy[root, 1] - (ex * scale if away else np.float32(0.0))
            out.uv[at, 0], out.uv[at, 1] = surface.uv[root, 0], surface.uv[root, 1]
            out.shade[at] = surface.shade[root]
        count += 1
    return count


def covered(upper: Floats, lower: Floats, frame: Image) -> tuple[tuple[int, int], Floats]:
    """Where in ``frame`` the opening between two contours (N, 2) px lies: left and top, and the share of each pixel."""
    low, high = np.minimum(upper, lower).min(axis=0), np.maximum(upper, lower).max(axis=0)
    left, top = (max(int(v) - 1, 0) for v in low)
    right, bottom = (min(int(v) + 3, n) for v, n in zip(high, (frame.shape[1], frame.shape[0]), strict=True))
    share = np.empty((max(bottom - top, 0), max(right - left, 0)), np.float32)
    coverage(upper, lower, (left, top), share)
    return (left, top), share


@kernel
def coverage(upper: Floats, lower: Floats, corner: tuple[int, int], out: Floats) -> None:
    """``out`` (h, w): share of each pixel that lies between the contours ``upper`` and ``lower``, both (N, 2) px.

    ``out[0, 0]`` is the pixel ``corner`` (x, y). Where the contours cross, that is where the opening is shut, nothing
    is covered.
    """
    fine = np.zeros((out.shape[0] * SUBPIXELS, out.shape[1] * SUBPIXELS), np.uint8)
    for i in range(upper.shape[0] - 1):
        _fill(fine, upper[i], upper[i + 1], lower[i + 1], corner)
        _fill(fine, upper[i], lower[i + 1], lower[i], corner)
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            total = 0
            for j in range(SUBPIXELS):
                for i in range(SUBPIXELS):
                    total += fine[y * SUBPIXELS + j, x * SUBPIXELS + i]
            out[y, x] = np.float32(total) * np.float32(1 / (SUBPIXELS * SUBPIXELS))


@kernel
def _fill(fine: Image, a: Floats, b: Floats, c: Floats, corner: tuple[int, int]) -> None:
    """Set the subpixels whose centres lie in the clockwise triangle a, b, c."""
    four, shift = np.float32(SUBPIXELS), np.float32(SUBPIXELS / 2 - 0.5)
    ax, ay = (a[0] - corner[0]) * four + shift, (a[1] - corner[1]) * four + shift
    bx, by = (b[0] - corner[0]) * four + shift, (b[1] - corner[1]) * four + shift
    cx, cy = (c[0] - corner[0]) * four + shift, (c[1] - corner[1]) * four + shift
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
