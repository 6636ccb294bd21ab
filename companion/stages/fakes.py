"""Scripted stages: ordinary implementations that load nothing and understand nothing. `configs/fakes.toml` uses them.

All waiting is on the event loop's clock, so that a loop whose clock jumps runs them in no time.
"""

import asyncio
import copy
import itertools
from collections.abc import AsyncIterator, Sequence
from typing import Any

import numpy as np

from animator.units import Samples
from companion.errors import StageError
from companion.stages.protocols import SPEAK_RATE, Abilities, CallPart, Message, Speech, Transcript, Word


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

    abilities = Abilities(languages=("en", "de"))

    def __init__(self, texts: Sequence[str] = ("Hello.",), delay_s: float = 0.0, confidence: float = 1.0) -> None:
        self._texts = itertools.cycle(texts)
        self._delay, self._confidence = delay_s, confidence
        self.heard: list[float] = []  # s, length of each utterance
        self.told: list[str] = []  # the language of each utterance
        self._language = ""

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

    abilities = Abilities(calls_tools=True)

    def __init__(self, arguments: str = "{}", name: str = "", **script: Any) -> None:
        super().__init__(**script)
        self._arguments, self._name = arguments, name
        self.offered: list[Sequence[dict[str, Any]]] = []
        self.required: list[bool] = []

    async def converse(
        self, messages: Sequence[Message], tools: Sequence[dict[str, Any]], required: bool = False
    ) -> AsyncIterator[str | CallPart]:
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
