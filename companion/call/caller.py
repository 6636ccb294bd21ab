"""A caller: a session of this process whose user is played from sound files, in real time, and recorded."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np

from companion.call.recording import AUDIBLE, Recording, Turn
from companion.engine import Engine
from companion.hearing.audio.resampling import Resampler
from companion.hearing.recognisers import Recognisers
from companion.protocol import events
from companion.session.session import Session
from companion.stages.protocols import HEAR_RATE, SPEAK_RATE, VAD, VAD_WINDOW, Samples

BLOCK = SPEAK_RATE // 50  # samples of one message from the microphone, 20 ms
BEFORE = 1.0  # s in which the face is seen idle before the first question
SOUNDING = 0.1  # s within which the last audible sample came from a face that is not in a pause
AFTER = 1.0  # s in which it is seen after each answer
PATIENCE = 120.0  # s without a sign of work on the face or the answer


class TalkError(Exception):
    """The conversation could not be held; the message says why."""


@dataclass(slots=True)
class Microphone:
    """What the user's microphone hears: silence, and what `play` puts into it, in blocks paced by the clock."""

    session: Session
    waiting: Samples = field(default_factory=lambda: np.zeros(0, np.float32))
    due: float = 0.0  # when the next block is complete, on the loop's clock

    def play(self, audio: Samples) -> float:
        """(n,) at `SPEAK_RATE` -> the time at which its first sample is heard."""
        self.waiting = audio
        return self.due - BLOCK / SPEAK_RATE

    async def run(self) -> None:
        """Run until cancelled."""
        loop = asyncio.get_running_loop()
        self.due = loop.time()
        while True:
            self.due += BLOCK / SPEAK_RATE
            await asyncio.sleep(max(0.0, self.due - loop.time()))
            block, self.waiting = self.waiting[:BLOCK], self.waiting[BLOCK:]
            pcm = np.zeros(BLOCK, "<i2")
            pcm[: len(block)] = np.round(block * 32767)
            self.session.receive(events.InputAudioBufferAppend(pcm.tobytes()))


@dataclass(frozen=True, slots=True)
class Caller:
    """From `call`. What the session sends is in ``recording``."""

    microphone: Microphone
    recording: Recording

    async def ask(self, audio: Samples, spoken_s: float, otherwise: str) -> Turn:
        """Say ``audio`` (n,) at `SPEAK_RATE`, whose speech ends after ``spoken_s``, and wait for the whole answer ->
        the turn, its times counted from the end of the speech. Raises TalkError, which begins with ``otherwise``."""
        turn = self.recording.begin_turn()
        ended = self.microphone.play(audio) + spoken_s
        await asyncio.sleep(spoken_s)
        await self.until(lambda: self.recording.answered, otherwise)
        turn.times = {name: at - ended for name, at in turn.times.items()}
        await asyncio.sleep(AFTER)
        return turn

    def hears(self, seconds: float) -> bool:
        """The face is heard, and will be for so many seconds, without a pause, if nobody interrupts it."""
        if asyncio.get_running_loop().time() - self.recording.silent_since() > SOUNDING:
            return False
        coming = self.microphone.session.show.mouth.ahead(round(seconds * SPEAK_RATE))
        loud = np.flatnonzero(np.abs(coming) > AUDIBLE) / SPEAK_RATE
        return bool(np.diff(loud, prepend=0.0, append=seconds).max() < SOUNDING)

    async def until(self, condition: Callable[[], bool], otherwise: str) -> None:
        """Wait for ``condition``. Raises TalkError with what the session reported, or when it stands still."""
        loop = asyncio.get_running_loop()
        recording = self.recording
        deadline, steps = loop.time() + PATIENCE, recording.steps
        while not condition():
            if steps != recording.steps:
                deadline, steps = loop.time() + PATIENCE, recording.steps
            if recording.errors:
                code, message = recording.errors[0]
                raise TalkError(f"{otherwise}: {message} ({code})")
            if loop.time() > deadline:
                raise TalkError(f"{otherwise}: nothing happened for {PATIENCE:.0f} s.")
            await asyncio.sleep(0.02)


@asynccontextmanager
async def call(engine: Engine, persona: str | None, character: str, keep: bool = True) -> AsyncGenerator[Caller]:
    """A session with a face that has been seen for a second. What is raised inside passes as it is. ``keep`` as in
    `Recording`."""
    loop = asyncio.get_running_loop()
    recording = Recording(keep=keep)
    problem: Exception | None = None
    await engine.rehearsal.read(engine.tts, persona or engine.config.session.persona)
    async with Session(engine, lambda event: recording.add(event, loop.time()), persona) as session:
        session.receive(events.SessionUpdate({"avatar": {"character": character, "video": {"codec": "h264"}}}))
        caller = Caller(Microphone(session), recording)
        listening = asyncio.create_task(caller.microphone.run(), name="microphone")
        try:
            await caller.until(lambda: bool(recording.packets), "The face did not appear")
            await asyncio.sleep(BEFORE)
            yield caller
        except Exception as error:  # raised below: a session wraps what is raised inside it in a group
            problem = error
        finally:
            listening.cancel()
    if problem:
        raise problem


class Saying:
    """Something that the user says: (n,) at `SPEAK_RATE`, and where its speech begins and ends in seconds.

    Raises TalkError, which names ``what`` it is, when nobody speaks in it.
    """

    def __init__(self, recognisers: Recognisers, audio: Samples, what: str = "One of the questions") -> None:
        self.audio = audio
        heard = Resampler(SPEAK_RATE)(audio)
        self.start, self.end = edges_of_speech(heard, recognisers.vad(), recognisers.turns.threshold)
        if not self.end:
            raise TalkError(f"{what}: nobody speaks in it. Give a recording of speech.")


def edges_of_speech(audio: Samples, vad: VAD, threshold: float) -> tuple[float, float]:
    """(n,) at `HEAR_RATE` -> seconds at which the first speech begins and the last one ends; 0 if there is none."""
    windows = audio[: len(audio) // VAD_WINDOW * VAD_WINDOW].reshape(-1, VAD_WINDOW)
    spoken = [i for i, window in enumerate(windows) if vad(window) >= threshold]
    return (spoken[0] * VAD_WINDOW / HEAR_RATE, (spoken[-1] + 1) * VAD_WINDOW / HEAR_RATE) if spoken else (0.0, 0.0)
