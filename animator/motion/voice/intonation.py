"""Pitch of a voice and its peaks: by autocorrelation, corrected for the window (Boersma 1993)."""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from animator.units import RATE, Samples

LOWEST_HZ, HIGHEST_HZ = 65, 400  # Hz, of a voice that speaks
VOICED_PERIODICITY = 0.6  # autocorrelation from which a window is voiced

_OCTAVE_COST = 0.03  # each octave down must be more periodic by this: two periods are as alike as one
_PAST_SAMPLES = 480  # samples before a frame that are looked at with it: two periods of the lowest voice must fit
_FAINT_AMPLITUDE = 1e-3
_LARGEST_LEAP = 7.0  # semitones within a frame: an octave error, not a voice
_MEAN_SHARE = 0.02  # share of a frame in the speaker's mean
# Semitones over the mean: where a peak begins to count, and how much more counts fully
_LEAST_RISE, _RISE_RANGE = 1.5, 5.0
_PEAK_GAP = 10  # frames between peaks at least


class Pitches(NamedTuple):
    """Of each window: ``hertz``, and how ``periodic`` it is, up to 1: from `VOICED_PERIODICITY` on it is voiced."""

    hertz: NDArray[np.float64]
    periodic: NDArray[np.float64]


def pitches(windows: NDArray[np.floating], rate: int) -> Pitches:
    """(n, samples) of sound at ``rate`` Hz, each window at least two periods of `LOWEST_HZ` long -> (n,) of both."""
    hann, its_own = _window(windows.shape[1])
    voice = slice(rate // HIGHEST_HZ, rate // LOWEST_HZ)
    alike = _autocorrelation(windows * hann)[:, voice] / its_own[:, voice]
    lags = np.arange(voice.start, voice.stop)
    best = (alike - _OCTAVE_COST * np.log2(lags)).argmax(axis=1)
    return Pitches(rate / lags[best], alike[np.arange(len(best)), best])


class Intonation:
    """Finds the peaks of a voice's melody, a frame at a time; how high the speaker is as a rule is found by itself."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the voice."""
        self._past = np.zeros(_PAST_SAMPLES, np.float32)
        self._mean: float | None = None
        self._before, self._last = -np.inf, -np.inf  # semitones; of no voice, infinitely low
        self._since = _PEAK_GAP

    def __call__(self, audio: Samples) -> float:
        """(960,), the next frame of sound -> 0, or the strength of a peak in the frame before, up to 1."""
        window = np.concatenate([self._past, audio])
        self._past = window[-_PAST_SAMPLES:]
        now = self._semitones(window)
        peak = self._last > self._before and self._last >= now
        rise = self._last - (self._mean or 0.0)
        self._before, self._last = self._last, now
        self._since += 1
        if not peak or rise < _LEAST_RISE or self._since < _PEAK_GAP:
            return 0.0
        self._since = 0
        return min(1.0, 0.3 + (rise - _LEAST_RISE) / _RISE_RANGE)

    def _semitones(self, window: Samples) -> float:
        """Over 100 Hz; infinitely low where there is no voice."""
        if float(np.abs(window).max()) < _FAINT_AMPLITUDE:
            return -np.inf
        found = pitches(window.reshape(1, -1, 2).mean(axis=2), RATE // 2)
        if float(found.periodic[0]) < VOICED_PERIODICITY:
            return -np.inf
        now = 12 * float(np.log2(found.hertz[0] / 100))
        if self._mean is None:
            self._mean = now
        if self._last > -np.inf and abs(now - self._last) > _LARGEST_LEAP:
            return self._last
        self._mean += _MEAN_SHARE * (now - self._mean)
        return now


@cache
def _window(samples: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(samples,) Hann, and (1, samples) its autocorrelation."""
    hann = np.hanning(samples)
    return hann, _autocorrelation(hann[None])


def _autocorrelation(windows: NDArray[np.floating]) -> NDArray[np.float64]:
    """(n, samples) -> the same by lag, 1 at lag 0."""
    samples = windows.shape[1]
    spectrum = 1 << (2 * samples - 1).bit_length()
    found = np.fft.irfft(np.abs(np.fft.rfft(windows, spectrum, axis=1)) ** 2, axis=1)[:, :samples]
    return found / np.maximum(found[:, :1], 1e-12)
