"""Whether a microphone hears the face itself: what it hears, compared with what was just played. Pure."""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from companion.stages import Samples

LIKE = 0.45  # correlation above which it is the same sound: an echo in a room has 0.5 to 1, two voices under 0.3


def likeness(heard: Samples, played: Samples) -> float:
    """The largest normalised correlation of ``heard`` (n,) with any stretch of ``played`` (m,), in [0, 1].

    Both at one rate; 0 when ``played`` is the shorter one or either is silent. Differences are compared instead of
    samples, which evens out the spectrum of speech, so that two voices of one pitch do not look alike.
    """
    a, b = np.diff(heard), np.diff(played)
    if len(b) < len(a) or not len(a):
        return 0.0
    products: NDArray[np.float32] = fftconvolve(b, a[::-1], mode="valid")
    energy = np.concatenate([[0.0], np.cumsum(b.astype(np.float64) ** 2)])
    power = energy[len(a) :] - energy[: -len(a)]
    floor = 1e-6 * len(a)
    if float(np.sum(a.astype(np.float64) ** 2)) < floor:
        return 0.0
    norms = np.sqrt(np.maximum(power, floor) * float(np.sum(a.astype(np.float64) ** 2)))
    return float(np.max(np.abs(products) / norms))


def is_echo(heard: Samples, played: Samples) -> bool:
    """Whether ``heard`` is mostly ``played``."""
    return likeness(heard, played) > LIKE
