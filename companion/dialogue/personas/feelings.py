"""Classifies the emotion of a sentence: the one whose examples in ``prompts/feelings.md`` have the nearest
embeddings."""

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

MOST_UNSAID = 0.4  # maximum strength of a feeling that only the tone of voice shows
VOICE_WEIGHT = 0.4  # relative change of a feeling's strength by a tone of voice that confirms or contradicts it
NEAREST_EXAMPLES = 3  # nearest examples of each feeling whose mean similarity counts
LEAST_COSINE = 0.30  # cosine similarity below which a sentence counts as neutral
LEAST_LEAD = 0.03  # cosine similarity by which a feeling must exceed neutral


@dataclass(frozen=True, slots=True)
class Feeling:
    """An emotion with its ``strength`` from 0 to 1, which grows with the similarity to the emotion's examples."""

    emotion: Emotion = "neutral"
    strength: float = 0.0


def mirrored(feeling: Feeling) -> Feeling:
    """The feeling that a listener's face shows to somebody with this one."""
    return Feeling(meanings()[feeling.emotion].mirrored or feeling.emotion, feeling.strength)


def voiced(feeling: Feeling, tone: float) -> Feeling:
    """The feeling of somebody's words, strengthened or weakened by their tone of voice.

    ``tone``, as in `companion.hearing.transcription.tone`, is above 0 for a voice that is livelier than usual, below 0
    for a lower and flatter one, 0 for neither. If the words are neutral, it alone gives a weak feeling.
    """
    if not tone:
        return feeling
    if feeling.emotion == "neutral":
        return Feeling("happy" if tone > 0 else "tender", MOST_UNSAID * abs(tone))
    borne_out = meanings()[feeling.emotion].lively == (tone > 0)
    return replace(feeling, strength=min(1.0, feeling.strength * (1.0 + VOICE_WEIGHT * (1 if borne_out else -1))))


class Feelings:
    """Classifies texts by their embeddings; ``embedder`` loads on first use."""

    def __init__(self, embedder: Embeds) -> None:
        self._embedder = embedder
        self._pool = one_thread("feelings")
        self._missing = False

    def warm(self) -> None:
        """Load the embedder now, instead of on first use. Blocks. If its model is missing, that is logged, and `tell`
        returns neutral for every text."""
        try:
            self.of("Hello.")
        except StageError as error:
            self._missing = True
            log.warning("Feelings are not told by meaning: %s", error)

    async def tell(self, text: str) -> Feeling:
        """The feeling that ``text`` expresses, as `of`, without blocking the event loop."""
        if self._missing:
            return Feeling()
        return await asyncio.get_running_loop().run_in_executor(self._pool, self.of, text)

    def of(self, text: str) -> Feeling:
        """The feeling that ``text`` expresses. Blocks for some milliseconds. Raises StageError when the embedder's
        model is missing."""
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
    """The feelings of one session. Without ``feelings`` every text is neutral; ``mirror`` is called with an emotion for
    the face and its strength, 0 to 1."""

    def __init__(self, feelings: Feelings | None, mirror: Callable[[Emotion, float], None]) -> None:
        self._feelings, self._mirror = feelings, mirror

    async def feel(self, text: str) -> Feeling:
        """The feeling that a user's ``text`` expresses."""
        return await self._feelings.tell(text) if self._feelings and text else Feeling()

    async def feel_sentence(self, text: str) -> str:
        """The emotion of a sentence that the companion is going to say."""
        return (await self.feel(text)).emotion

    def show(self, feeling: Feeling) -> None:
        """Mirror the user's feeling on the face."""
        shown = mirrored(feeling)
        self._mirror(shown.emotion, shown.strength)
