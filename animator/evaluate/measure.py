"""From a track and its sound to figures that can be compared with real people (all pure functions of arrays)."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, signal

from animator.evaluate.track import Track
from animator.face import RATE

Floats = NDArray[np.float32]
Figures = dict[str, float | list[float] | None]

LAGS = 8  # frames searched for the best match of lips and sound, each way
QUIET_DB = -35.0  # below the loud parts of the clip: a pause
PAUSE_SECONDS = 0.3
SMOOTH = 7  # frames
BANDS_HZ = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)


def loudness(audio: Floats, fps: float, frames: int) -> Floats:
    """(n,) mono at `RATE` -> (frames,) dB relative to the clip's 95th percentile, not under -60."""
    edges = np.round(np.arange(frames + 1) * RATE / fps).astype(int)
    padded = np.zeros(max(int(edges[-1]), len(audio)), np.float64)
    padded[: len(audio)] = audio
    energy = np.concatenate([[0.0], np.cumsum(padded**2)])
    level = 10 * np.log10((energy[edges[1:]] - energy[edges[:-1]]) / np.diff(edges) + 1e-10)
    return np.clip(level - np.percentile(level, 95), -60, None).astype(np.float32)


def measure(track: Track, audio: Floats | None) -> Figures:
    """All figures of one clip; those that need sound are left out without it."""
    filled = _filled(track)
    figures: Figures = {
        "frames": len(track),
        "frames_without_face": int(np.isnan(track.opening).sum()),
        "opening_mean": float(filled.opening.mean()),
        "opening_p95": float(np.percentile(filled.opening, 95)),
        "brow_sd": float(filled.brows.std()),
    }
    figures |= head_figures(filled.head, track.fps) | blink_figures(filled.lids, track.fps)
    if audio is not None and np.abs(audio).max(initial=0) > 1e-4:
        figures |= sound_figures(filled.opening, loudness(audio, track.fps, len(track)), track.fps)
    return figures


def sound_figures(opening: Floats, level: Floats, fps: float) -> Figures:
    """How the mouth follows the loudness. ``lag_frames`` > 0: the picture is later than the sound."""
    smooth = np.asarray(ndimage.gaussian_filter1d(np.clip(level, -45, None), 1.0), np.float32)
    by_lag = {lag: _correlation(opening, smooth, lag) for lag in range(-LAGS, LAGS + 1)}
    best = max(by_lag, key=lambda lag: by_lag[lag])
    normal = [_unit(opening), _unit(smooth)]
    quiet = _long_runs(level < QUIET_DB, int(np.ceil(PAUSE_SECONDS * fps)))
    pauses = [opening[start:end] for start, end in quiet]
    return {
        "correlation": by_lag[0],
        "correlation_best": by_lag[best],
        "lag_frames": best,
        "loudness_difference": float(np.abs(normal[0] - normal[1]).mean()),
        "pause_seconds": sum(map(len, pauses)) / fps,
        "pause_opening": float(np.median(np.concatenate(pauses))) if pauses else None,
        "pause_mad": float(np.mean([np.abs(part - np.median(part)).mean() for part in pauses])) if pauses else None,
    }


def head_figures(head: Floats, fps: float) -> Figures:
    """(n, 3) degrees -> change per frame, spread, spectrum of the angular velocity, and sudden jumps.

    The tracker's jitter, strongest in pitch while the mouth moves, is smoothed away first (Savitzky-Golay): so the
    spectrum is that of the motion which was rendered, up to about 5 Hz.
    """
    jumps = np.abs(np.diff(head, axis=0))
    limit = np.maximum(6 * 1.4826 * np.median(jumps, axis=0), 1.0) if len(jumps) else 1.0
    if len(head) >= SMOOTH:
        head = np.asarray(signal.savgol_filter(head, SMOOTH, 2, axis=0), np.float32)
    change = np.diff(head, axis=0)
    figures: Figures = {"head_change": float(np.abs(change).mean()) if len(change) else 0.0}
    figures |= {f"sd_{name}": float(head[:, i].std()) for i, name in enumerate(("yaw", "pitch", "roll"))}
    figures["head_jumps"] = int((jumps > limit).any(axis=1).sum())
    if len(change) >= 4 * fps:
        hertz, power = signal.welch(change, fps, nperseg=int(4 * fps), axis=0)
        bands = np.array([power[(hertz >= low) & (hertz < high)].sum() for low, high in pairwise(BANDS_HZ)])
        figures["head_bands"] = [round(float(value), 3) for value in bands / max(float(bands.sum()), 1e-12)]
    return figures


def blink_figures(lids: Floats, fps: float) -> Figures:
    """(n, 2) lid gaps -> rate, median length (time under half of the open gap), spread of the intervals."""
    gap = lids.mean(axis=1)
    rest = ndimage.percentile_filter(gap, 80, size=max(3, int(2 * fps)))
    closed = gap < 0.55 * rest
    runs = [run for run in _long_runs(closed, 1) if run[1] - run[0] < fps]
    starts = np.array([start for start, _ in runs])
    intervals = np.diff(starts) / fps
    return {
        "blinks_per_minute": 60 * len(runs) * fps / max(1, len(gap)),
        "blink_ms": float(np.median([end - start for start, end in runs]) * 1000 / fps) if runs else None,
        "blink_interval_log_sd": float(np.log(intervals).std()) if len(intervals) > 4 else None,
        "lids_min": float((gap / rest).min()),
    }


def psnr(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio in dB of two pictures of one shape; 99 when they are equal."""
    error = float(np.mean((one.astype(np.float64) - other) ** 2))
    return min(99.0, 10 * float(np.log10(255**2 / max(error, 1e-12))))


def _filled(track: Track) -> Track:
    """Frames without a face take the values of the nearest frames that have one."""

    def fill(values: Floats) -> Floats:
        columns = values.reshape(len(values), -1)
        seen = np.flatnonzero(~np.isnan(columns[:, 0]))
        every = np.arange(len(columns))
        return (
            np.stack([np.interp(every, seen, c[seen]) for c in columns.T], 1).reshape(values.shape).astype(np.float32)
        )

    parts = (track.opening, track.lids, track.brows, track.head)
    return Track(track.fps, *map(fill, parts))


def _correlation(one: Floats, other: Floats, lag: int) -> float:
    """Of ``one`` with ``other`` as it was ``lag`` frames before; 0 if one of them is constant."""
    a, b = (one[lag:], other[: len(other) - lag]) if lag >= 0 else (one[:lag], other[-lag:])
    if len(a) < 3 or a.std() < 1e-6 or b.std() < 1e-6:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def _unit(values: Floats) -> Floats:
    low, high = np.percentile(values, [2, 98])
    return np.clip((values - low) / max(float(high - low), 1e-6), 0, 1).astype(np.float32)


def _long_runs(mask: NDArray[np.bool_], shortest: int) -> list[tuple[int, int]]:
    """(start, end) of every stretch of True that is at least ``shortest`` long."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2) if end - start >= shortest]
