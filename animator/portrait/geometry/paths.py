"""The cheapest path through rows of costs, by dynamic programming: how edges in pictures are traced."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def cheapest_path(cost: Floats, stiffness: float) -> NDArray[np.intp]:
    """(n, k) ``cost`` -> (n,) the column in each row, at the price of ``stiffness`` for each column aside."""
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
    """As `cheapest_path`, for rows that are a closed ring: it goes round three times, and the second time counts."""
    count = len(cost)
    return cheapest_path(np.concatenate([cost] * 3), stiffness)[count : 2 * count]
