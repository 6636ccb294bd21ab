"""The outbox of one client. A slow client holds up nobody: video is dropped, oldest first; sound and events never are,
and a client that takes none of them for too long is disconnected."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable

from companion.protocol.events import ServerEvent, VideoDelta

MOST_FRAMES = 25  # a second
MOST_EVENTS = 4000
PATIENCE = 10.0  # s that a message may wait


class Outbox:
    """`put` never blocks; `messages` yields what to send, in order. ``dropped`` is called with the number of video
    frames that were lost; the next one that can be sent is a keyframe."""

    def __init__(self, dropped: Callable[[int], None] = lambda frames: None) -> None:
        self.dropped = dropped
        self._queue: deque[tuple[float, ServerEvent]] = deque()
        self._frames = 0
        self._broken = False  # frames are missing: what follows cannot be decoded before a keyframe
        self._ready = asyncio.Event()
        self.stalled = asyncio.Event()

    def put(self, event: ServerEvent) -> None:
        """Never blocks, never fails; sets `stalled` when the client is to be disconnected."""
        now = asyncio.get_running_loop().time()
        if isinstance(event, VideoDelta) and not self._admit(event):
            return
        self._queue.append((now, event))
        self._ready.set()
        if len(self._queue) > MOST_EVENTS or now - self._queue[0][0] > PATIENCE:
            self.stalled.set()

    async def messages(self) -> AsyncIterator[ServerEvent]:
        """Every message that is put, until the outbox is closed."""
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
