"""How well lips go with a sound: with its loudness, in its pauses, and at its consonants."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from animator.evaluate.tracking.runs import runs_of
from animator.evaluate.tracking.track import Track
from animator.units import RATE

Floats = NDArray[np.float32]
Figures = dict[str, float | list[float] | None]
Phoneme = tuple[str, float, float]  # IPA, start and end in seconds

QUIET_DB = -35.0  # below the loud parts of the clip: a pause
PAUSE_SECONDS = 0.3
BILABIALS, LABIODENTALS = frozenset("pbmɓ"), frozenset("fvʋɱ")
CLOSED_GAP, TOUCHING_GAP = 0.02, 0.05  # opening, in distances of the eyes
WITHIN_SECONDS = 0.06
SHUT_PERCENTILE = 5  # of a clip's openings, at which the lips are shut


def loudness(audio: Floats, fps: float, frames: int) -> Floats:
    """(n,) mono at `RATE` -> (frames,) dB relative to the clip's 95th percentile, not under -60."""
    level = 10 * np.log10(_power(audio, fps, frames) + 1e-10)
    return np.clip(level - np.percentile(level, 95), -60, None).astype(np.float32)


def sound_figures(track: Track, audio: Floats) -> Figures:
    """How far the mouth follows the loudness of ``audio`` (mono at `RATE`), and how still it is in pauses (THEval,
    Quignon et al. 2025)."""
    opening, level = track.opening, loudness(audio, track.fps, len(track))
    quiet = runs_of(level < QUIET_DB, int(np.ceil(PAUSE_SECONDS * track.fps)))
    pauses = [opening[start:end] for start, end in quiet]
    resting = np.concatenate(pauses) if pauses else np.zeros(0, np.float32)
    return {
        "loudness_difference": _loudness_difference(track, audio, quiet),
        "pause_seconds": len(resting) / track.fps,
        "pause_opening": float(np.median(resting)) if len(resting) else None,
        "pause_mad": float(np.median(np.abs(resting - resting.mean()))) if len(resting) else None,
    }


def closures(opening: Floats, phonemes: Sequence[Phoneme], fps: float) -> Figures:
    """The shares of p, b, m at which the lips close, and of f, v at which they come near, within 60 ms; ``opening``
    (n,) in eye distances, ``fps`` a second.

    Trackers see the closed lips of some faces up to 0.02 apart, so the gap is measured from its smallest values.
    """
    opening = opening - min(float(np.percentile(opening, SHUT_PERCENTILE)), CLOSED_GAP)
    figures: Figures = {}
    for name, letters, limit in (("bilabials", BILABIALS, CLOSED_GAP), ("labiodentals", LABIODENTALS, TOUCHING_GAP)):
        times = [(start, end) for symbol, start, end in phonemes if letters & set(symbol)]
        met = [_lowest(opening, start, end, fps) < limit for start, end in times]
        figures |= {f"{name}": len(times), f"{name}_closed": float(np.mean(met)) if met else None}
    return figures


def _power(audio: Floats, fps: float, frames: int) -> NDArray[np.float64]:
    """(frames,) mean square of the sound during each frame."""
    edges = np.round(np.arange(frames + 1) * RATE / fps).astype(int)
    padded = np.zeros(max(int(edges[-1]), len(audio)), np.float64)
    padded[: len(audio)] = audio
    energy = np.concatenate([[0.0], np.cumsum(padded**2)])
    return (energy[edges[1:]] - energy[edges[:-1]]) / np.diff(edges)


def _loudness_difference(track: Track, audio: Floats, quiet: Sequence[tuple[int, int]]) -> float | None:
    """Mean difference of opening and amplitude, each from 0 to 1 over what is spoken."""
    spoken = np.ones(len(track), np.bool_)
    for start, end in quiet:
        spoken[start:end] = False
    if spoken.sum() < 2:
        return None
    amplitude = np.sqrt(_power(audio, track.fps, len(track)))
    return float(np.abs(_unit(track.opening[spoken]) - _unit(amplitude[spoken])).mean())


def _unit(values: NDArray[np.floating]) -> NDArray[np.float64]:
    low, high = float(values.min()), float(values.max())
    return (values.astype(np.float64) - low) / max(high - low, 1e-8)


def _lowest(opening: Floats, start: float, end: float, fps: float) -> float:
    """The smallest opening of the frames whose middle is within 60 ms of a time from ``start`` to ``end``."""
    first = int(np.ceil((start - WITHIN_SECONDS) * fps - 0.5))
    last = int(np.floor((end + WITHIN_SECONDS) * fps - 0.5))
    part = opening[max(0, first) : max(0, last) + 1]
    return float(part.min()) if len(part) else np.inf
