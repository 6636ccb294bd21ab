"""Buffers of outgoing sound: the look-ahead of the face, a listener's murmur, the client's playback position, and a
timer for how soon the face falls silent."""

from collections.abc import Callable

import numpy as np

from companion.stages.protocols import SPEAK_RATE, Samples

KEPT_SAMPLES = 3 * SPEAK_RATE  # samples of sent sound kept, to recognise it in the microphone
CLIENT_BUFFER_S = 0.15  # s that a client is assumed to buffer if it does not report
FRESH_S = 1.5  # s for which a playback report is valid


class LookAhead:
    """A delay line: a face must hear sound before it can show it."""

    def __init__(self) -> None:
        self._waiting: Samples = np.zeros(0, np.float32)

    def __len__(self) -> int:
        """The delay in samples."""
        return len(self._waiting)

    def push(self, sound: Samples) -> Samples:
        """Put in the next (n,) samples -> the (n,) that are sent now."""
        line = np.concatenate([self._waiting, sound])
        now, self._waiting = line[: len(sound)].copy(), line[len(sound) :]
        return now

    def mute(self) -> None:
        """Replace what is in the delay line by silence."""
        self._waiting = np.zeros_like(self._waiting)

    def resize(self, delay: int) -> int:
        """Set the delay to ``delay`` samples -> by how much it grew. A longer delay starts with a pause; a shorter one
        loses the oldest samples."""
        before = len(self._waiting)
        longer = np.concatenate([np.zeros(max(0, delay - before), np.float32), self._waiting])
        self._waiting = longer[len(longer) - delay :]
        return delay - before


class Murmur:
    """A listener's "mm-hm": a backchannel, which does not take the floor."""

    def __init__(self) -> None:
        self._left: Samples = np.zeros(0, np.float32)
        self._until = 0  # clock

    def begin(self, sound: Samples, clock: int) -> None:
        """Start the murmur (n,) at `SPEAK_RATE`, unless another one is still being sent."""
        if not self.lasts(clock):
            self._left = sound

    def stop(self) -> None:
        self._left, self._until = self._left[:0], 0

    def lasts(self, clock: int) -> bool:
        """Whether part of a murmur is sent with the chunk at ``clock``."""
        return clock < self._until

    def take(self, n: int, sent_at: int) -> Samples | None:
        """The next ``n`` samples, which will be sent from ``sent_at`` on; None if nothing is left."""
        now, self._left = self._left[:n], self._left[n:]
        if not len(now):
            return None
        self._until = sent_at + n
        return np.pad(now, (0, n - len(now)))


class Playback:
    """The playback position of a client: as it reports it, otherwise estimated. ``now`` gives seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._report: tuple[float, float] | None = None  # clock that was heard, and when that was said

    def report(self, played_ms: float) -> None:
        """The client is now playing ``played_ms`` of the output clock."""
        self._report = (played_ms * SPEAK_RATE / 1000, self._now())

    def heard(self, clock: int) -> int:
        """How much of the output sent up to ``clock`` has been heard, as a clock."""
        if self._report is not None and (since := self._now() - self._report[1]) < FRESH_S:
            return int(min(clock, self._report[0] + since * SPEAK_RATE))
        return int(clock - CLIENT_BUFFER_S * SPEAK_RATE)

    def surely_heard(self, clock: int) -> int:
        """The same for a connection that may be dead: a client that has stopped reporting is taken to have stopped
        playing."""
        heard = self.heard(clock)
        return heard if self._report is None else int(min(heard, self._report[0] + FRESH_S * SPEAK_RATE))


class SilenceTimer:
    """Measures how long the face takes to fall silent after the user begins to interrupt. ``observe`` gets the
    seconds."""

    def __init__(self, observe: Callable[[float], None]) -> None:
        self._observe = observe
        self._since: float | None = None

    def begin(self, since: float | None) -> None:
        """The user began to speak at ``since``, in s; None cancels the measurement."""
        self._since = since

    def end(self, now: float) -> None:
        """The face is silent now."""
        if self._since is not None:
            self._observe(now - self._since)
            self._since = None
