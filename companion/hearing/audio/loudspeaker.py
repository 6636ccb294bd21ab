"""What the face plays, aligned with what a microphone hears at the same time."""

import numpy as np

from companion.hearing.audio.echo import BLOCK
from companion.hearing.audio.resampling import Resampler
from companion.stages.protocols import HEAR_RATE, SPEAK_RATE, Samples

KEPT_SAMPLES = 3 * HEAR_RATE  # samples of what was played that are kept
EARLIEST_ECHO_S = 0.02  # s by which sending may be later than ever before; no echo comes back sooner
MOST_SLIP_S = 0.2  # s by which microphone and loudspeaker may drift apart before they are aligned again
SLIP_PATIENCE_S = 2.0  # s for which they must have drifted


class Loudspeaker:
    """What the face plays, in step with a microphone, though packets of both arrive late and in bursts."""

    def __init__(self) -> None:
        self._resample = Resampler(SPEAK_RATE)
        self._sent: int | None = None  # samples at SPEAK_RATE that are known
        self._sound: Samples = np.zeros(0, np.float32)  # the last of them, at HEAR_RATE
        self._end = 0  # how many there were, at HEAR_RATE
        self._ahead: float | None = None  # samples by which they are ahead of the microphone
        self._least, self._since = np.inf, 0.0  # the least of that, since this many samples of the microphone

    def play(self, clock: int, recent: Samples) -> None:
        """``clock`` samples were sent until now, the last of which are ``recent``."""
        fresh = min(clock, len(recent)) if self._sent is None else max(0, clock - self._sent)
        self._sent = clock
        sound = recent[max(0, len(recent) - fresh) :] if fresh else recent[:0]
        new = self._resample(np.concatenate([np.zeros(fresh - len(sound), np.float32), sound]))
        self._sound = np.concatenate([self._sound, new])[-KEPT_SAMPLES:]
        self._end += len(new)

    def beside(self, heard: int) -> Samples:
        """(BLOCK,): what was sent when the microphone had heard ``heard`` samples; silence where that is not known."""
        end = self._end - (heard + int(self._ahead or 0))
        block = self._sound[: len(self._sound) - end][-BLOCK:] if 0 <= end < len(self._sound) else self._sound[:0]
        return np.concatenate([np.zeros(BLOCK - len(block), np.float32), block])

    def align(self, heard: int) -> None:
        """``heard`` samples of the microphone have come by now. Neither side waits for the other: the two are aligned
        for the latest sending seen so far, plus `EARLIEST_ECHO_S`, since each change is another echo to learn."""
        ahead = float(self._end - heard)
        self._least = min(self._least, ahead)
        if self._ahead is None or ahead < self._ahead:
            self._ahead = ahead - EARLIEST_ECHO_S * HEAR_RATE
        elif heard - self._since > SLIP_PATIENCE_S * HEAR_RATE:
            if self._least - self._ahead > MOST_SLIP_S * HEAR_RATE:
                self._ahead = self._least - EARLIEST_ECHO_S * HEAR_RATE
            self._least, self._since = np.inf, heard
