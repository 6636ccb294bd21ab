"""Shortest paths through cost matrices, by dynamic programming; edges in pictures are traced with them."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def cheapest_path(cost: Floats, stiffness: float) -> NDArray[np.intp]:
    """The column in each row, (n,), of the cheapest path through ``cost`` (n, k); each column of change from one row to
    the next costs ``stiffness``."""
    steps = np.arange(cost.shape[1])
    price = stiffness * np.abs(steps[:, None] - steps).astype(np.float32)
    total, back = cost[0], list[NDArray[np.intp]]()
    for row in cost[1:]:
        arriving = total + price
        back.append(arriving.argmin(axis=1))
        total = arriving.min(axis=1) + row
    path = [int(total.argmin())]
    for choices in reversed(back):
        path.append(int(choices[path[-1]]))
    return np.array(path[::-1])


def cheapest_ring(cost: Floats, stiffness: float) -> NDArray[np.intp]:
    """`cheapest_path` for rows that form a closed ring: the path goes around three times, and the second turn is
    taken."""
    count = len(cost)
    return cheapest_path(np.concatenate([cost] * 3), stiffness)[count : 2 * count]
