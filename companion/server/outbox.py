"""The queue of events for one client, so that a slow client holds up nobody.

Waiting video frames are dropped when there are too many; audio and other events never are: a client that does not read
them for too long is disconnected.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable

from companion.protocol.events import ServerEvent, VideoDelta

MOST_FRAMES = 25  # video frames that may wait: a second of them
MOST_EVENTS = 4000  # events that may wait
PATIENCE = 10.0  # s that an event may wait


class Outbox:
    """`put` queues an event and never blocks; `messages` yields what to send, in order. ``dropped`` is called with the
    number of video frames dropped; after that no frame is queued before the next keyframe. ``stalled`` is set when the
    client is to be disconnected."""

    def __init__(self, dropped: Callable[[int], None] = lambda frames: None) -> None:
        self.dropped = dropped
        self._queue: deque[tuple[float, ServerEvent]] = deque()
        self._frames = 0
        self._broken = False  # frames were dropped: the next ones cannot be decoded until a keyframe comes
        self._ready = asyncio.Event()
        self.stalled = asyncio.Event()

    def put(self, event: ServerEvent) -> None:
        """Queue an event. Never blocks or raises; sets ``stalled`` when too many events wait, or one for too long."""
        now = asyncio.get_running_loop().time()
        if isinstance(event, VideoDelta) and not self._admit(event):
            return
        self._queue.append((now, event))
        self._ready.set()
        if len(self._queue) > MOST_EVENTS or now - self._queue[0][0] > PATIENCE:
            self.stalled.set()

    async def messages(self) -> AsyncIterator[ServerEvent]:
        """Yield the queued events in order, and wait for more; ends only when its task is cancelled."""
        while True:
            await self._ready.wait()
            event = self._queue.popleft()[1]
            self._frames -= isinstance(event, VideoDelta)
            if not self._queue:
                self._ready.clear()
            yield event

    def _admit(self, event: VideoDelta) -> bool:
        if self._frames >= MOST_FRAMES:
            self._queue = deque(entry for entry in self._queue if not isinstance(entry[1], VideoDelta))
            self._broken = True
            self.dropped(self._frames)
            self._frames = 0
            if not self._queue:
                self._ready.clear()
        if self._broken and not event.keyframe:
            self.dropped(1)
            return False
        self._broken = False
        self._frames += 1
        return True
