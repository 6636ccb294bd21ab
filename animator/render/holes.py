"""The openings of mouth and eyes, and the rim of the face: where one thing ends in front of another.

Pixels there are shared. Into an opening the mesh goes on as a filler between its edges, so that a pixel of which the
opening takes a part finds the colour of the lip there and blends it with what lies behind by exact area. Over the rim
the face goes on as a narrow hem that fades out, which smooths the jaw before the neck.
"""

import math

import numpy as np
from numpy.typing import NDArray

from animator.render.jit import kernel

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Bytes = NDArray[np.uint8]

HEM = 1.2  # px
_FINE = 4  # subpixels per pixel and axis


def fillers(pairs: list[tuple[Ints, Ints]]) -> Ints:
    """(T, 3) triangles between the vertices of (upper, lower) contours."""
    triangles: list[tuple[int, int, int]] = []
    for upper, lower in pairs:
        for i in range(len(upper) - 1):
            a, b, c, d = int(upper[i]), int(upper[i + 1]), int(lower[i + 1]), int(lower[i])
            triangles += [(a, b, c), (a, c, d)]
    return np.array(triangles, np.int32)


def hem_triangles(rim: Ints, first: int) -> Ints:
    """(T, 3) triangles between a closed ``rim`` and as many vertices numbered from ``first`` on."""
    inner, outer = np.stack([rim, np.roll(rim, -1)]), first + np.stack([np.arange(len(rim)), np.roll(np.arange(len(rim)), -1)])
    return np.concatenate(
        [np.stack([inner[0], inner[1], outer[1]], axis=1), np.stack([inner[0], outer[1], outer[0]], axis=1)]
    ).astype(np.int32)


@kernel
def hem(xy: Floats, rim: Ints, out: Floats) -> None:
    """``out`` (R, 2): the clockwise closed line ``rim`` (R,) of ``xy`` moved outwards by `HEM` px."""
    count = rim.shape[0]
    for i in range(count):
        before, after = rim[(i + count - 1) % count], rim[(i + 1) % count]
        dx, dy = xy[after, 0] - xy[before, 0], xy[after, 1] - xy[before, 1]
        scale = np.float32(HEM) / (np.sqrt(dx * dx + dy * dy) + np.float32(1e-3))
        out[i, 0] = xy[rim[i], 0] + dy * scale
        out[i, 1] = xy[rim[i], 1] - dx * scale


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
