"""What the synthesizers share: the manner of an emotion, loudness, a graph that tells its durations, and how English
voices speak."""

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
from companion.stages.tts.english import English, Utterance
from companion.stages.worker import one_thread, pieces


def manner(emotion: str) -> Manner:
    """How an emotion sounds; plainly where it is none."""
    meaning = meanings().get(emotion)
    return meaning.voice if meaning else Manner()


def level(audio: Samples, gain: float) -> Samples:
    """Louder or softer, bent instead of clipped above 0.9."""
    scaled = audio.astype(np.float32) * np.float32(gain)
    over = np.abs(scaled) - 0.9
    bent = np.sign(scaled) * (0.9 + 0.1 * np.tanh(np.maximum(over, 0.0) / 0.1))
    return np.where(over > 0, bent, scaled).astype(np.float32)


@functools.cache
def session(path: Path, durations: str, threads: int) -> Any:
    """The ONNX graph with one output more, named ``durations``: how long each input symbol lasts."""
    import onnx

    from animator.onnx import session as opened

    model = onnx.load(str(path))
    model.graph.output.append(onnx.ValueInfoProto(name=durations))
    return opened(model.SerializeToString(), threads)


class EnglishVoice(ABC):
    """A voice that says English by hibari's G2P, an utterance at a time. Subclasses load their network, call `_warm`
    and make the sound in `_synthesize`."""

    def __init__(self, english: English, speed: float, pool: ThreadPoolExecutor | None = None) -> None:
        """``pool``: the thread of a voice that shares ``english``; one of its own where it is not given."""
        self._english, self._speed = english, speed
        self._pool = pool or one_thread("tts")

    async def speak(self, text: str, emotion: str = "neutral") -> AsyncIterator[Speech]:
        """A sentence, or any text -> its sound, a sentence a piece; nothing where there is nothing to say. The emotion
        changes pace, loudness and, where the network lets it, pitch."""
        async with closing(pieces(self._pool, lambda: self._say(text, emotion))) as made:
            async for piece in made:
                yield piece

    def pronouncing(self, words: Mapping[str, str]) -> Self:
        """The same voice that says these ``words`` so, as `English.pronouncing` explains; costs next to nothing."""
        other = copy.copy(self)
        other._english = self._english.pronouncing(words)
        return other

    @abstractmethod
    def _synthesize(self, utterance: Utterance, manner: Manner) -> Speech:
        """The sound of one utterance. Blocks; runs in the voice's thread."""

    def _say(self, text: str, emotion: str) -> Iterator[Speech]:
        for utterance in self._english.utterances(text):
            yield self._synthesize(utterance, manner(emotion))

    def _warm(self) -> None:
        """Say something once, so that the first sentence does not wait."""
        self._pool.submit(lambda: list(self._say("Warm up.", "neutral"))).result()
