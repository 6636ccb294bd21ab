"""Scripted stages: ordinary implementations that load nothing and understand nothing. `configs/fakes.toml` uses them.

All waiting is on the event loop's clock, so that a loop whose clock jumps runs them in no time.
"""

import asyncio
import copy
import io
import itertools
from collections.abc import AsyncIterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from animator.control import Control
from animator.face import Shown
from animator.units import SAMPLES_PER_FRAME, Frames, Samples
from companion.avatar.portraits import CharacterCard, PictureError, Upload, unknown, unknown_portrait
from companion.stages.protocols import SPEAK_RATE, CallPart, Message, Speech, StageError, Transcript, Word


class EnergyVAD:
    """Loud is speech."""

    def __init__(self, loud: float = 0.02) -> None:
        self.loud = loud  # RMS of a window

    def __call__(self, audio: Samples) -> float:
        return float(np.sqrt(np.mean(audio**2)) >= self.loud)


class ScriptedTurnEnd:
    """Gives ``probabilities`` in turn, whatever was said."""

    def __init__(self, probabilities: Sequence[float] = (0.5,), delay_s: float = 0.0) -> None:
        self._probabilities = itertools.cycle(probabilities)
        self._delay = delay_s

    async def finished(self, audio: Samples) -> float | None:
        await asyncio.sleep(self._delay)
        return next(self._probabilities)


class ScriptedASR:
    """Understands ``texts`` in turn, whatever is said, so sure of them; silence is always empty."""

    def __init__(self, texts: Sequence[str] = ("Hello.",), delay_s: float = 0.0, confidence: float = 1.0) -> None:
        self._texts = itertools.cycle(texts)
        self._delay, self._confidence = delay_s, confidence
        self.heard: list[float] = []  # s, length of each utterance
        self.told: list[str] = []  # the language of each utterance
        self._language = ""

    @property
    def languages(self) -> tuple[str, ...]:
        return ("en", "de")

    def in_language(self, language: str) -> "ScriptedASR":
        told = copy.copy(self)
        told._language = language
        return told

    async def transcribe(self, audio: Samples) -> Transcript:
        self.told.append(self._language)
        self.heard.append(len(audio) / 16_000)
        await asyncio.sleep(self._delay)
        loud = np.abs(audio).max(initial=0.0) > 0.01
        return Transcript(next(self._texts) if loud else "", confidence=self._confidence)


class ScriptedLLM:
    """Gives ``replies`` in turn, a word at a time, whatever it is asked."""

    def __init__(self, replies: Sequence[str] = ("I heard you.",), delay_s: float = 0.0) -> None:
        self._replies = itertools.cycle(replies)
        self._delay = delay_s
        self.asked: list[list[Message]] = []
        self.closed = 0  # replies whose iterator was closed or ran out

    async def reply(self, messages: Sequence[Message]) -> AsyncIterator[str]:
        self.asked.append(list(messages))
        try:
            for word in next(self._replies).split(" "):
                await asyncio.sleep(self._delay)
                yield word + " "
        finally:
            self.closed += 1


class ScriptedCaller(ScriptedLLM):
    """Calls a tool before its first reply: the first one it is offered, or ``name``, with ``arguments``."""

    can_call = True

    def __init__(self, arguments: str = "{}", name: str = "", **script: Any) -> None:
        super().__init__(**script)
        self._arguments, self._name = arguments, name
        self.offered: list[Sequence[dict[str, Any]]] = []

    async def converse(
        self, messages: Sequence[Message], tools: Sequence[dict[str, Any]]
    ) -> AsyncIterator[str | CallPart]:
        self.offered.append(tools)
        if not any(message.role == "tool" for message in messages):
            self.asked.append(list(messages))
            yield CallPart(0, "call_1", self._name or tools[0]["name"])
            yield CallPart(0, arguments=self._arguments)
            return
        async for delta in self.reply(messages):
            yield delta


class ToneTTS:
    """A hum whose loudness follows the words, ``word_s`` each, in pieces of ``piece_s`` that take ``delay_s``."""

    def __init__(self, word_s: float = 0.25, piece_s: float = 0.5, delay_s: float = 0.0) -> None:
        self.word_s, self.piece_s, self.delay_s = word_s, piece_s, delay_s
        self.spoken: list[tuple[str, str]] = []  # text, emotion

    async def speak(self, text: str, emotion: str = "neutral") -> AsyncIterator[Speech]:
        self.spoken.append((text, emotion))
        words = text.split()
        per_piece = max(1, round(self.piece_s / self.word_s))
        for first in range(0, len(words), per_piece):
            await asyncio.sleep(self.delay_s)
            yield self._hum(words[first : first + per_piece])

    def _hum(self, words: list[str]) -> Speech:
        t = np.arange(round(len(words) * self.word_s * SPEAK_RATE)) / SPEAK_RATE
        loudness = 0.25 * np.sin(np.pi * (t / self.word_s % 1.0)) ** 2
        tone = np.sin(2 * np.pi * 180 * t) + 0.5 * np.sin(2 * np.pi * 360 * t)
        timed = tuple(Word(word, i * self.word_s, (i + 1) * self.word_s) for i, word in enumerate(words))
        return Speech((loudness * tone).astype(np.float32), timed)


class DictMemory:
    """Remembers everything, until the process ends."""

    def __init__(self) -> None:
        self.facts: dict[str, list[str]] = {}

    async def recall(self, user: str, about: str, limit: int = 5) -> list[str]:
        return self.facts.get(user, [])[-limit:]

    async def remember(self, user: str, conversation: str, messages: Sequence[Message]) -> None:
        self.facts.setdefault(user, []).extend(m.content for m in messages if m.role == "user")

    async def conclude(self, conversation: str) -> None:
        """There is nothing to conclude."""

    async def discard(self, conversation: str) -> None:
        """What was said stays until the process ends."""


class Broken:
    """A stage that always fails, whichever it is asked to be."""

    def __init__(self, code: str = "stage_failed") -> None:
        self.code = code

    async def transcribe(self, audio: Samples) -> Transcript:
        raise StageError(self.code, "The transcription is broken on purpose.")

    async def reply(self, messages: Sequence[Message]) -> AsyncIterator[str]:
        raise StageError(self.code, "The language model is broken on purpose.")
        yield ""

    async def speak(self, text: str, emotion: str = "neutral") -> AsyncIterator[Speech]:
        raise StageError(self.code, "The voice is broken on purpose.")
        yield Speech(np.zeros(0, np.float32))


class CartoonFace:
    """A disc with eyes and a mouth that opens with loudness; ``delay_frames`` late, as a face with look-ahead is."""

    def __init__(self, size: int, chunk_frames: int, hue: int) -> None:
        self.width = self.height = size
        self.chunk_frames = chunk_frames
        self.delay_frames = 2
        self._skin = np.array(((hue * 67) % 100 + 130, 150, 130), np.uint8)
        y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j].astype(np.float32)
        self._x, self._y = x, y
        self.reset()

    def step(self, audio: Samples, control: Control, other: Samples | None = None) -> Shown:
        joined = np.concatenate([self._late, audio])
        now, self._late = joined[: len(audio)], joined[len(audio) :]
        frames = np.stack(
            [
                self._draw(now[i * SAMPLES_PER_FRAME : (i + 1) * SAMPLES_PER_FRAME], control)
                for i in range(len(audio) // SAMPLES_PER_FRAME)
            ]
        )
        return Shown(frames, now, np.zeros((len(frames), 64), np.float32))

    def interrupt(self) -> None:
        self._late = np.zeros(self.delay_frames * SAMPLES_PER_FRAME, np.float32)

    def reset(self) -> None:
        self._frame = 0
        self.interrupt()

    def _draw(self, audio: Samples, control: Control) -> NDArray[np.uint8]:
        self._frame += 1
        sway = 0.06 * np.sin(self._frame / 9)
        x, y = self._x - np.float32(sway), self._y
        opening = min(0.3, 2.0 * float(np.sqrt(np.mean(audio**2)))) + 0.02
        blink = 0.02 if self._frame % 90 < 4 else 0.1
        picture = np.empty((*x.shape, 3), np.uint8)
        picture[...] = (40, 60, 90) if control.state != "listening" else (40, 90, 70)
        picture[x**2 + y**2 < 0.6] = self._skin
        for side in (-0.28, 0.28):
            picture[((x - side) / 0.1) ** 2 + ((y + 0.2) / blink) ** 2 < 1] = (20, 20, 30)
        picture[(x / 0.3) ** 2 + ((y - 0.35) / opening) ** 2 < 1] = (120, 30, 40)
        return picture


class CartoonAnimator:
    """Opens any portrait; the face is the same disc in another colour."""

    def __init__(self, size: int = 256, chunk_frames: int = 2) -> None:
        self.size, self.chunk_frames = size, chunk_frames

    def open(self, portrait: Any) -> CartoonFace:
        return CartoonFace(self.size, self.chunk_frames, len(str(portrait)))


class CartoonPortraits:
    """Two characters, and any picture that can be decoded; a face is in the middle of all but those of one colour, and
    another one above it where they are tall."""

    def __init__(self, size: int = 256) -> None:
        self._names = ("dot", "circle")
        self._uploads: dict[str, tuple[Upload, bytes]] = {}
        self._size = size

    def characters(self) -> list[CharacterCard]:
        return [CharacterCard(name, name.title(), "Drawn by the fakes, CC0") for name in self._names]

    def picture(self, name: str) -> tuple[bytes, str]:
        from PIL import Image

        if name not in self._names:
            raise unknown(name)
        face: Frames = (
            CartoonFace(self._size, 1, len(name)).step(np.zeros(SAMPLES_PER_FRAME, np.float32), Control()).frames
        )
        file = io.BytesIO()
        Image.fromarray(face[0]).save(file, "png")
        return file.getvalue(), "image/png"

    def has(self, name: str) -> bool:
        return name in self._names or name in self._uploads

    def hold(self, name: str) -> object:
        return name

    def load(self, name: str) -> str:
        if not self.has(name):
            raise unknown(name)
        return name

    def add(self, data: bytes, landmarks: bytes | None = None, owner: str = "") -> Upload:
        upload = self._described(f"upload_{len(self._uploads) + 1}", data, landmarks)
        self._uploads[upload.id] = upload, data
        return upload

    def upload(self, id: str) -> Upload:
        return self._uploaded(id)[0]

    def correct(self, id: str, landmarks: bytes) -> Upload:
        _, data = self._uploaded(id)
        self._uploads[id] = self._described(id, data, landmarks), data
        return self._uploads[id][0]

    def source(self, id: str) -> bytes:
        return self._uploaded(id)[1]

    def _uploaded(self, id: str) -> tuple[Upload, bytes]:
        if id not in self._uploads:
            raise unknown_portrait(id)
        return self._uploads[id]

    def _described(self, id: str, data: bytes, landmarks: bytes | None) -> Upload:
        from animator.portrait.correcting.bending import layout
        from animator.portrait.correcting.named import parse
        from animator.portrait.picture.reading import PortraitError, decode

        try:
            source = decode(data)
            found = layout(source.width, source.height)
            told = found if landmarks is None else parse(landmarks)
        except PortraitError as error:
            raise PictureError(error.code, str(error)) from error
        points = told if told.points else found
        if landmarks is None and source.picture.std(axis=(0, 1)).max() < 1:
            raise PictureError("no_face", "No face was found. Use another picture.", points.json())
        half = layout(source.width, source.height // 2).json()
        others = (half,) if source.height > 2 * source.width else ()
        return Upload(id, (), points.json(), others=others, drawn=bool(told.drawn))
