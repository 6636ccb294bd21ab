"""PCM from one rate to another, chunk by chunk."""

import math
from typing import Any

import numpy as np
from scipy.signal import firwin, upfirdn

from companion.stages.protocols import HEAR_RATE, Samples


class Resampler:
    """PCM at ``rate`` -> at ``to``, chunk by chunk without seams (linear-phase FIR, delay under 2 ms)."""

    def __init__(self, rate: int, to: int = HEAR_RATE) -> None:
        divisor = math.gcd(rate, to)
        self._up, self._down = to // divisor, rate // divisor
        self._plain = self._up == self._down
        taps = 16 * max(self._up, self._down) + 1
        kernel: Any = firwin(taps, 0.94 / max(self._up, self._down))
        self._kernel: Samples = np.asarray(kernel * self._up, np.float32)
        # Whole multiples of `down` keep the phase of the filter across chunks.
        self._history = self._down * math.ceil(taps / self._up / self._down)
        self._waiting: Samples = np.zeros(self._history, np.float32)

    def __call__(self, audio: Samples) -> Samples:
        """(n,) -> about (n * to / rate,); what does not fill a step waits for the next call."""
        if self._plain:
            return audio
        self._waiting = np.concatenate([self._waiting, audio])
        fresh = (len(self._waiting) - self._history) // self._down * self._down
        if fresh <= 0:
            return np.zeros(0, np.float32)
        block = self._waiting[: self._history + fresh]
        out = upfirdn(self._kernel, block, self._up, self._down)
        first = self._history * self._up // self._down
        self._waiting = self._waiting[fresh:]
        return np.asarray(out[first : first + fresh * self._up // self._down], np.float32)
