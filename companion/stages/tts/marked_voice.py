"""Any voice with the inaudible mark of synthetic speech in what it says (`animator.marks.spoken`)."""

import asyncio
import copy
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any, Self

from animator.marks.spoken import Perth
from companion.models import locate
from companion.models.needs import VOICE_MARK
from companion.stages.protocols import Abilities, Speech, abilities
from companion.stages.streams import closing
from companion.stages.worker import MODEL_THREADS, model_threads


class MarkedVoice:
    """Speaks as ``voice`` does, and has its abilities. Each piece of speech is marked by itself, as it comes."""

    def __init__(self, voice: Any) -> None:
        """Raises StageError ``model_missing`` or ``model_corrupt``."""
        self._voice, self._mark = voice, Perth(locate.resolve(VOICE_MARK)).mark
        self._pool = model_threads("voice mark", MODEL_THREADS)

    @property
    def abilities(self) -> Abilities:
        return abilities(self._voice)

    async def speak(self, text: str, emotion: str = "neutral") -> AsyncIterator[Speech]:
        """See `companion.stages.protocols.TTS`."""
        async with closing(self._voice.speak(text, emotion)) as pieces:
            async for piece in pieces:
                marked = asyncio.get_running_loop().run_in_executor(self._pool, self._mark, piece.audio)
                yield replace(piece, audio=await marked)

    def with_voice(self, voice: str) -> Self:
        """See `companion.stages.protocols.HasVoices`."""
        return self._of(self._voice.with_voice(voice))

    def pronouncing(self, words: Mapping[str, str]) -> Self:
        """See `companion.stages.protocols.Pronounces`."""
        return self._of(self._voice.pronouncing(words))

    def at_pace(self, speed: float) -> Self:
        """See `companion.stages.protocols.Paced`."""
        return self._of(self._voice.at_pace(speed))

    def in_language(self, language: str) -> Self:
        """See `companion.stages.protocols.Switches`."""
        return self._of(self._voice.in_language(language))

    async def aclose(self) -> None:
        """See `companion.stages.protocols.Closes`."""
        await self._voice.aclose()

    def _of(self, voice: Any) -> Self:
        other = copy.copy(self)
        other._voice = voice
        return other
