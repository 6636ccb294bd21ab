"""Runs: stretches of frames in which a condition holds."""

import numpy as np
from numpy.typing import NDArray


def runs_of(mask: NDArray[np.bool_], shortest: int) -> list[tuple[int, int]]:
    """(start, end) of every stretch of True that is at least ``shortest`` long."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2) if end - start >= shortest]
