"""What sounds next: who speaks, silence while the speaker pauses, or else a listener's murmur."""

from dataclasses import dataclass

import numpy as np

from companion.avatar.buffers import LookAhead, Murmur
from companion.avatar.delivery import Delivery, Phase
from companion.speech.playout import Mouth, Taken
from companion.stages.protocols import Samples


@dataclass(frozen=True, slots=True)
class Sounding:
    """The sound of one chunk: ``audio`` (n,) is what the face hears, ``sent`` (n,) what goes out with it, which the
    speaker owns from ``first`` to ``last``; nobody, if they are equal."""

    audio: Samples
    sent: Samples
    first: int = 0
    last: int = 0


@dataclass(frozen=True, slots=True)
class Source:
    """One session's. ``ahead`` is what waits while the face looks ahead."""

    mouth: Mouth
    delivery: Delivery
    ahead: LookAhead
    murmur: Murmur

    def chunk(self, clock: int, n: int) -> Sounding:
        """The ``n`` samples at ``clock``."""
        if self.delivery.phase is Phase.PAUSED:
            # All that the speaker still has to say is delayed by as much; what waits ahead stays where it is.
            self.delivery.wait(clock, n)
            return Sounding(np.zeros(n, np.float32), np.zeros(n, np.float32))
        pauses = self.delivery.phase is Phase.PAUSING
        audio = self._take(clock, n).audio
        sent = self.delivery.faded(self.ahead.push(audio), clock)
        shown = np.zeros_like(audio) if pauses else audio  # or the mouth would open again after what is looked ahead
        return Sounding(shown, sent, *self.delivery.span(clock, n, self.mouth.ends_at))

    def _take(self, clock: int, n: int) -> Taken:
        """The next sound of who speaks, or else of who listens."""
        taken = self.mouth.take(n)
        if (murmur := self.murmur.take(n, clock + len(self.ahead))) is not None:
            return Taken(murmur, ())
        if self.delivery.phase is Phase.WAITING and self.mouth.taken:
            self.delivery.start(clock + len(self.ahead))
        self.delivery.add(taken.cues)
        return taken
