"""Scripted stages, for tests and for authors of clients: they load no model and answer from a script.

`configs/fakes.toml` uses them. Every delay waits on the event loop's clock, so a loop with a virtual clock
(`companion.call.virtual_time`) runs them without waiting.
"""

import asyncio
import copy
import itertools
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from animator.units import Samples
from companion.errors import StageError
from companion.stages.protocols import NO_ABILITIES, SPEAK_RATE, Abilities, CallPart, Message, Speech, Transcript, Word


class EnergyVAD:
    """A window is speech (probability 1) if its RMS is at least ``loud``, else not (0)."""

    def __init__(self, loud: float = 0.02) -> None:
        self.loud = loud  # RMS of a window

    def __call__(self, audio: Samples) -> float:
        return float(np.sqrt(np.mean(audio**2)) >= self.loud)


class ScriptedTurnEnd:
    """Returns ``probabilities`` one after the other, over and over, whatever was said. ``delay_s``: s each takes."""

    def __init__(self, probabilities: Sequence[float] = (0.5,), delay_s: float = 0.0) -> None:
        self._probabilities = itertools.cycle(probabilities)
        self._delay = delay_s

    async def finished(self, audio: Samples) -> float | None:
        """The next of the scripted probabilities."""
        await asyncio.sleep(self._delay)
        return next(self._probabilities)


class ScriptedASR:
    """Returns ``texts`` one after the other, over and over, whatever was said; silence gives an empty text.

    ``delay_s``: s that a transcription takes. ``confidence``: in [0, 1], of every transcript.
    """

    abilities = Abilities(languages=("en", "de"))

    def __init__(self, texts: Sequence[str] = ("Hello.",), delay_s: float = 0.0, confidence: float = 1.0) -> None:
        self._texts = itertools.cycle(texts)
        self._delay, self._confidence = delay_s, confidence
        self.heard: list[float] = []  # s, length of each utterance
        self.told: list[str] = []  # the language of each utterance
        self._language = ""

    def in_language(self, language: str) -> "ScriptedASR":
        """A copy that shares the script and notes ``language`` in ``told``."""
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
    """Streams ``replies`` one after the other, over and over, a word per delta. ``delay_s``: s before each delta."""

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
    """Calls a tool once before it replies: ``name``, or the first one offered, with ``arguments`` (JSON)."""

    abilities = Abilities(calls_tools=True)

    def __init__(self, arguments: str = "{}", name: str = "", **script: Any) -> None:
        super().__init__(**script)
        self._arguments, self._name = arguments, name
        self.offered: list[Sequence[dict[str, Any]]] = []
        self.required: list[bool] = []

    async def converse(
        self, messages: Sequence[Message], tools: Sequence[dict[str, Any]], required: bool = False
    ) -> AsyncIterator[str | CallPart]:
        """Call the tool unless ``messages`` hold a tool's result, and then reply."""
        self.offered.append(tools)
        self.required.append(required)
        if not any(message.role == "tool" for message in messages):
            self.asked.append(list(messages))
            yield CallPart(0, "call_1", self._name or tools[0]["name"])
            yield CallPart(0, arguments=self._arguments)
            return
        async for delta in self.reply(messages):
            yield delta


class ToneTTS:
    """A hum that swells and fades once a word. All in s: ``word_s`` a word lasts, ``piece_s`` of sound in one piece,
    ``delay_s`` that a piece takes to make. ``voices`` to choose from, which all sound the same."""

    abilities = NO_ABILITIES

    def __init__(
        self, word_s: float = 0.25, piece_s: float = 0.5, delay_s: float = 0.0, voices: Sequence[str] = ()
    ) -> None:
        self.word_s, self.piece_s, self.delay_s = word_s, piece_s, delay_s
        if voices:
            self.abilities = Abilities(voice=voices[0], voices=dict.fromkeys(voices, "a hum"))
        self.spoken: list[tuple[str, str]] = []  # text, emotion

    def with_voice(self, voice: str) -> "ToneTTS":
        """A copy that shares ``spoken``."""
        other = copy.copy(self)
        other.abilities = replace(self.abilities, voice=voice)
        return other

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
    """Remembers everything that users said, in memory, until the process ends."""

    def __init__(self) -> None:
        self.facts: dict[str, list[str]] = {}

    async def recall(self, user: str, about: str, limit: int = 5) -> list[str]:
        """The user's latest ``limit`` messages, oldest first, whatever they are ``about``."""
        return self.facts.get(user, [])[-limit:]

    async def remember(self, user: str, conversation: str, messages: Sequence[Message]) -> None:
        """Keep the messages of the user, not those of the assistant."""
        self.facts.setdefault(user, []).extend(m.content for m in messages if m.role == "user")

    async def conclude(self, conversation: str) -> None:
        """Do nothing."""

    async def discard(self, conversation: str) -> None:
        """Do nothing: everything is kept until the process ends."""


class Broken:
    """An ASR, LLM or TTS that always raises StageError with ``code``."""

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
