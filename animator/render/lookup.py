"""Sampling of layers kept as floating point."""

import numpy as np
from numpy.typing import NDArray

from animator.render.jit import kernel

Floats = NDArray[np.float32]


@kernel
def bilinear(layer: Floats, x: float, y: float, out: Floats) -> None:
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
