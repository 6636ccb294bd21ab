"""Types of the arrays that all parts of the renderer share."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.floating[Any]]  # float32 wherever a kernel takes it
Ints = NDArray[np.int32]
Real = float | np.floating[Any]  # numbers within kernels
Whole = int | np.integer[Any]
Image = NDArray[np.uint8]  # (h, w, 3) RGB


def f32(values: ArrayLike) -> NDArray[np.float32]:
    """``values`` as an array that kernels take."""
    return np.asarray(values, np.float32)
