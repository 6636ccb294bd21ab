"""The tone of a speaker, compared with how the same person has sounded so far: livelier, or lower and flatter.

It is taken from the pitch of the voiced parts of loud speech, and from loudness. An angry voice may be either; only the
words can tell.
"""

import numpy as np
from numpy.typing import NDArray

from animator.motion.voice.intonation import VOICED_PERIODICITY, pitches
from companion.stages.protocols import HEAR_RATE, Samples

WINDOW, HOP = 640, 480  # samples, 40 and 30 ms
SPEECH_RANGE_DB = 25.0  # dB under the loudest window, still speech
LEAST_WINDOWS = 30  # voiced windows, 0.9 s, without which nothing is told: single words rise and fall as they like
LONGEST_TONE = 6.0  # s of the end of an utterance that are listened to
LEARNING_UTTERANCES = 2  # utterances after which somebody's usual voice is known
LEARNING_RATE = 0.2  # share of a new utterance in the usual voice
LIVELY_SEMITONES = 2.0  # semitones above the usual that make a voice as lively
LIVELY_DB = 8.0  # dB that do
MARKED_CHANGE = 1.4  # of these, from which on a voice is out of its usual

Voice = NDArray[np.float64]  # (2,): pitch in semitones, loudness in dB


def voice(audio: Samples) -> Voice | None:
    """(n,) at `HEAR_RATE` -> how it sounds; None where too little of it is voiced."""
    audio = audio[-int(LONGEST_TONE * HEAR_RATE) :]
    if len(audio) < WINDOW:
        return None
    frames = np.lib.stride_tricks.sliding_window_view(audio, WINDOW)[::HOP]
    power = 10 * np.log10(np.mean((frames * np.hanning(WINDOW)) ** 2, axis=1) + 1e-10)
    hertz, periodic = pitches(frames, HEAR_RATE)
    spoken = power > power.max() - SPEECH_RANGE_DB
    voiced = spoken & (periodic > VOICED_PERIODICITY)
    if np.count_nonzero(voiced) < LEAST_WINDOWS:
        return None
    pitch = 12 * np.log2(hertz[voiced] / 100)
    # The middle and the peaks: a lively voice rises in both, and octave errors move only one of them.
    return np.array([0.5 * (np.median(pitch) + np.percentile(pitch, 90)), np.median(power[spoken])])


class Tone:
    """One speaker's usual voice, learned from everything that was heard."""

    def __init__(self) -> None:
        self._usual: Voice | None = None
        self._heard = 0

    def hear(self, audio: Samples) -> float:
        """The next utterance -> above 0 livelier than usual, below lower and flatter; 0 if as usual or not known yet.
        Between -1 and 1. Takes 5 ms."""
        now = voice(audio)
        if now is None:
            return 0.0
        usual, known = self._usual, self._heard >= LEARNING_UTTERANCES
        weight = max(LEARNING_RATE, 1 / (self._heard + 1))
        self._usual = now if usual is None else usual + weight * (now - usual)
        self._heard += 1
        if usual is None or not known:
            return 0.0
        shift = float(np.sum((now - usual) / (LIVELY_SEMITONES, LIVELY_DB)))
        return float(np.clip(shift / (2 * MARKED_CHANGE), -1.0, 1.0)) if abs(shift) >= MARKED_CHANGE else 0.0
