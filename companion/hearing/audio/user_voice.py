"""The user's voice as the face hears it."""

import math

import numpy as np

from companion.hearing.audio.resampling import Resampler
from companion.stages.protocols import HEAR_RATE, SPEAK_RATE, Samples

SPEECH_PROBABILITY = 0.35  # probability of speech from which a window is heard by the face
SLACK_S = 0.2  # s of it that may wait beyond what the face takes at a time: packets are as long as that
LOUD_RMS, QUIET_RMS = 0.25, 0.02  # RMS of loud syllables as the face hears them; those of the quietest microphone
PEAK_DECAY = 0.995  # of the power of the loudest syllable, a window


class UserVoice:
    """What the face hears of the user: the newest of the voice and nothing else, in step with the chunks that are
    drawn, and at the level of a normal voice, however quiet the microphone.

    Sound that arrives in bursts waits for a chunk or two; of sound that arrives faster than real time the oldest is
    dropped, and missing sound is silence.
    """

    def __init__(self) -> None:
        self._resample = Resampler(HEAR_RATE, SPEAK_RATE)
        self._waiting: Samples = np.zeros(0, np.float32)  # at HEAR_RATE
        self._short = False  # there was less than a chunk when the last one was taken
        self._power = QUIET_RMS**2  # of the loudest syllables

    def put(self, window: Samples, speech: float) -> None:
        """The next window at `HEAR_RATE`, which is the user's ``speech`` with that probability."""
        if speech < SPEECH_PROBABILITY:
            heard = np.zeros_like(window)
        else:
            self._power = max(float(np.mean(window**2)), QUIET_RMS**2, PEAK_DECAY * self._power)
            heard = window * np.float32(LOUD_RMS / math.sqrt(self._power))
        self._waiting = np.concatenate([self._waiting, heard])[-HEAR_RATE:]

    def take(self, n: int) -> Samples:
        """The next (n,) at `SPEAK_RATE`. Less than a whole chunk waits for the rest, once."""
        size = n * HEAR_RATE // SPEAK_RATE
        self._waiting = self._waiting[-(size + round(SLACK_S * HEAR_RATE)) :]
        short, self._short = self._short, len(self._waiting) < size
        if self._short and not short:
            return np.zeros(n, np.float32)
        chunk, self._waiting = self._waiting[:size], self._waiting[size:]
        return self._resample(np.concatenate([chunk, np.zeros(size - len(chunk), np.float32)]))
