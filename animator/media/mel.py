"""Sound as the motion network hears it: a streaming log-mel spectrogram."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from animator.units import RATE, Samples

HOP_SAMPLES = 240  # samples, 10 ms
WINDOW_SAMPLES = 600  # samples, 25 ms
FFT_SIZE = 1024
MELS = 64
LOW_HZ, HIGH_HZ = 50.0, 7600.0
FLOOR_DB = -80.0

Features = NDArray[np.float32]  # (n, MELS), 0 at or below FLOOR_DB, 1 at full scale


@cache
def mel_matrix() -> NDArray[np.float32]:
    """(FFT // 2 + 1, MELS) triangles of equal height on the HTK mel scale between LOW_HZ and HIGH_HZ."""
    low, high = 2595 * np.log10(1 + np.array([LOW_HZ, HIGH_HZ]) / 700)
    edges = 700 * (10 ** (np.linspace(low, high, MELS + 2) / 2595) - 1)
    bins = np.arange(FFT_SIZE // 2 + 1) * (RATE / FFT_SIZE)
    rising = (bins[:, None] - edges[None, :-2]) / np.diff(edges)[None, :-1]
    falling = (edges[None, 2:] - bins[:, None]) / np.diff(edges)[None, 1:]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return (triangles / np.maximum(triangles.sum(axis=0), 1e-9)).astype(np.float32)


@cache
def _window() -> NDArray[np.float32]:
    """(WINDOW,) Hann window, scaled so that a full-scale sine has a spectral peak of power 1."""
    window = np.hanning(WINDOW_SAMPLES + 1)[:-1]
    return (window / (window.sum() / 2)).astype(np.float32)


def mel_power(samples: Samples) -> NDArray[np.float32]:
    """((n + 1.5) * HOP,) of sound, of which the first 1.5 hops are the past -> (n, MELS) mean power per band."""
    windows = np.lib.stride_tricks.sliding_window_view(samples, WINDOW_SAMPLES)[::HOP_SAMPLES] * _window()
    spectrum = np.fft.rfft(windows, FFT_SIZE, axis=1)
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
    return power @ mel_matrix()


def to_features(power: NDArray[np.float32]) -> Features:
    """Mel power of any shape -> decibels over FLOOR_DB, as a fraction of the whole range."""
    decibels = 10 * np.log10(np.maximum(power, 10 ** (FLOOR_DB / 10)))
    return (1 - decibels / FLOOR_DB).astype(np.float32)


class LogMel:
    """Log-mel features of a stream. Its whole state is the last 360 samples, all zero at the start.

    Column k ends with its hop: nothing later than the samples already given is used.
    """

    def __init__(self) -> None:
        self._past = np.zeros(WINDOW_SAMPLES - HOP_SAMPLES, np.float32)

    def __call__(self, samples: Samples) -> Features:
        """(n * HOP,), the next samples of the stream -> (n, MELS). Zeros give exact zeros."""
        if samples.ndim != 1 or len(samples) % HOP_SAMPLES:
            raise ValueError(
                f"got sound of shape {samples.shape}, expected one channel in multiples of {HOP_SAMPLES} samples"
            )
        sound = np.concatenate([self._past, np.nan_to_num(samples.astype(np.float32, copy=False))])
        self._past = sound[-(WINDOW_SAMPLES - HOP_SAMPLES) :]
        if not sound.any():
            return np.zeros((len(samples) // HOP_SAMPLES, MELS), np.float32)
        return to_features(mel_power(sound))

    def reset(self) -> None:
        """Forget the past samples."""
        self._past = np.zeros(WINDOW_SAMPLES - HOP_SAMPLES, np.float32)
