"""An audible breath, as of somebody who is about to speak and does not know yet what to say, and a sigh."""

from typing import Any

import numpy as np
from scipy.signal import butter, sosfilt

from companion.stages.protocols import SPEAK_RATE, Samples

_Throat = tuple[tuple[float, float, float], ...]

LASTS = (0.28, 0.4)  # s, at least and at most: people take a third of a second before a short answer
LOUDEST = 0.012  # RMS at its loudest, some 25 dB under speech
THROAT = ((400, 1400, 1.0), (1500, 2300, 0.7), (2600, 4200, 0.35))  # Hz from and to, strength: an open mouth, inhaling
SIGHS = (0.55, 0.8)  # s, the same of a sigh
SIGHING = ((300, 900, 1.0), (1000, 1600, 0.6), (2200, 3400, 0.2))  # the throat of one who breathes out
FALLS = 0.25  # of its time, after which a sigh fades
RISES = 0.7  # of its time; people stop more suddenly than they begin


def breath(rng: np.random.Generator) -> Samples:
    """(n,) at `SPEAK_RATE`: noise in the colours of a throat, another one each time."""
    return _air(rng, rng.uniform(*LASTS), THROAT, RISES)


def sigh(rng: np.random.Generator) -> Samples:
    """The same, breathed out: longer, darker and fading slowly."""
    return np.float32(1.6) * _air(rng, rng.uniform(*SIGHS), SIGHING, FALLS)


def _air(rng: np.random.Generator, seconds: float, throat: _Throat, rises: float) -> Samples:
    n = round(seconds * SPEAK_RATE)
    noise = rng.standard_normal(n)
    sound = np.zeros(n)
    for low, high, strength in throat:
        band: Any = butter(2, (low, high), "bandpass", fs=SPEAK_RATE, output="sos")
        sound += strength * np.asarray(sosfilt(band, noise))
    t = np.arange(n) / n
    swell = np.where(t < rises, np.sin(0.5 * np.pi * t / rises) ** 2, np.cos(0.5 * np.pi * (t - rises) / (1 - rises)))
    loudest = np.sqrt(np.mean(sound**2))
    return np.asarray(LOUDEST * sound / loudest * swell, np.float32)
