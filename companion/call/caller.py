"""A caller: a simulated user who talks to a session by playing sound files in real time, and records it. `call` opens a
session in this process."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np

from companion.call.recording import AUDIBLE_LEVEL, Recording, Turn
from companion.hearing.audio.resampling import Resampler
from companion.protocol import events
from companion.protocol.events import ServerEvent
from companion.session.session import Session
from companion.stages.protocols import HEAR_RATE, SPEAK_RATE, VAD, VAD_WINDOW, Samples

BLOCK_SAMPLES = SPEAK_RATE // 50  # samples of one message from the microphone, 20 ms
BEFORE_S = 1.0  # s in which the face is seen idle before the first question
SOUNDING_S = 0.1  # s since the last audible sample, beyond which the face counts as pausing
AFTER_S = 1.0  # s in which it is seen after each answer
TALKING_S = 0.8  # s for which the face speaks at least before it is interrupted
TO_SAY = 0.6  # s for which it must be about to go on without a pause then
DEAF_S = 0.064  # s of speech that cannot be told from a click: a face that is silent by then has paused by itself
QUIET_S = 4.0  # s without a sign of work after which nothing more will come
PATIENCE_S = 120.0  # s

Opens = Callable[[Callable[[ServerEvent], None], str], Session]  # what takes the session's events, and a persona


class TalkError(Exception):
    """The conversation could not be held; the message says why, and so does the session's ``code`` where it gave
    one."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


@dataclass(slots=True)
class Microphone:
    """The user's microphone: silence, and what `play` puts into it, in blocks paced by the clock, each passed to
    ``send``."""

    send: Callable[[events.ClientEvent], object]
    waiting: Samples = field(default_factory=lambda: np.zeros(0, np.float32))
    due: float = 0.0  # when the next block is complete, on the loop's clock

    def play(self, audio: Samples) -> float:
        """(n,) at `SPEAK_RATE` -> the time at which its first sample is heard."""
        self.waiting = audio
        return self.due - BLOCK_SAMPLES / SPEAK_RATE

    async def run(self) -> None:
        """Run until cancelled."""
        loop = asyncio.get_running_loop()
        self.due = loop.time()
        while True:
            self.due += BLOCK_SAMPLES / SPEAK_RATE
            await asyncio.sleep(max(0.0, self.due - loop.time()))
            block, self.waiting = self.waiting[:BLOCK_SAMPLES], self.waiting[BLOCK_SAMPLES:]
            pcm = np.zeros(BLOCK_SAMPLES, "<i2")
            pcm[: len(block)] = np.round(block * 32767)
            self.send(events.InputAudioBufferAppend(pcm.tobytes()))


@dataclass(frozen=True, slots=True)
class Caller:
    """From `call` and `dial`. What the session sends is in ``recording``; ``ahead`` gives the next samples that it will
    send, where that is known; ``patience`` is in seconds, without a sign of work on the face or the answer."""

    microphone: Microphone
    recording: Recording
    ahead: Callable[[int], Samples] | None = None
    patience: float = PATIENCE_S

    async def ask(self, audio: Samples, spoken_s: float, otherwise: str) -> Turn:
        """Say ``audio`` (n,) at `SPEAK_RATE`, whose speech ends after ``spoken_s``, and wait for the whole answer ->
        the turn, its times counted from the end of the speech. Raises TalkError, which begins with ``otherwise``."""
        turn = self.recording.begin_turn()
        ended = self.microphone.play(audio) + spoken_s
        await asyncio.sleep(spoken_s)
        await self.until(lambda: self.recording.answered, otherwise)
        turn.times = {name: at - ended for name, at in turn.times.items()}
        await asyncio.sleep(AFTER_S)
        return turn

    async def interrupt(self, question: "Saying", stop: "Saying") -> float | None:
        """Ask, and interrupt the answer while it is audible -> seconds until it fell silent; None if it was too short,
        or was just pausing; infinity if it was said to its end all the same. Raises TalkError."""
        recording, loop = self.recording, asyncio.get_running_loop()
        turn = recording.begin_turn()
        self.microphone.play(question.audio)

        def speaking() -> bool:
            return loop.time() - turn.times.get("first_audio", np.inf) > TALKING_S and self.hears(TO_SAY)

        await self.until(lambda: speaking() or bool(turn.status), "There was no answer to interrupt")
        if recording.answered:
            return None
        began = self.microphone.play(stop.audio) + stop.start
        await self.until(lambda: bool(turn.status), "The answer was not interrupted")
        silent = recording.silent_since()
        await asyncio.sleep(max(0.0, began + stop.end - stop.start - loop.time()))
        if turn.status == "completed":
            await self._quiet()
            return np.inf
        recording.begin_turn()
        await self.until(lambda: recording.answered, "The interruption was not answered")
        by_itself = silent - began < DEAF_S
        return None if by_itself else silent - began

    def hears(self, seconds: float) -> bool:
        """Whether the face is audible, and will be for so many seconds without a pause if nobody interrupts it (the
        latter is unknown for a session elsewhere)."""
        if asyncio.get_running_loop().time() - self.recording.silent_since() > SOUNDING_S:
            return False
        if self.ahead is None:
            return True
        coming = self.ahead(round(seconds * SPEAK_RATE))
        loud = np.flatnonzero(np.abs(coming) > AUDIBLE_LEVEL) / SPEAK_RATE
        return bool(np.diff(loud, prepend=0.0, append=seconds).max() < SOUNDING_S)

    async def _quiet(self) -> None:
        """Wait until nothing more comes."""
        steps = -1
        while steps != self.recording.steps:
            steps = self.recording.steps
            await asyncio.sleep(QUIET_S)

    async def until(self, condition: Callable[[], bool], otherwise: str) -> None:
        """Wait for ``condition``. Raises TalkError with what the session reported, or when it stands still."""
        loop = asyncio.get_running_loop()
        recording = self.recording
        deadline, steps = loop.time() + self.patience, recording.steps
        while not condition():
            if steps != recording.steps:
                deadline, steps = loop.time() + self.patience, recording.steps
            if recording.errors:
                code, message = recording.errors[0]
                raise TalkError(f"{otherwise}: {message} ({code})", code)
            if loop.time() > deadline:
                raise TalkError(f"{otherwise}: nothing happened for {self.patience:.0f} s.")
            await asyncio.sleep(0.02)


@asynccontextmanager
async def call(
    *, opens: Opens, read: Callable[[str], Awaitable[None]], persona: str, character: str, keep: bool = True
) -> AsyncGenerator[Caller]:
    """A session of ``opens`` with a face that has been seen for a second; before, the voice and the language model
    ``read`` the persona. What is raised inside passes as it is. ``keep`` as in `Recording`."""
    loop = asyncio.get_running_loop()
    recording = Recording(keep=keep)
    problem: Exception | None = None
    await read(persona)
    async with opens(lambda event: recording.add(event, loop.time()), persona) as session:
        caller = Caller(Microphone(session.receive), recording, session.show.mouth.ahead)
        try:
            async with seen(caller, character):
                yield caller
        except Exception as error:  # raised below: a session wraps what is raised inside it in a group
            problem = error
    if problem:
        raise problem


@asynccontextmanager
async def seen(caller: Caller, character: str) -> AsyncGenerator[None]:
    """The microphone is open, and the face has been seen for a second. Raises TalkError."""
    caller.microphone.send(events.SessionUpdate({"avatar": {"character": character, "video": {"codec": "h264"}}}))
    listening = asyncio.create_task(caller.microphone.run(), name="microphone")
    try:
        await caller.until(lambda: bool(caller.recording.packets), "The face did not appear")
        await asyncio.sleep(BEFORE_S)
        yield
    finally:
        listening.cancel()


class Saying:
    """Something that the user says: (n,) at `SPEAK_RATE`, and where its speech begins and ends in seconds, as ``vad``
    hears it above ``threshold``.

    Raises TalkError, which names ``what`` it is, when nobody speaks in it.
    """

    def __init__(self, audio: Samples, vad: VAD, threshold: float, what: str = "One of the questions") -> None:
        self.audio = audio
        self.start, self.end = edges_of_speech(Resampler(SPEAK_RATE)(audio), vad, threshold)
        if not self.end:
            raise TalkError(f"{what}: nobody speaks in it. Give a recording of speech.")


def edges_of_speech(audio: Samples, vad: VAD, threshold: float) -> tuple[float, float]:
    """(n,) at `HEAR_RATE` -> seconds at which the first speech begins and the last one ends; 0 if there is none."""
    windows = audio[: len(audio) // VAD_WINDOW * VAD_WINDOW].reshape(-1, VAD_WINDOW)
    spoken = [i for i, window in enumerate(windows) if vad(window) >= threshold]
    return (spoken[0] * VAD_WINDOW / HEAR_RATE, (spoken[-1] + 1) * VAD_WINDOW / HEAR_RATE) if spoken else (0.0, 0.0)
