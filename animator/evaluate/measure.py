"""Figures of a track and its sound to compare with those of real people; all are pure functions of arrays."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, signal

from animator.evaluate.sync import sync_figures
from animator.evaluate.tracking.lip_figures import Figures, Phoneme, closures, loudness, sound_figures
from animator.evaluate.tracking.runs import runs_of
from animator.evaluate.tracking.track import Track

Floats = NDArray[np.float32]

SMOOTHING_FRAMES = 7  # frames
BANDS_HZ = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)
LEAST_SPECTRUM_SECONDS = 4.0  # of a clip that has a spectrum
# The axes of a spectrum, yaw and roll: lips that part are taken for a pitch of their own, in film as in what is drawn
_SPECTRUM_AXES = (0, 2)
PEOPLE_BANDS = (0.21, 0.25, 0.31, 0.18, 0.05)  # of people who talk
JUMP_SIGMAS = 6.0  # sigmas of the change from frame to frame
_LEAST_CHANGE = 1e-3  # of any unit, a frame
NEAR_SPEECH_SECONDS = 1.0  # without voice, after which a face counts as silent


def measure(
    track: Track, audio: Floats | None, phonemes: Sequence[Phoneme] = (), eyes: tuple[bool, bool] = (True, True)
) -> Figures:
    """All figures of one clip; those that need sound (mono at 24 kHz) or ``phonemes`` are left out without them, and
    those of blinks where neither of the ``eyes``, left and right of the subject, can be seen."""
    filled = _filled(track)
    figures: Figures = {
        "frames": len(track),
        "frames_without_face": int(np.isnan(track.opening).sum()),
        "mouth_jumps": jumps(filled.opening),
        "brow_dynamics": float(np.abs(np.diff(filled.brows, axis=0)).mean()) if len(track) > 1 else 0.0,
    }
    figures |= head_figures(filled.head, track.fps)
    if any(eyes):
        figures |= blink_figures(filled.lids[:, np.array(eyes)], track.fps)
    figures["pitch_lift"] = _pitch_lift(filled)
    if audio is not None and np.abs(audio).max(initial=0) > 1e-4:
        figures |= sync_figures(filled, audio) | sound_figures(filled, audio)
        figures |= _by_turn(filled, audio)
    if phonemes:
        figures |= closures(filled.opening, phonemes, track.fps)
    return figures


def head_figures(head: Floats, fps: float) -> Figures:
    """(n, 3) degrees -> change per frame, spread, spectrum of the angular velocity of yaw and roll (and its largest
    distance from `PEOPLE_BANDS`), and sudden jumps.

    The tracker's jitter is smoothed away first (Savitzky-Golay): so the spectrum is that of the motion which was
    rendered, up to about 5 Hz. It is that of the whole clip at once, since windows within it lose slow motion.
    """
    leaps = jumps(head)
    head = _smooth(head)
    change = np.diff(head, axis=0)
    figures: Figures = {"head_change": float(np.abs(change).mean()) if len(change) else 0.0}
    figures |= {f"sd_{name}": float(head[:, i].std()) for i, name in enumerate(("yaw", "pitch", "roll"))}
    figures["head_jumps"] = leaps
    if len(change) >= LEAST_SPECTRUM_SECONDS * fps:
        shares = _bands(change[:, _SPECTRUM_AXES], fps)
        figures["head_bands"] = [round(float(value), 3) for value in shares]
        figures["head_bands_off"] = bands_off(shares)
        figures["head_over_4_hz"] = float(shares[-1])
    return figures


def _bands(speed: Floats, fps: float) -> NDArray[np.float64]:
    """(n, axes) -> the shares of its power in each of `BANDS_HZ`."""
    hertz, power = signal.periodogram(speed, fps, axis=0)
    bands = np.array([power[(hertz >= low) & (hertz < high)].sum() for low, high in pairwise(BANDS_HZ)])
    return bands / max(float(bands.sum()), 1e-12)


def bands_off(shares: Sequence[float] | NDArray[np.float64]) -> float:
    """The largest distance of a spectrum's ``shares`` from `PEOPLE_BANDS`."""
    return float(np.abs(np.subtract(shares, PEOPLE_BANDS)).max())


def blink_figures(lids: Floats, fps: float) -> Figures:
    """(n, eyes) lid gaps -> rate, median length (time under half of the open gap), spread of the intervals, and how far
    lids shut: the median blink's share of the open gap, of which trackers see some half (VASA-1's is .56).
    """
    gap = lids.mean(axis=1)
    rest = ndimage.percentile_filter(gap, 80, size=max(3, int(2 * fps)))
    closed = gap < 0.55 * rest
    runs = [run for run in runs_of(closed, 1) if run[1] - run[0] < fps]
    starts = np.array([start for start, _ in runs])
    intervals = np.diff(starts) / fps
    return {
        "blinks_per_minute": 60 * len(runs) * fps / max(1, len(gap)),
        "blink_ms": float(np.median([end - start for start, end in runs]) * 1000 / fps) if runs else None,
        "blink_interval_log_sd": float(np.log(intervals).std()) if len(intervals) > 4 else None,
        "blink_depth": float(np.median([1 - (gap / rest)[start:end].min() for start, end in runs])) if runs else None,
        "lids_min": float((gap / rest).min()),
    }


def jumps(values: Floats) -> int:
    """(n,) or (n, k) -> number of steps over `JUMP_SIGMAS` sigmas (root mean square of what moves) whose neighbours are
    small."""
    change = np.linalg.norm(np.diff(values.reshape(len(values), -1), axis=0), axis=1)
    moving = change[change > _LEAST_CHANGE]
    if len(moving) < 8:
        return 0
    inner, around = change[1:-1], np.maximum(change[:-2], change[2:])
    return int(((inner > JUMP_SIGMAS * np.sqrt(np.mean(moving**2))) & (inner > 2 * around)).sum())


def seam_roughness(rows: Floats, window: int) -> float:
    """(n, channels) made ``window`` frames at a time -> bend of the motion where windows meet, over that between them.

    About 1 is no seam. Each channel counts by its own roughness; channels that never move do not.
    """
    bend = np.abs(np.diff(rows, 2, axis=0))
    usual = bend.mean(axis=0)
    relative = (bend[:, usual > 1e-6] / usual[usual > 1e-6]).mean(axis=1)
    # The bend at index i is between frames i, i + 1 and i + 2: a border before i + 1 or before i + 2 shows in it.
    frame = np.arange(len(bend))
    border = ((frame + 1) % window == 0) | ((frame + 2) % window == 0)
    if border.all() or not border.any():
        return 1.0
    return float(relative[border].mean() / max(float(relative[~border].mean()), 1e-9))


def _by_turn(track: Track, audio: Floats) -> Figures:
    """How much the head moves during speech, and away from it."""
    level = loudness(audio, track.fps, len(track))
    reach = int(NEAR_SPEECH_SECONDS * track.fps)
    near = np.asarray(ndimage.binary_dilation(level > -30, iterations=reach), np.bool_)
    change = np.abs(np.diff(_smooth(track.head), axis=0)).mean(axis=1)
    speaking, silent = change[near[1:]], change[~near[1:]]
    return {
        "head_change_speaking": float(speaking.mean()) if len(speaking) > track.fps else None,
        "head_change_silent": float(silent.mean()) if len(silent) > 2 * track.fps else None,
    }


def _pitch_lift(track: Track) -> float:
    """Correlation of pitch and height of the face: a head that looks down sinks."""
    pitch, lift = _smooth(track.head)[:, 1], track.lift
    return float(np.corrcoef(pitch, lift)[0, 1]) if min(pitch.std(), lift.std()) > 1e-6 else 0.0


def _smooth(head: Floats) -> Floats:
    return (
        np.asarray(signal.savgol_filter(head, SMOOTHING_FRAMES, 2, axis=0), np.float32)
        if len(head) >= SMOOTHING_FRAMES
        else head
    )


def _filled(track: Track) -> Track:
    """Frames without a face take the values of the nearest frames that have one."""

    def fill(values: Floats) -> Floats:
        columns = values.reshape(len(values), -1)
        seen = np.flatnonzero(~np.isnan(columns[:, 0]))
        every = np.arange(len(columns))
        return (
            np.stack([np.interp(every, seen, c[seen]) for c in columns.T], 1).reshape(values.shape).astype(np.float32)
        )

    parts = (track.opening, track.width, track.lids, track.brows, track.head, track.lift)
    return Track(track.fps, *map(fill, parts))
