"""A simulated user, who plays audio into a session in real time and records what the session sends.

`call` opens a session in this process; `companion.call.distant.dial` connects to a server.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np

from animator.units import pcm16
from companion.call.recording import AUDIBLE_LEVEL, Recording, Turn
from companion.hearing.audio.resampling import Resampler
from companion.protocol import events
from companion.protocol.events import ServerEvent
from companion.session.session import Session
from companion.stages.protocols import HEAR_RATE, SPEAK_RATE, VAD, VAD_WINDOW, Samples

BLOCK_SAMPLES = SPEAK_RATE // 50  # samples of one message from the microphone, 20 ms
BEFORE_S = 1.0  # s of the idle face before the first question
SOUNDING_S = 0.1  # s since the last audible sample after which the face counts as pausing
AFTER_S = 1.0  # s of the idle face after each answer
TALKING_S = 0.8  # s for which the face must have spoken before it is interrupted
TO_SAY = 0.6  # s of speech without a pause that must lie ahead when it is interrupted
DEAF_S = 0.064  # s of speech too short to detect: a face that falls silent sooner has paused by itself
QUIET_S = 4.0  # s without an event after which nothing more is expected
PATIENCE_S = 120.0  # s without an event after which a wait fails

Opens = Callable[[Callable[[ServerEvent], None], str], Session]  # (receiver of the session's events, persona)


class TalkError(Exception):
    """The conversation failed; the message says why. ``code``: the session's error code, "" if it gave none."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


@dataclass(slots=True)
class Microphone:
    """The user's microphone: sends blocks of 20 ms in real time, of silence or of the audio given to `play`."""

    send: Callable[[events.ClientEvent], object]
    waiting: Samples = field(default_factory=lambda: np.zeros(0, np.float32))
    due: float = 0.0  # time at which the next block is complete, s on the loop's clock

    def play(self, audio: Samples) -> float:
        """Play (n,) float32 at `SPEAK_RATE`, in place of anything still playing -> the time of its first sample, in s
        on the loop's clock."""
        self.waiting = audio
        return self.due - BLOCK_SAMPLES / SPEAK_RATE

    async def run(self) -> None:
        """Send blocks until cancelled."""
        loop = asyncio.get_running_loop()
        self.due = loop.time()
        while True:
            self.due += BLOCK_SAMPLES / SPEAK_RATE
            await asyncio.sleep(max(0.0, self.due - loop.time()))
            block, self.waiting = self.waiting[:BLOCK_SAMPLES], self.waiting[BLOCK_SAMPLES:]
            silence = np.zeros(BLOCK_SAMPLES - len(block), np.float32)
            self.send(events.InputAudioBufferAppend(pcm16(np.concatenate([block, silence]))))


@dataclass(frozen=True, slots=True)
class Caller:
    """The simulated user, made by `call` or `dial`.

    ``recording`` holds what the session has sent. ``ahead`` returns the next samples that it will send; None if
    unknown. ``patience``: s without an event, frames aside, after which a wait fails.
    """

    microphone: Microphone
    recording: Recording
    ahead: Callable[[int], Samples] | None = None
    patience: float = PATIENCE_S

    async def ask(self, audio: Samples, spoken_s: float, otherwise: str) -> Turn:
        """Say ``audio``, (n,) float32 at `SPEAK_RATE`, whose speech ends after ``spoken_s`` (s), and wait for the whole
        answer -> the turn, with times from the end of the speech. Raises TalkError, beginning with ``otherwise``."""
        turn = self.recording.begin_turn()
        ended = self.microphone.play(audio) + spoken_s
        await asyncio.sleep(spoken_s)
        await self.until(lambda: self.recording.answered, otherwise)
        turn.times = {name: at - ended for name, at in turn.times.items()}
        await asyncio.sleep(AFTER_S)
        return turn

    async def interrupt(self, question: "Saying", stop: "Saying") -> float | None:
        """Ask ``question``, and barge in with ``stop`` while the answer is audible -> s from the start of the speech of
        ``stop`` until the face fell silent; None if the answer was too short or was pausing at that moment; infinity
        if it was said to its end. Raises TalkError."""
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
        """Whether the face is audible and will stay so for ``seconds`` without a pause. The latter is not checked for a
        session on a server."""
        if asyncio.get_running_loop().time() - self.recording.silent_since() > SOUNDING_S:
            return False
        if self.ahead is None:
            return True
        coming = self.ahead(round(seconds * SPEAK_RATE))
        loud = np.flatnonzero(np.abs(coming) > AUDIBLE_LEVEL) / SPEAK_RATE
        return bool(np.diff(loud, prepend=0.0, append=seconds).max() < SOUNDING_S)

    async def _quiet(self) -> None:
        """Wait until no event has come for `QUIET_S`."""
        steps = -1
        while steps != self.recording.steps:
            steps = self.recording.steps
            await asyncio.sleep(QUIET_S)

    async def until(self, condition: Callable[[], bool], otherwise: str) -> None:
        """Wait until ``condition`` holds.

        Raises:
            TalkError: the session reported an error, or sent nothing for ``patience``. Begins with ``otherwise``.
        """
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
    """Open a session in this process, whose face has been visible for 1 s.

    Args:
        opens: makes the session.
        read: prepares the voice and the language model for the persona; called first.
        persona, character: those of the session.
        keep: as in `Recording`.

    Raises:
        TalkError: the face did not appear. What is raised in the body is passed on unchanged.
    """
    loop = asyncio.get_running_loop()
    recording = Recording(keep=keep)
    problem: Exception | None = None
    await read(persona)
    async with opens(lambda event: recording.add(event, loop.time()), persona) as session:
        caller = Caller(Microphone(session.receive), recording, session.show.mouth.ahead)
        try:
            async with seen(caller, character):
                yield caller
        except Exception as error:  # raised again below: a session would wrap it in an exception group
            problem = error
    if problem:
        raise problem


@asynccontextmanager
async def seen(caller: Caller, character: str) -> AsyncGenerator[None]:
    """Open the microphone and wait until the face has been visible for 1 s. Raises TalkError if it does not appear."""
    caller.microphone.send(events.SessionUpdate({"avatar": {"character": character, "video": {"codec": "h264"}}}))
    listening = asyncio.create_task(caller.microphone.run(), name="microphone")
    try:
        await caller.until(lambda: bool(caller.recording.packets), "The face did not appear")
        await asyncio.sleep(BEFORE_S)
        yield
    finally:
        listening.cancel()


class Saying:
    """Something for the user to say: ``audio``, (n,) float32 at `SPEAK_RATE`, and in s the ``start`` and ``end`` of its
    speech, where ``vad`` gives at least the probability ``threshold``.

    Raises:
        TalkError: it holds no speech; the message begins with ``what``.
    """

    def __init__(self, audio: Samples, vad: VAD, threshold: float, what: str = "One of the questions") -> None:
        self.audio = audio
        self.start, self.end = edges_of_speech(Resampler(SPEAK_RATE)(audio), vad, threshold)
        if not self.end:
            raise TalkError(f"{what}: nobody speaks in it. Give a recording of speech.")


def edges_of_speech(audio: Samples, vad: VAD, threshold: float) -> tuple[float, float]:
    """(n,) float32 at `HEAR_RATE` -> start of the first and end of the last speech in s; (0, 0) if there is none."""
    windows = audio[: len(audio) // VAD_WINDOW * VAD_WINDOW].reshape(-1, VAD_WINDOW)
    spoken = [i for i, window in enumerate(windows) if vad(window) >= threshold]
    return (spoken[0] * VAD_WINDOW / HEAR_RATE, (spoken[-1] + 1) * VAD_WINDOW / HEAR_RATE) if spoken else (0.0, 0.0)
