"""Sound on its way out: what waits while the face looks ahead, a listener's murmur, what has been heard, and how long
the face takes to be silent."""

from collections.abc import Callable

import numpy as np

from companion.stages.protocols import SPEAK_RATE, Samples

KEPT_SAMPLES = 3 * SPEAK_RATE  # samples of sent sound kept, to recognise it in the microphone
CLIENT_BUFFER_S = 0.15  # that a client is taken to buffer if it does not say
FRESH_S = 1.5  # for which a playback report holds


class LookAhead:
    """A delay line: a face needs to hear what comes before it shows what is."""

    def __init__(self) -> None:
        self._waiting: Samples = np.zeros(0, np.float32)

    def __len__(self) -> int:
        """Samples by which sound comes later."""
        return len(self._waiting)

    def push(self, sound: Samples) -> Samples:
        """The next (n,) -> those that are sent now, (n,)."""
        line = np.concatenate([self._waiting, sound])
        now, self._waiting = line[: len(sound)].copy(), line[len(sound) :]
        return now

    def mute(self) -> None:
        """What waits comes as silence."""
        self._waiting = np.zeros_like(self._waiting)

    def resize(self, delay: int) -> int:
        """From now on sound comes ``delay`` samples later -> by how much more than before. More of it begins with a
        pause; of less the oldest is lost."""
        before = len(self._waiting)
        longer = np.concatenate([np.zeros(max(0, delay - before), np.float32), self._waiting])
        self._waiting = longer[len(longer) - delay :]
        return delay - before


class Murmur:
    """A listener's "mm-hm", which takes no floor."""

    def __init__(self) -> None:
        self._left: Samples = np.zeros(0, np.float32)
        self._until = 0  # clock

    def begin(self, sound: Samples, clock: int) -> None:
        """Say it, (n,) at `SPEAK_RATE`, unless another one lasts."""
        if not self.lasts(clock):
            self._left = sound

    def stop(self) -> None:
        self._left, self._until = self._left[:0], 0

    def lasts(self, clock: int) -> bool:
        """Whether some of it is sent with the chunk at ``clock``."""
        return clock < self._until

    def take(self, n: int, sent_at: int) -> Samples | None:
        """The next ``n`` samples, which are sent from the clock ``sent_at`` on; None where nothing is left."""
        now, self._left = self._left[:n], self._left[n:]
        if not len(now):
            return None
        self._until = sent_at + n
        return np.pad(now, (0, n - len(now)))


class Playback:
    """How far a client is with its sound: by its own report, else by a guess. ``now`` gives seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._report: tuple[float, float] | None = None  # clock that was heard, and when that was said

    def report(self, played_ms: float) -> None:
        """The client is playing ``played_ms`` of the output clock now."""
        self._report = (played_ms * SPEAK_RATE / 1000, self._now())

    def heard(self, clock: int) -> int:
        """What of the output up to ``clock`` has been heard, as a clock."""
        if self._report is not None and (since := self._now() - self._report[1]) < FRESH_S:
            return int(min(clock, self._report[0] + since * SPEAK_RATE))
        return int(clock - CLIENT_BUFFER_S * SPEAK_RATE)

    def surely_heard(self, clock: int) -> int:
        """The same where the line may be dead: a client that reported, and does no more, hears no more either."""
        heard = self.heard(clock)
        return heard if self._report is None else int(min(heard, self._report[0] + FRESH_S * SPEAK_RATE))


class SilenceTimer:
    """From the first sound of who interrupts to the face's silence. ``observe`` gets the seconds."""

    def __init__(self, observe: Callable[[float], None]) -> None:
        self._observe = observe
        self._since: float | None = None

    def begin(self, since: float | None) -> None:
        """Somebody began to speak at ``since``, in s; None: nobody did."""
        self._since = since

    def end(self, now: float) -> None:
        """The face is silent."""
        if self._since is not None:
            self._observe(now - self._since)
            self._since = None
