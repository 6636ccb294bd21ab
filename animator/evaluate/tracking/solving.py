"""Blendshape weights that explain the displacement of landmarks: non-negative least squares with a ridge."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

Floats = NDArray[np.float32]

AXIS_TRUST = np.array([1, 1, 0.3], np.float32)  # in x, y and the depth that the landmark network guesses
RIDGE = 4e-3  # of the squared face width: less brings up shapes that only follow the jitter of the landmarks
LARGEST_WEIGHT = 1.2  # weight


def solver(shapes: Floats, width: float, count: Floats | None = None) -> Callable[[Floats], Floats]:
    """A function from displacements (n, 3) in px to (k,) float32 weights of ``shapes``, 0 to `LARGEST_WEIGHT`.

    ``shapes`` (k, n, 3): displacements in px at weight 1; ``width`` of the face in px; ``count`` (n,): how much each
    point weighs, by default all alike.
    """
    trust = AXIS_TRUST * np.sqrt(np.ones(shapes.shape[1], np.float32) if count is None else count)[:, None]
    basis = (shapes * trust).reshape(len(shapes), -1) / width
    normal = basis @ basis.T + RIDGE * np.eye(len(shapes))
    root = np.linalg.cholesky(normal)

    def solve(moved: Floats) -> Floats:
        right = basis @ (moved * trust).reshape(-1) / width
        return nnls(root.T, np.linalg.solve(root, right))[0].clip(0, LARGEST_WEIGHT).astype(np.float32)

    return solve
