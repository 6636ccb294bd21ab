"""Triangles to pixels, straight from texture to frame.

A texel is one uint64 with red, green and blue in its three low 16-bit lanes, so that one multiplication weights all
three and a bilinear sample costs five. Weights have 8 bits: a mesh at rest samples exactly at texel centres and gives
the picture back unchanged. Triangles overwrite each other in the order given (painter's algorithm), because only few
overlap at all and sorting them is cheaper than testing every pixel.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from animator.render.kernels.arrays import Floats, Image, Ints, Real, Whole
from animator.render.kernels.jit import kernel

Texture = NDArray[np.uint64]
Three = tuple[Whole, Whole, Whole]
Four = tuple[Whole, Whole, Whole, Whole]
Point = tuple[Real, Real]


class Surface(NamedTuple):
    """What is drawn: per vertex ``xy`` (V, 2) px of the frame, ``uv`` (V, 2) px of the picture that was packed,
    ``shade`` (V,), a factor on the colour, and ``opacity`` (V,) in 0 to 1, which only `draw_over` heeds."""

    xy: Floats
    uv: Floats
    shade: Floats
    opacity: Floats


_FIXED_ONE = np.float32(65536.0)  # texture coordinates inside the kernel are 16.16 fixed point
_FIRST_TEXEL = 65536 + 128  # the border of the packed texture, and half a step of the weights
_ROUNDING_SLACK = 64  # rounding that may be ignored
_SHADE_ONE = np.float32(4096.0)


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
def draw(out: Image, texture: Texture, surface: Surface, triangles: Ints) -> None:
    """Paint ``triangles`` (T, 3) of ``surface`` into ``out``, the last on top, whichever way they face."""
    for t in range(triangles.shape[0]):
        _triangle(out, texture, surface, triangles[t], False)


@kernel
def draw_over(out: Image, texture: Texture, surface: Surface, triangles: Ints) -> None:
    """As `draw`, but what lies behind shines through where texture or surface are not opaque."""
    for t in range(triangles.shape[0]):
        _triangle(out, texture, surface, triangles[t], True)


@kernel
def _triangle(out: Image, texture: Texture, surface: Surface, corners: Ints, over: bool) -> None:
    xy, uv, shade, opacity = surface
    a, b, c = corners[0], corners[1], corners[2]
    x0, y0, x1, y1, x2, y2 = xy[a, 0], xy[a, 1], xy[b, 0], xy[b, 1], xy[c, 0], xy[c, 1]
    area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
    row0, row1 = max(math.ceil(min(y0, y1, y2)), 0), min(math.ceil(max(y0, y1, y2)), out.shape[0])
    if not abs(area) > np.float32(1e-3) or row0 >= row1:
        return
    to_b, to_c = ((x1 - x0) / area, (y1 - y0) / area), ((x2 - x0) / area, (y2 - y0) / area)
    ux, uy = _slope((uv[a, 0], uv[b, 0], uv[c, 0]), to_b, to_c)
    vx, vy = _slope((uv[a, 1], uv[b, 1], uv[c, 1]), to_b, to_c)
    sx, sy = _slope((shade[a], shade[b], shade[c]), to_b, to_c)
    ox, oy = np.float32(0.0), np.float32(0.0)
    if over:
        ox, oy = _slope((opacity[a], opacity[b], opacity[c]), to_b, to_c)
    steps = (np.int64(ux * _FIXED_ONE), np.int64(vx * _FIXED_ONE), np.int64(sx * _SHADE_ONE), np.int64(ox * _SHADE_ONE))
    bounds = _bounds(uv, a, b, c)
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
                np.int64((u0 + fx * ux + fy * uy) * _FIXED_ONE) + _FIRST_TEXEL,
                np.int64((v0 + fx * vx + fy * vy) * _FIXED_ONE) + _FIRST_TEXEL,
                np.int64((s0 + fx * sx + fy * sy) * _SHADE_ONE + np.float32(0.5)),
                np.int64((o0 + fx * ox + fy * oy) * _SHADE_ONE + np.float32(0.5)),
            )
            start, steps_inside = _confined(start, steps, bounds, last - 1 - first)
            _span(out, texture, (row, first, last), (start, steps_inside), over)


@kernel
def _bounds(uv: Floats, a: Whole, b: Whole, c: Whole) -> Four:
    """Least and largest u, least and largest v of three corners, in fixed point."""
    return (
        np.int64(min(uv[a, 0], uv[b, 0], uv[c, 0]) * _FIXED_ONE) + (_FIRST_TEXEL - _ROUNDING_SLACK),
        np.int64(max(uv[a, 0], uv[b, 0], uv[c, 0]) * _FIXED_ONE) + (_FIRST_TEXEL + _ROUNDING_SLACK),
        np.int64(min(uv[a, 1], uv[b, 1], uv[c, 1]) * _FIXED_ONE) + (_FIRST_TEXEL - _ROUNDING_SLACK),
        np.int64(max(uv[a, 1], uv[b, 1], uv[c, 1]) * _FIXED_ONE) + (_FIRST_TEXEL + _ROUNDING_SLACK),
    )


@kernel
def _slope(at: tuple[Any, Any, Any], to_b: Point, to_c: Point) -> Point:
    """Change per pixel to the right and down of a value given at three corners; edges are divided by the area."""
    one, two = at[1] - at[0], at[2] - at[0]
    return one * to_c[1] - two * to_b[1], two * to_b[0] - one * to_c[0]


@kernel
def _run(x0: Real, y0: Real, x1: Real, y1: Real) -> Real:
    return (x1 - x0) / (y1 - y0) if y1 > y0 else np.float32(0.0)


@kernel
def _confined(start: Four, steps: Four, bounds: Four, count: Whole) -> tuple[Four, Four]:
    """``start`` and ``steps`` such that the texture coordinates of all pixels stay within ``bounds``.

    Slivers have steep slopes and rounding errors, which would reach outside of their triangle and of the texture.
    """
    u, v = min(max(start[0], bounds[0]), bounds[1]), min(max(start[1], bounds[2]), bounds[3])
    du, dv = steps[0], steps[1]
    if count > 0:
        du, dv = _step(u, du, count, bounds[0], bounds[1]), _step(v, dv, count, bounds[2], bounds[3])
    return (u, v, start[2], start[3]), (du, dv, steps[2], steps[3])


@kernel
def _step(start: Whole, step: Whole, count: Whole, low: Whole, high: Whole) -> Whole:
    """``step``, or the largest one that stays between ``low`` and ``high`` for ``count`` steps from ``start``."""
    end = start + step * count
    if end < low:
        return (low - start) // count + 1
    return (high - start) // count if end > high else step


@kernel
def _span(out: Image, texture: Texture, where: Three, values: tuple[Four, Four], over: bool) -> None:
    """Pixels of a row; texture coordinates are 16.16 fixed point, shade and opacity have 12 bits."""
    row, first, last = where
    (u, v, s, o), (du, dv, ds, do) = values
    lane, half = np.uint64(0xFFFF), np.uint64(0x0080008000800080)
    plain = s == 4096 and ds == 0
    y = np.uint64(row)
    for column in range(first, last):
        texel = sample(texture, u, v)
        x = np.uint64(column)
        if over:
            dense = np.uint64(min(max(o, 0), 4096))
            light = (np.uint64(s) * dense) >> np.uint64(12)
            through = np.uint64(65280) - (((texel >> np.uint64(48)) * dense) >> np.uint64(12))
            out[y, x, 0] = _through(texel & lane, light, out[y, x, 0], through)
            out[y, x, 1] = _through((texel >> np.uint64(16)) & lane, light, out[y, x, 1], through)
            out[y, x, 2] = _through((texel >> np.uint64(32)) & lane, light, out[y, x, 2], through)
            o += do
        elif plain:
            texel += half
            out[y, x, 0] = np.uint8(texel >> np.uint64(8))
            out[y, x, 1] = np.uint8(texel >> np.uint64(24))
            out[y, x, 2] = np.uint8(texel >> np.uint64(40))
        else:
            light = np.uint64(s)
            out[y, x, 0] = lit(texel & lane, light)
            out[y, x, 1] = lit((texel >> np.uint64(16)) & lane, light)
            out[y, x, 2] = lit((texel >> np.uint64(32)) & lane, light)
        u += du
        v += dv
        s += ds


@kernel
def _through(lane: Whole, shading: Whole, behind: Whole, share: Whole) -> Whole:
    """As `lit`, before ``share`` of 65280 of the uint8 ``behind``; rounded once, so that like before like stays."""
    shining = ((np.uint64(behind) * share) << np.uint64(12)) // np.uint64(255)
    return np.uint8(min((lane * shading + shining + np.uint64(1 << 19)) >> np.uint64(20), np.uint64(255)))


@kernel
def sample(texture: Texture, u: Whole, v: Whole) -> Whole:
    """Bilinear sample at 16.16 fixed-point texel coordinates (plus half of 1/256) -> four lanes of 8.8 fixed point."""
    fx, fy = np.uint64((u >> 8) & 255), np.uint64((v >> 8) & 255)
    row, column = np.uint64(v >> 16), np.uint64(u >> 16)
    below, right = row + np.uint64(1), column + np.uint64(1)
    both = (fx * fy + np.uint64(128)) >> np.uint64(8)
    top = texture[row, column] * (np.uint64(256) - fx - fy + both) + texture[row, right] * (fx - both)
    return top + texture[below, column] * (fy - both) + texture[below, right] * both


@kernel
def lit(lane: Whole, shading: Whole) -> Whole:
    """8.8 fixed-point colour times 12-bit shade -> uint8."""
    return np.uint8(min((lane * shading + np.uint64(1 << 19)) >> np.uint64(20), np.uint64(255)))
