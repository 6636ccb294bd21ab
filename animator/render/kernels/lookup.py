"""Sampling and blending kernels that eyes and mouth share."""

import numpy as np

from animator.render.kernels.arrays import Floats, Image, Real
from animator.render.kernels.jit import kernel


@kernel
def bilinear(layer: Floats, x: Real, y: Real, out: Floats) -> None:
    """``out`` (at least C,) = ``layer`` (h, w, C) at (``x``, ``y``) px, its border repeated outside."""
    zero = np.float32(0.0)
    x = min(max(x, zero), np.float32(layer.shape[1] - 1.001))
    y = min(max(y, zero), np.float32(layer.shape[0] - 1.001))
    column, row = int(x), int(y)
    fx, fy = x - np.float32(column), y - np.float32(row)
    one = np.float32(1.0)
    for c in range(layer.shape[2]):
        top = layer[row, column, c] * (one - fx) + layer[row, column + 1, c] * fx
        low = layer[row + 1, column, c] * (one - fx) + layer[row + 1, column + 1, c] * fx
        out[c] = top * (one - fy) + low * fy


@kernel
def mix(frame: Image, row: int, column: int, colour: Floats, share: Real) -> None:
    """Blend ``colour`` (at least 3,) in 0 to 255 into one pixel of ``frame``."""
    for c in range(3):
        old = np.float32(frame[row, column, c])
        mixed = old + share * (colour[c] - old) + np.float32(0.5)
        frame[row, column, c] = np.uint8(min(max(mixed, np.float32(0.0)), np.float32(255.0)))


@kernel
def below_line(line: Floats, left: int, top: int, out: Floats) -> None:
    """``out`` (h, w): px by which the pixel (``left`` + column, ``top`` + row) lies below the line ``line`` (N, 2)."""
    for column in range(out.shape[1]):
        y = height_at(line, np.float32(column + left))
        for row in range(out.shape[0]):
            out[row, column] = np.float32(row + top) - y


@kernel
def height_at(line: Floats, x: Real) -> Real:
    """y of the polyline ``line`` (N, 2), ordered from left to right, at ``x``."""
    last = line.shape[0] - 1
    if x <= line[0, 0]:
        return line[0, 1]
    for i in range(last):
        if x <= line[i + 1, 0]:
            run = line[i + 1, 0] - line[i, 0]
            part = (x - line[i, 0]) / run if run > np.float32(1e-6) else np.float32(0.0)
            return line[i, 1] + min(max(part, np.float32(0.0)), np.float32(1.0)) * (line[i + 1, 1] - line[i, 1])
    return line[last, 1]
