"""Paces the processing of a client's messages, so that nobody else waits for them, however many come at a time."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from companion.protocol.events import ClientEvent, InputAudioBufferAppend

SLICE_BYTES = 4800  # bytes that are heard at a time: 0.1 s at 24 kHz, some ms of work
MOST_AHEAD_S = 2.0  # s by which sound may be ahead of the clock before other sessions' work comes first
REST_SHARE = 3.0  # the server does other things for this many times as long as it works for such a client
BURST_S = 0.1  # s of work for messages without sound that are done at once


def slices(event: ClientEvent) -> Iterator[ClientEvent]:
    """The same sound in pieces; anything else as it is. What is no PCM16 stays whole, to be refused."""
    if not isinstance(event, InputAudioBufferAppend) or len(event.audio) <= 2 * SLICE_BYTES or len(event.audio) % 2:
        yield event
        return
    for first in range(0, len(event.audio), SLICE_BYTES):
        yield replace(event, audio=event.audio[first : first + SLICE_BYTES])


class Pace:
    """How far one client is ahead of the ``clock``, in seconds: with its sound, and with the work of its other
    messages, for which it gets its share of the server's time."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ahead, self._work, self._at = 0.0, 0.0, clock()

    def rest(self, heard: float, worked: float) -> float:
        """A message took ``worked`` s to process, with ``heard`` s of sound in it -> s to wait before more is taken."""
        now = self._clock()
        passed, self._at = now - self._at, now
        self._ahead = max(0.0, self._ahead - passed) + heard
        self._work = max(0.0, self._work - passed / (1 + REST_SHARE))
        if heard:
            return REST_SHARE * worked if self._ahead > MOST_AHEAD_S else 0.0
        self._work += worked
        return max(0.0, self._work - BURST_S) * (1 + REST_SHARE)
