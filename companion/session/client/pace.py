"""A client's sound, taken so that nobody else waits for it, however much of it comes at a time."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from companion.protocol.events import ClientEvent, InputAudioBufferAppend

SLICE = 4800  # bytes that are heard at a time: 0.1 s at 24 kHz, some ms of work
AHEAD = 2.0  # s by which sound may be ahead of the clock: of more, the others' work comes first
REST = 3.0  # times as long as it works for such a client the server does other things


def slices(event: ClientEvent) -> Iterator[ClientEvent]:
    """The same sound in pieces; anything else as it is. What is no PCM16 stays whole, to be refused."""
    if not isinstance(event, InputAudioBufferAppend) or len(event.audio) <= 2 * SLICE or len(event.audio) % 2:
        yield event
        return
    for first in range(0, len(event.audio), SLICE):
        yield replace(event, audio=event.audio[first : first + SLICE])


class Pace:
    """How far ahead of the ``clock``, in seconds, one client's sound is."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ahead, self._at = 0.0, clock()

    def rest(self, heard: float, worked: float) -> float:
        """Another ``heard`` s of sound came and took ``worked`` s to process -> s to wait before more is taken."""
        now = self._clock()
        self._ahead = max(0.0, self._ahead - (now - self._at)) + heard
        self._at = now
        return REST * worked if self._ahead > AHEAD else 0.0
