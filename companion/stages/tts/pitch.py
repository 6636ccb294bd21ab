"""Another melody for speech that is already sound, by overlapping and adding its periods (TD-PSOLA).

For networks that do not let their pitch be set. The formants stay, so that the speaker does.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from animator.motion.voice.intonation import VOICED_PERIODICITY, pitches
from companion.stages.protocols import SPEAK_RATE, Samples

FRAME_S = 0.005  # s, of the pitch contour
HOP, WINDOW = round(FRAME_S * SPEAK_RATE), 960  # samples; two periods of the lowest pitch are in a window
AUDIBLE = 0.03  # of the loudest frame's RMS, under which there is no voice
UNVOICED_STEP = 120  # samples between the marks of what has no period
LEAST, MOST = 0.6, 1.8  # factors between which a pitch can be moved without a hoarse or a thin voice
SMOOTHED = 5  # frames, of the pitch: single ones are errors

Contour = NDArray[np.float32]


def melody(audio: Samples) -> tuple[Contour, NDArray[np.float32]]:
    """(n,) at `SPEAK_RATE` -> two contours (frames,) of one frame in `FRAME_S`: the pitch in Hz, 0 where there is no
    voice, and the loudness (RMS)."""
    padded = np.pad(audio, WINDOW // 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    loudness = np.sqrt(np.mean(windows**2, axis=1))
    hertz, periodic = pitches(windows, SPEAK_RATE)
    voiced = (periodic > VOICED_PERIODICITY) & (loudness > AUDIBLE * loudness.max(initial=0.0))
    near = np.pad(hertz, SMOOTHED // 2, mode="edge")
    smooth = np.median(np.lib.stride_tricks.sliding_window_view(near, SMOOTHED), axis=1)
    return np.where(voiced, smooth, 0.0).astype(np.float32), loudness.astype(np.float32)


def moved(audio: Samples, bend: Callable[[Contour, NDArray[np.float32]], Contour]) -> Samples:
    """(n,) at `SPEAK_RATE` -> (n,) with the pitch contour that ``bend`` makes of its pitch and loudness."""
    if not len(audio):
        return audio
    hertz, loudness = melody(audio)
    if not np.any(hertz):
        return audio
    wanted = bend(hertz, loudness)
    ratio = np.where(hertz > 0, np.clip(wanted / np.maximum(hertz, 1.0), LEAST, MOST), 1.0)
    if np.allclose(ratio, 1.0, atol=0.01):
        return audio
    marks, periods = _marks(audio, hertz)
    return _rebuilt(audio, marks, periods, ratio)


def _marks(audio: Samples, hertz: Contour) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """One sample of each period, its highest, and how long the period is."""
    marks, periods, at = [0], [UNVOICED_STEP], 0
    while at < len(audio):
        pitch = hertz[min(at // HOP, len(hertz) - 1)]
        period = round(SPEAK_RATE / pitch) if pitch else UNVOICED_STEP
        following = at + period
        if pitch and following + period // 4 < len(audio):
            first = max(at + 1, following - period // 4)
            following = first + int(np.argmax(audio[first : following + period // 4 + 1]))
        marks.append(following)
        periods.append(period)
        at = following
    return np.asarray(marks), np.asarray(periods)


def _rebuilt(
    audio: Samples, marks: NDArray[np.int64], periods: NDArray[np.int64], ratio: NDArray[np.floating]
) -> Samples:
    longest = int(periods.max())
    padded = np.pad(audio, longest)
    out, weight = np.zeros(len(padded) + longest), np.zeros(len(padded) + longest)
    at = 0.0
    while at < len(audio):
        nearest = int(np.searchsorted(marks, at))
        if nearest and (nearest == len(marks) or at - marks[nearest - 1] < marks[nearest] - at):
            nearest -= 1
        period, mark = int(periods[nearest]), min(int(marks[nearest]), len(audio) - 1)
        window = np.hanning(2 * period + 1)
        grain = padded[mark + longest - period : mark + longest + period + 1]
        start = round(at) + longest - period
        out[start : start + len(grain)] += grain * window[: len(grain)]
        weight[start : start + len(grain)] += window[: len(grain)]
        at += period / float(ratio[min(round(at) // HOP, len(ratio) - 1)])
    whole = out[longest : longest + len(audio)] / np.maximum(weight[longest : longest + len(audio)], 0.2)
    return whole.astype(np.float32)
