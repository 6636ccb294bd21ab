"""Has the session filmed for as long as its user agrees to it."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from av.error import FFmpegError

from animator.marks.credentials import Ingredient
from animator.units import from_pcm16
from companion.filming.films import Films
from companion.filming.log import Log
from companion.filming.shoot import Shoot
from companion.hearing.audio.resampling import Resampler
from companion.protocol import formats
from companion.protocol.events import ClientEvent, Error, InputAudioBufferAppend, Problem, ServerEvent
from companion.protocol.settings import Filming, Settings, SoundFormat
from companion.stages.protocols import SPEAK_RATE

log = logging.getLogger(__name__)


class Recorder:
    """Of one ``session``. ``films`` None: this server keeps none. ``clock`` gives the session's, in samples;
    ``settings`` those that hold; ``keyframe`` asks for a picture that stands by itself; ``made_of`` as in `Shoot`."""

    def __init__(
        self,
        films: Films | None,
        session: str,
        clock: Callable[[], int],
        settings: Callable[[], Settings],
        keyframe: Callable[[], None],
        made_of: Callable[[], list[Ingredient]],
    ) -> None:
        self._films, self._session, self._clock = films, session, clock
        self._settings, self._keyframe, self._made_of = settings, keyframe, made_of
        self._shoots: list[Shoot] = []  # the last of them runs while `_running`
        self._running = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._heard: tuple[SoundFormat, Resampler] = SoundFormat(), Resampler(SPEAK_RATE, SPEAK_RATE)
        self._send: Callable[[ServerEvent], None]

    def agree(self, wish: Filming | None) -> None:
        """What the user wants from now on: to be filmed; no more (None); or, without consent, that nothing of this
        session is kept."""
        if self._films is None:
            return
        if wish and wish.consent and not self._running:
            self._begin(self._films, wish.log)
        elif not (wish and wish.consent) and self._running:
            self._running = False
            self._shoots[-1].stop()
        if wish and not wish.consent:
            self._spawn(self._delete(), "delete")

    def watching(self, send: Callable[[ServerEvent], None]) -> Callable[[ServerEvent], None]:
        """``send``, where what is sent is filmed."""
        self._send = send

        def sent(event: ServerEvent) -> None:
            if self._running:
                self._shoots[-1].note(event)
            send(event)

        return sent

    def received(self, event: ClientEvent, format: SoundFormat) -> None:
        """What the client sends; the sound of its microphone is in that format."""
        if not self._running:
            return
        if log := self._shoots[-1].log:
            log.got(event)
        if isinstance(event, InputAudioBufferAppend):
            self._hear(event.audio, format)

    def _hear(self, pcm: bytes, format: SoundFormat) -> None:
        if self._heard[0] != format:
            self._heard = format, Resampler(format.rate, SPEAK_RATE)
        linear = formats.linear(pcm, format)
        self._shoots[-1].hear(self._heard[1](from_pcm16(linear[: len(linear) // 2 * 2])))

    async def close(self) -> None:
        """The session is over: what was filmed is complete when this returns."""
        if self._running:
            self._running = False
            self._shoots[-1].stop()
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _begin(self, films: Films, log: bool) -> None:
        name = f"{self._session}-{len(self._shoots) + 1}"
        self._shoots.append(Shoot(films, name, self._clock, self._made_of))
        if log:
            self._shoots[-1].log = Log(self._settings().to_json(self._session))
        self._running = True
        self._keyframe()
        self._spawn(self._run(self._shoots[-1]), "film")

    async def _run(self, shoot: Shoot) -> None:
        try:
            await shoot.run()
        except (OSError, FFmpegError) as error:
            self._running = self._running and shoot is not self._shoots[-1]
            log.error("session %s: a recording ended: %s", self._session, error.strerror or type(error).__name__)
            message = "The recording ended: it cannot be written any more. What was recorded before is kept."
            self._send(Error(Problem("recording_failed", message, "server_error", "session.recording")))

    async def _delete(self) -> None:
        if films := [task for task in self._tasks if task is not asyncio.current_task()]:
            await asyncio.wait(films)
        for shoot in self._shoots:
            await shoot.delete()

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """In a task that outlives those of the session: what was filmed has to be finished."""
        task = asyncio.create_task(work, name=f"{self._session} {name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
