"""Triangles to pixels, straight from texture to frame.

A texel is one uint64 with red, green and blue in its three low 16-bit lanes, so that one multiplication weights all
three and a bilinear sample costs six. Weights have 8 bits: a mesh at rest samples exactly at texel centres and gives
the picture back unchanged. Triangles overwrite each other in the order given (painter's algorithm), because only few
overlap at all and sorting them is cheaper than testing every pixel.
"""

import math

import numpy as np
from numpy.typing import NDArray

from animator.render.jit import kernel

Texture = NDArray[np.uint64]
Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Image = NDArray[np.uint8]
Four = tuple[int, int, int, int]

_ONE = np.float32(65536.0)  # texture coordinates inside the kernel are 16.16 fixed point
_FIRST = 65536 + 128  # the border of the packed texture, and half a step of the weights
_SHADE = np.float32(4096.0)


def pack(picture: Image) -> Texture:
    """(H, W, 3 or 4) uint8 -> (H + 2, W + 2) texture with its border repeated, so that no sample falls outside.

    Colours with a fourth channel, their opacity, are multiplied by it beforehand.
    """
    wide = np.pad(picture, ((1, 1), (1, 1), (0, 0)), mode="edge").astype(np.uint64)
    if picture.shape[2] == 3:
        wide = np.concatenate([wide, np.full_like(wide[..., :1], 255)], axis=2)
    lanes = [wide[..., lane] << np.uint64(16 * lane) for lane in range(4)]
    return np.ascontiguousarray(np.bitwise_or.reduce(lanes))


@kernel
def draw(out: Image, texture: Texture, xy: Floats, uv: Floats, shade: Floats, triangles: Ints) -> None:
    """Paint textured, shaded triangles, the last on top, whichever way they face.

    ``out`` (h, w, 3) RGB; ``texture`` from `pack`; ``xy`` (V, 2) pixels of ``out``; ``uv`` (V, 2) pixels of the packed
    picture; ``shade`` (V,) factor on the colour; ``triangles`` (T, 3).
    """
    for t in range(triangles.shape[0]):
        _triangle(out, texture, xy, uv, shade, shade, triangles[t], False)


@kernel
def draw_over(out, texture, xy, uv, shade, opacity, triangles):  # noqa: PLR0913
    """As `draw`, with a texture that has opacity, which is multiplied by ``opacity`` (V,) in 0 to 1."""
    for t in range(triangles.shape[0]):
        _triangle(out, texture, xy, uv, shade, opacity, triangles[t], True)


@kernel
def _triangle(out, texture, xy, uv, shade, opacity, corners, over):  # noqa: PLR0913
    a, b, c = corners[0], corners[1], corners[2]
    x0, y0, x1, y1, x2, y2 = xy[a, 0], xy[a, 1], xy[b, 0], xy[b, 1], xy[c, 0], xy[c, 1]
    area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
    row0, row1 = max(math.ceil(min(y0, y1, y2)), 0), min(math.ceil(max(y0, y1, y2)), out.shape[0])
    if not abs(area) > np.float32(1e-3) or row0 >= row1:
        return
    ux, uy = _slope(uv[a, 0], uv[b, 0], uv[c, 0], x1 - x0, y1 - y0, x2 - x0, y2 - y0, area)
    vx, vy = _slope(uv[a, 1], uv[b, 1], uv[c, 1], x1 - x0, y1 - y0, x2 - x0, y2 - y0, area)
    sx, sy = _slope(shade[a], shade[b], shade[c], x1 - x0, y1 - y0, x2 - x0, y2 - y0, area)
    ox, oy = np.float32(0.0), np.float32(0.0)
    if over:
        ox, oy = _slope(opacity[a], opacity[b], opacity[c], x1 - x0, y1 - y0, x2 - x0, y2 - y0, area)
    steps = (np.int64(ux * _ONE), np.int64(vx * _ONE), np.int32(sx * _SHADE), np.int32(ox * _SHADE))
    bounds = (
        np.int64(min(uv[a, 0], uv[b, 0], uv[c, 0]) * _ONE) + _FIRST,
        np.int64(max(uv[a, 0], uv[b, 0], uv[c, 0]) * _ONE) + _FIRST,
        np.int64(min(uv[a, 1], uv[b, 1], uv[c, 1]) * _ONE) + _FIRST,
        np.int64(max(uv[a, 1], uv[b, 1], uv[c, 1]) * _ONE) + _FIRST,
    )
    ax, ay, u0, v0, s0, o0 = x0, y0, uv[a, 0], uv[a, 1], shade[a], opacity[a]
    # Corners in order of y, so that an edge shared by two triangles is cut identically by both.
    if y1 < y0:
        x0, y0, x1, y1 = x1, y1, x0, y0
    if y2 < y0:
        x0, y0, x2, y2 = x2, y2, x0, y0
    if y2 < y1:
        x1, y1, x2, y2 = x2, y2, x1, y1
    long, high, low = _run(x0, y0, x2, y2), _run(x0, y0, x1, y1), _run(x1, y1, x2, y2)
    for row in range(row0, row1):
        y = np.float32(row)
        left = x0 + (y - y0) * long
        right = x0 + (y - y0) * high if y < y1 else x1 + (y - y1) * low
        first, last = max(math.ceil(min(left, right)), 0), min(math.ceil(max(left, right)), out.shape[1])
        if first < last:
            fx, fy = np.float32(first) - ax, y - ay
            start = (
                np.int64((u0 + fx * ux + fy * uy) * _ONE) + _FIRST,
                np.int64((v0 + fx * vx + fy * vy) * _ONE) + _FIRST,
                np.int32((s0 + fx * sx + fy * sy) * _SHADE + np.float32(0.5)),
                np.int32((o0 + fx * ox + fy * oy) * _SHADE + np.float32(0.5)),
            )
            _span(out, texture, (row, first, last), start, steps, bounds, over)


@kernel
def _slope(at0: float, at1: float, at2: float, x1: float, y1: float, x2: float, y2: float, area: float):  # noqa: PLR0913
    """Change per pixel to the right and down of a value given at three corners, the first one at the origin."""
    one, two = (at1 - at0) / area, (at2 - at0) / area
    return one * y2 - two * y1, two * x1 - one * x2


@kernel
def _run(x0: float, y0: float, x1: float, y1: float) -> float:
    return (x1 - x0) / (y1 - y0) if y1 > y0 else np.float32(0.0)


@kernel
def _span(
    out: Image, texture: Texture, where: tuple[int, int, int], start: Four, steps: Four, bounds: Four, over: bool
) -> None:
    """Pixels ``first`` to ``last`` of a row; texture coordinates are 16.16 fixed point, shade has 12 bits."""
    row, first, last = where
    u, v, s, o = start[0], start[1], np.int32(start[2]), np.int32(start[3])
    du, dv, ds, do = steps
    # Slivers have steep slopes and rounding errors: keep both ends within the triangle, and all between with them.
    u0, u1, v0, v1 = bounds
    u, v = min(max(u, u0), u1), min(max(v, v0), v1)
    count = last - 1 - first
    if count > 0:
        du, dv = _inside(u, du, count, u0, u1), _inside(v, dv, count, v0, v1)
    lane = np.uint64(0xFFFF)
    for column in range(first, last):
        texel = sample(texture, u, v)
        y, x = np.uint64(row), np.uint64(column)
        if over:
            dense = np.uint64(min(max(o, np.int32(0)), np.int32(4096)))
            light = (np.uint64(s) * dense) >> np.uint64(12)
            through = np.uint64(65280) - (((texel >> np.uint64(48)) * dense) >> np.uint64(12))
            r = _through(lit(texel & lane, light), out[y, x, 0], through)
            g = _through(lit((texel >> np.uint64(16)) & lane, light), out[y, x, 1], through)
            b = _through(lit((texel >> np.uint64(32)) & lane, light), out[y, x, 2], through)
            o += do
        else:
            r, g = lit(texel & lane, s), lit((texel >> np.uint64(16)) & lane, s)
            b = lit((texel >> np.uint64(32)) & lane, s)
        out[y, x, 0] = r
        out[y, x, 1] = g
        out[y, x, 2] = b
        u += du
        v += dv
        s += ds


@kernel
def _through(front: int, behind: int, share: int) -> int:
    return np.uint8(
        min(np.uint64(front) + ((np.uint64(behind) * share + np.uint64(32640)) // np.uint64(65280)), np.uint64(255))
    )


@kernel
def _inside(start: int, step: int, count: int, low: int, high: int) -> int:
    """``step``, or the largest one that stays between ``low`` and ``high`` for ``count`` steps from ``start``."""
    end = start + np.int64(step) * count
    if end < low:
        return (low - start) // count + 1
    return (high - start) // count if end > high else step


@kernel
def sample(texture: Texture, u: int, v: int) -> int:
    """Bilinear sample at 16.16 fixed-point texel coordinates (plus half of 1/256) -> four lanes of 8.8 fixed point."""
    fx, fy = np.uint64((u >> 8) & 255), np.uint64((v >> 8) & 255)
    row, column = np.uint64(v >> 16), np.uint64(u >> 16)
    below, right = row + np.uint64(1), column + np.uint64(1)
    whole, mask, half = np.uint64(256), np.uint64(0x00FF00FF00FF00FF), np.uint64(0x0080008000800080)
    top = ((texture[row, column] * (whole - fx) + texture[row, right] * fx + half) >> np.uint64(8)) & mask
    low = ((texture[below, column] * (whole - fx) + texture[below, right] * fx + half) >> np.uint64(8)) & mask
    return top * (whole - fy) + low * fy


@kernel
def lit(lane: int, shading: int) -> int:
    """8.8 fixed-point colour times 12-bit shade -> uint8."""
    return np.uint8(min((lane * np.uint64(shading) + np.uint64(1 << 19)) >> np.uint64(20), np.uint64(255)))
