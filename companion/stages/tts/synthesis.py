"""Shared by the synthesizers: the delivery of an emotion, loudness, ONNX sessions that output durations, and the base
class of English voices."""

import copy
import functools
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import numpy as np

from companion.emotions import Manner, meanings
from companion.stages.protocols import Samples, Speech
from companion.stages.streams import closing
from companion.stages.tts.english import English, Reads, Utterance
from companion.stages.worker import model_threads, pieces


def manner(emotion: str) -> Manner:
    """The delivery (pace, pitch, loudness) of an emotion; neutral for an unknown name."""
    meaning = meanings().get(emotion)
    return meaning.voice if meaning else Manner()


def level(audio: Samples, gain: float) -> Samples:
    """(n,) -> (n,) float32 multiplied by ``gain``, with a soft limiter (tanh) above 0.9: it never exceeds 1."""
    scaled = audio.astype(np.float32) * np.float32(gain)
    over = np.abs(scaled) - 0.9
    bent = np.sign(scaled) * (0.9 + 0.1 * np.tanh(np.maximum(over, 0.0) / 0.1))
    return np.where(over > 0, bent, scaled).astype(np.float32)


@functools.cache
def session(path: Path, durations: str, threads: int) -> Any:
    """A session of the ONNX file ``path`` with an inner tensor, the symbols' ``durations``, added to its outputs."""
    import onnx

    from animator.onnx import session as opened

    model = onnx.load(str(path))
    model.graph.output.append(onnx.ValueInfoProto(name=durations))
    return opened(model.SerializeToString(), threads)


class EnglishVoice(ABC):
    """Base class of voices that speak English through hibari's G2P, one utterance at a time. Subclasses load their
    network, call `_warm` and implement `_synthesize`."""

    _english: Reads

    def __init__(self, english: Reads, speed: float, pool: ThreadPoolExecutor | None = None) -> None:
        """``speed``: factor of the pace. ``pool``: the single thread of another voice with which it shares ``english``
        (not thread-safe); None: a thread of its own."""
        self._english, self._speed = english, speed
        self._pool = pool or model_threads("tts")

    async def speak(self, text: str, emotion: str = "neutral") -> AsyncIterator[Speech]:
        """Text of any length -> its audio at 24 kHz, one piece per sentence; no piece if nothing is speakable. The
        emotion changes pace, loudness and, if the network allows it, pitch."""
        async with closing(pieces(self._pool, lambda: self._say(text, emotion))) as made:
            async for piece in made:
                yield piece

    def pronouncing(self, words: Mapping[str, str]) -> Self:
        """The same voice with these pronunciations, as in `English.pronouncing`; shares the network, so it is cheap.

        Raises:
            StageError: ``tts_pronunciation``.
        """
        other = copy.copy(self)
        other._english = self._english.pronouncing(words) if isinstance(self._english, English) else self._english
        return other

    def at_pace(self, speed: float) -> Self:
        """The same voice, ``speed`` times as fast as now; shares the network, so it is cheap."""
        other = copy.copy(self)
        other._speed = self._speed * speed
        return other

    @abstractmethod
    def _synthesize(self, utterance: Utterance, manner: Manner) -> Speech:
        """The audio of one utterance. Blocks; runs in the voice's thread."""

    def _say(self, text: str, emotion: str) -> Iterator[Speech]:
        for utterance in self._english.utterances(text):
            yield self._synthesize(utterance, manner(emotion))

    def _warm(self) -> None:
        """Synthesize once, so that the first sentence has no extra latency."""
        self._pool.submit(lambda: list(self._say("Warm up.", "neutral"))).result()
