"""Lip sync: the lips that a network predicts from the sound are compared with those that were tracked.

The network (`sync.onnx`; its card lies beside it) takes log-mel and predicts how far a mouth opens and how wide it is.
It was trained on people who are not in the motion generator's data.
"""

from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from scipy import ndimage

from animator import onnx
from animator.evaluate.tracking.lip_figures import Figures
from animator.evaluate.tracking.track import Track
from animator.media.mel import HOP_SAMPLES, WINDOW_SAMPLES, mel_power, to_features
from animator.units import FPS, SAMPLES_PER_FRAME

Floats = NDArray[np.float32]

HOPS_PER_FRAME = 4
MARGIN_HOPS = 20, 21  # hops of sound that the network needs before and after the frames that it predicts
MOST_LAG = 10  # frames searched each way
_MODEL = Path(__file__).with_name("sync.onnx")
SLOW_FRAMES = 8  # frames; slower changes tell nothing about the offset
WIDTH_WEIGHT = 0.25  # how much the width counts beside the opening
LEAST_SPREAD = 1e-3  # sd of lips that do not move, in distances of the eyes


def sync_figures(track: Track, audio: Floats) -> Figures:
    """``sync`` and ``sync_width``: the correlations of opening and width with what the sound (mono at 24 kHz) lets
    expect; ``offset_ms``: the lag at which they match best, > 0 when the picture is late, None when the lips do not
    move."""
    mouth = lips(track)
    said = expected(audio, len(mouth))
    scores = by_lag(mouth, said)
    best = int(scores.argmax())
    return {
        "sync": correlation(mouth[:, 0], said[:, 0]),
        "sync_width": correlation(mouth[:, 1], said[:, 1]),
        "offset_ms": (best - MOST_LAG + _peak(scores, best)) * 1000 / FPS if mouth[:, 0].std() > LEAST_SPREAD else None,
    }


def lips(track: Track) -> Floats:
    """(frames, 2) float32 opening and width, resampled to `FPS`; frames without a face are interpolated."""
    times = (np.arange(int(len(track) * FPS / track.fps)) + 0.5) / FPS * track.fps - 0.5
    columns = []
    for values in (track.opening, track.width):
        seen = np.flatnonzero(~np.isnan(values))
        columns.append(np.interp(times, seen, values[seen]))
    return np.stack(columns, axis=1).astype(np.float32)


def expected(audio: Floats, frames: int) -> Floats:
    """(n,) mono at 24 kHz -> (frames, 2) float32: the opening and the width that the network predicts, in arbitrary
    units."""
    sound = np.zeros(WINDOW_SAMPLES - HOP_SAMPLES + frames * SAMPLES_PER_FRAME, np.float32)
    taken = audio[: frames * SAMPLES_PER_FRAME]
    sound[WINDOW_SAMPLES - HOP_SAMPLES : WINDOW_SAMPLES - HOP_SAMPLES + len(taken)] = taken
    window = heard(to_features(mel_power(sound)))
    return np.asarray(_session().run(None, {"features": window[None]})[0], np.float32)[0]


def heard(features: Floats) -> Floats:
    """(hops, MELS) log-mel of a clip -> the network's input (hops + 41, MELS): normalised in loudness, with
    `MARGIN_HOPS`."""
    level = np.percentile(features.mean(axis=1), 95)
    return np.pad((features - level).clip(-0.6, 0.5), (MARGIN_HOPS, (0, 0)), mode="edge").astype(np.float32)


def by_lag(mouth: Floats, said: Floats) -> NDArray[np.float64]:
    """(frames, 2) tracked and expected lips -> (2 LAGS + 1,) their match at every lag. It is not corrected for the
    smaller overlap at large lags."""
    frames = len(mouth)
    one, other = (values - ndimage.gaussian_filter1d(values, SLOW_FRAMES, axis=0) for values in (mouth, said))
    moving = mouth.std(axis=0) > LEAST_SPREAD
    scale = np.where(moving, frames * one.std(axis=0) * other.std(axis=0), np.inf)
    lags = range(-MOST_LAG, MOST_LAG + 1)
    pairs = [(one[lag:], other[: frames - lag]) if lag >= 0 else (one[:lag], other[-lag:]) for lag in lags]
    return np.array([((a * b).sum(axis=0) / scale) @ np.array([1.0, WIDTH_WEIGHT]) for a, b in pairs], np.float64)


def correlation(one: Floats, other: Floats) -> float:
    """The correlation of (n,) tracked and (n,) expected lips; 0 when the tracked ones do not move."""
    return float(np.corrcoef(one, other)[0, 1]) if len(one) > 2 and one.std() > LEAST_SPREAD else 0.0


def _peak(scores: NDArray[np.float64], best: int) -> float:
    """Where the parabola through a maximum and its neighbours is highest, relative to it in steps."""
    if not 0 < best < len(scores) - 1:
        return 0.0
    before, at, after = scores[best - 1 : best + 2]
    bend = before - 2 * at + after
    return float(0.5 * (before - after) / bend) if bend < 0 else 0.0


@cache
def _session() -> onnxruntime.InferenceSession:
    return onnx.session(_MODEL)
