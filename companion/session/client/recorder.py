"""Has the session filmed for as long as its user agrees to it."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from av.error import FFmpegError

from animator.marks.credentials import Ingredient
from animator.units import from_pcm16
from companion.filming.films import Films, WithdrawnError
from companion.filming.log import Log
from companion.filming.shoot import Shoot
from companion.hearing.audio.resampling import Resampler
from companion.protocol import formats
from companion.protocol.events import ClientEvent, Error, InputAudioBufferAppend, Problem, ServerEvent
from companion.protocol.settings import Filming, Settings, SoundFormat
from companion.stages.protocols import SPEAK_RATE

log = logging.getLogger(__name__)

FAILED = "The recording ended: it cannot be written any more. What was recorded before is kept."
DELETED = "The recording ended, because it was deleted."


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is filmed: the session ``id``. ``clock`` gives its time, in samples; ``settings`` those that hold; ``user``
    whose conversation it is, or ""; ``keyframe`` asks for a picture that stands by itself; ``made_of`` as in `Shoot`;
    ``over`` is called when a recording has ended by itself."""

    id: str
    clock: Callable[[], int]
    settings: Callable[[], Settings]
    user: Callable[[], str]
    keyframe: Callable[[], None]
    made_of: Callable[[], list[Ingredient]]
    over: Callable[[], None]


class Recorder:
    """Films ``subject``. ``films`` None: this server keeps none."""

    def __init__(self, films: Films | None, subject: Subject) -> None:
        self._films, self._subject = films, subject
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
        subject = self._subject
        name = f"{subject.id}-{len(self._shoots) + 1}"
        self._shoots.append(Shoot(films, name, subject.clock, subject.user, subject.made_of))
        if log:
            self._shoots[-1].log = Log(subject.settings().to_json(subject.id))
        self._running = True
        subject.keyframe()
        self._spawn(self._run(self._shoots[-1]), "film")

    async def _run(self, shoot: Shoot) -> None:
        try:
            await shoot.run()
        except (OSError, FFmpegError) as error:
            log.error("session %s: a recording ended: %s", self._subject.id, error.strerror or type(error).__name__)
            problem = Problem("recording_failed", FAILED, "server_error", "session.recording")
            if isinstance(error, WithdrawnError):
                problem = Problem("recording_deleted", DELETED, param="session.recording")
            self._send(Error(problem))
            if self._running and shoot is self._shoots[-1]:
                self._running = False
                self._subject.over()

    async def _delete(self) -> None:
        if films := [task for task in self._tasks if task is not asyncio.current_task()]:
            await asyncio.wait(films)
        for shoot in self._shoots:
            await shoot.delete()

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """In a task that outlives those of the session: what was filmed has to be finished."""
        task = asyncio.create_task(work, name=f"{self._subject.id} {name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
