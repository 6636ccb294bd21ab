"""Records one conversation: events are ordered by their presentation times and written one second later."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from animator.marks.credentials import Ingredient
from animator.media.encoder import Packet
from animator.media.growing import Stretch
from animator.units import FPS, from_pcm16
from companion.filming.captions import Captions
from companion.filming.films import Film, Films
from companion.filming.log import Log
from companion.filming.soundtrack import Soundtrack
from companion.protocol.events import AudioDelta, ServerEvent, VideoDelta
from companion.stages.protocols import SPEAK_RATE, Samples, sample_at

EVERY_S = 0.5  # s between two writes
LATE = SPEAK_RATE  # samples of delay (1 s) within which everything for a time has arrived
JITTER = SPEAK_RATE // 4  # samples by which a packet of the microphone may come early or late without a gap
FILMED_CODEC = "h264"  # recorded as it is sent; with another codec only the audio is recorded


@dataclass(frozen=True, slots=True)
class _Picture:
    at: int  # presentation time, samples of the session's clock
    packet: Packet
    shape: tuple[int, int]


class Shoot:
    """Collects a session's events and writes them in `run`. Whenever the size of the face changes, a new file begins.

    ``clock`` returns the session's time, in samples at `SPEAK_RATE`; ``name`` is part of the file names; ``user``
    returns whose conversation it is now, or "".
    """

    def __init__(
        self,
        films: Films,
        name: str,
        clock: Callable[[], int],
        user: Callable[[], str],
        made_of: Callable[[], list[Ingredient]],
    ) -> None:
        """``made_of`` returns the ingredients of the face for the video's credentials; it may block."""
        self.log: Log | None = None  # of the events, if it is wanted
        self._films, self._name, self._clock, self._user_now, self._made_of = films, name, clock, user, made_of
        self._captions, self._noted = Captions(), 0
        self._face, self._user = Soundtrack(clock()), Soundtrack(clock())
        self._pictures: deque[_Picture] = deque()
        self._whole = False  # whether a keyframe has come, before which nothing can be decoded
        self._taken: list[Film] = []
        self._open: Film | None = None
        self._shape: tuple[int, int] | None = None
        self._start = self._last = 0  # sample at which the file begins; number of its last frame
        self._over = asyncio.Event()

    def note(self, event: ServerEvent) -> None:
        """Take an event that the session sends."""
        self._captions.note(event, self._clock() * 1000 / SPEAK_RATE)
        if self.log:
            self.log.sent(event)
        if isinstance(event, AudioDelta):
            self._face.put(sample_at(event.pts_ms), from_pcm16(event.delta))
        elif isinstance(event, VideoDelta) and event.codec == FILMED_CODEC:
            self._whole = self._whole or event.keyframe
            if self._whole:
                packet, shape = Packet(event.delta, event.keyframe), (event.width, event.height)
                self._pictures.append(_Picture(sample_at(event.pts_ms), packet, shape))

    def hear(self, sound: Samples) -> None:
        """Take the next audio of the user's microphone, (n,) float32 at `SPEAK_RATE`, which ends now."""
        at = self._clock() - len(sound)
        self._user.put(self._user.end if abs(self._user.end - at) < JITTER else at, sound)

    def stop(self) -> None:
        """End the recording with what has been collected."""
        self._over.set()

    async def run(self) -> None:
        """Write until `stop`, then finish the file, also after an error. Raises OSError and FFmpegError."""
        try:
            while not self._over.is_set():
                with suppress(TimeoutError):
                    async with asyncio.timeout(EVERY_S):
                        await self._over.wait()
                await self._write_until(self._clock() - (0 if self._over.is_set() else LATE))
        finally:
            await self._finish()

    async def delete(self) -> None:
        """Delete all files of the recording, when `run` is over. Raises OSError."""
        for film in self._taken:
            await self._films.device.run(film.delete)

    async def _write_until(self, clock: int) -> None:
        if clock <= self._face.taken:
            return
        if not self._taken:
            await self._begin(self._face.taken, self._pictures[0] if self._pictures else None)
        pictures: list[_Picture] = []
        while self._pictures and self._pictures[0].at < clock:
            pictures.append(self._pictures.popleft())
        while (cut := next((n for n, one in enumerate(pictures) if one.shape != self._shape), None)) is not None:
            await self._write(pictures[:cut], pictures[cut].at)
            await self._begin(pictures[cut].at, pictures[cut])
            pictures = pictures[cut:]
        await self._write(pictures, clock)

    async def _begin(self, start: int, picture: _Picture | None) -> None:
        await self._finish()
        name = f"{self._name}-{len(self._taken) + 1}"
        self._open = await self._films.device.run(self._films.begin, name, picture and picture.packet)
        self._taken.append(self._open)
        self._start, self._last, self._noted, self._shape = start, -1, 0, picture and picture.shape

    async def _write(self, pictures: list[_Picture], until: int) -> None:
        numbered: list[tuple[int, Packet]] = []
        for one in pictures:
            number = round((one.at - self._start) * FPS / SPEAK_RATE)
            if number > self._last:
                numbered.append((number, one.packet))
                self._last = number
        new, self._noted = len(self._captions.cues) > self._noted, len(self._captions.cues)
        captions = self._captions.text(self._start * 1000 / SPEAK_RATE) if new else None
        stretch = Stretch(numbered, (self._face.take(until), self._user.take(until)))
        if self._open:
            await self._films.device.run(self._open.write, stretch, captions)
            if (user := self._user_now()) and user not in self._open.users:
                await self._films.device.run(self._open.belong, user)
        if self.log and (lines := self.log.take()):
            await self._films.device.run(self._taken[0].log, lines)

    async def _finish(self) -> None:
        film, self._open = self._open, None
        if film:
            await self._films.device.run(self._films.finish, film, self._made_of)
