"""What a sentence expresses: the feeling whose examples in ``prompts/feelings.md`` are nearest in meaning."""

import asyncio
import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from animator.control import Emotion
from companion.emotions import meanings
from companion.errors import StageError
from companion.models.embeddings import Embeds, Vectors
from companion.stages.worker import one_thread

log = logging.getLogger(__name__)

MOST_UNSAID = 0.4  # strength of a feeling that only the voice shows, at most
VOICE_WEIGHT = 0.4  # by which a voice strengthens or weakens what the words say
NEAREST_EXAMPLES = 3  # examples whose likeness counts, the most like ones of each feeling
LEAST_COSINE = 0.30  # cosine below which a sentence is like none of the examples
LEAST_LEAD = 0.03  # by which a feeling must be nearer than having none


@dataclass(frozen=True, slots=True)
class Feeling:
    """``strength`` 0 to 1: how much like the examples of its kind."""

    emotion: Emotion = "neutral"
    strength: float = 0.0


def mirrored(feeling: Feeling) -> Feeling:
    """What a listener's face shows of it."""
    return Feeling(meanings()[feeling.emotion].mirrored or feeling.emotion, feeling.strength)


def voiced(feeling: Feeling, tone: float) -> Feeling:
    """The feeling of somebody's words, confirmed or weakened by the voice; ``tone`` as in
    `companion.hearing.transcription.tone`. A voice alone counts for little."""
    if not tone:
        return feeling
    if feeling.emotion == "neutral":
        return Feeling("happy" if tone > 0 else "tender", MOST_UNSAID * abs(tone))
    borne_out = meanings()[feeling.emotion].lively == (tone > 0)
    return replace(feeling, strength=min(1.0, feeling.strength * (1.0 + VOICE_WEIGHT * (1 if borne_out else -1))))


class Feelings:
    """``embedder`` loads on first use."""

    def __init__(self, embedder: Embeds) -> None:
        self._embedder = embedder
        self._pool = one_thread("feelings")
        self._missing = False

    def warm(self) -> None:
        """Load now, instead of with the first sentence. Blocks. Without the model every text is neutral, which is
        logged."""
        try:
            self.of("Hello.")
        except StageError as error:
            self._missing = True
            log.warning("Feelings are not told by meaning: %s", error)

    async def tell(self, text: str) -> Feeling:
        """`of`, off the event loop."""
        if self._missing:
            return Feeling()
        return await asyncio.get_running_loop().run_in_executor(self._pool, self.of, text)

    def of(self, text: str) -> Feeling:
        """What ``text`` expresses; blocks for milliseconds. Raises StageError when the model of meanings is missing."""
        if not text.strip():
            return Feeling()
        known = self._known
        (vector,) = self._embedder.embed([text])
        near = {name: float(np.sort(rows @ vector)[-NEAREST_EXAMPLES:].mean()) for name, rows in known.items()}
        best = max(near, key=lambda name: near[name])
        if near[best] < LEAST_COSINE or near[best] < near["neutral"] + LEAST_LEAD:
            return Feeling()
        return Feeling(cast(Emotion, best), min(1.0, (near[best] - LEAST_COSINE) / (1 - LEAST_COSINE) + 0.5))

    @functools.cached_property
    def _known(self) -> dict[str, Vectors]:
        return {name: self._embedder.embed(meaning.examples) for name, meaning in meanings().items()}


class Empathy:
    """One session's. Without ``feelings`` every text is neutral; ``mirror`` takes an emotion for the face and its
    strength."""

    def __init__(self, feelings: Feelings | None, mirror: Callable[[Emotion, float], None]) -> None:
        self._feelings, self._mirror = feelings, mirror

    async def feel(self, text: str) -> Feeling:
        """The feeling of somebody who says ``text``."""
        return await self._feelings.tell(text) if self._feelings and text else Feeling()

    async def feel_sentence(self, text: str) -> str:
        """The emotion of a sentence of the face's own."""
        return (await self.feel(text)).emotion

    def show(self, feeling: Feeling) -> None:
        """Let the face show a little of the user's feeling."""
        shown = mirrored(feeling)
        self._mirror(shown.emotion, shown.strength)
