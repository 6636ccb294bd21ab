"""Is the user in danger? Phrases that say it outright, then the meaning of each sentence, compared with examples."""

import hashlib
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from companion.models import locate
from companion.models.embeddings import Embeds, Vectors
from companion.safety.policy import Crisis

Level = Literal["none", "concern", "crisis"]

SHARPNESS = 3.0  # of likeness: how much nearer examples count more
SIGNS = 0.1  # weight of the three signs beside the meaning
EVENNESS = 0.1  # how far single examples may be overruled by the others
MOST_SENTENCES = 40  # sentences of one message that are looked at, the last ones
SENTENCE = re.compile(r"[^.!?…\n]+[.!?…]*")
FIRST_PERSON = re.compile(r"\b(?:i|i'm|im|i've|i'd|i'll|me|my|myself|mine|gonna|wanna)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Verdict:
    """``score`` from 0 to 1 (1 where a phrase decided); ``by`` says which layer did."""

    level: Level
    score: float
    by: Literal["phrase", "meaning", "none"] = "none"


class Detector:
    """Compares with the examples by kernel ridge regression: the score of a sentence is a sum over all examples, each
    weighed by its likeness in meaning and by three signs they share or not: a certain phrase, an excuse, "I".

    Without an ``embedder`` only phrases decide.
    """

    def __init__(self, policy: Crisis, embedder: Embeds | None) -> None:
        self._policy, self._embedder = policy, embedder
        if embedder is None:
            return
        texts = (*policy.danger, *policy.safe)
        self._vectors = _remembered(embedder, texts)
        self._signs = np.stack([self._read(text) for text in texts])
        wanted = np.r_[np.ones(len(policy.danger)), -np.ones(len(policy.safe))]
        weight = np.where(wanted > 0, 1.0, len(policy.danger) / len(policy.safe))
        alike = self._alike(self._vectors, self._signs)
        self._weights = np.linalg.solve(alike + EVENNESS * np.diag(1 / weight), wanted)

    def judge(self, text: str) -> Verdict:
        """A message -> the verdict on its most worrying sentence. Blocks for some milliseconds a sentence."""
        text = text.replace("\u2019", "'")
        sentences = [s for s in (part.strip() for part in SENTENCE.findall(text)) if s][-MOST_SENTENCES:]
        if len(sentences) > 1:
            sentences += [" ".join(pair) for pair in zip(sentences, sentences[1:], strict=False)]
        if any(self._is_certain(sentence) for sentence in sentences):
            return Verdict("crisis", 1.0, "phrase")
        if not sentences:
            return Verdict("none", 0.0)
        if self._embedder is None:
            said = any(_matches(self._policy.certain, sentence) for sentence in sentences)
            return Verdict("concern", 0.5, "phrase") if said else Verdict("none", 0.0)
        signs = np.stack([self._read(sentence) for sentence in sentences])
        values = self._alike(self._embedder.embed(sentences), signs) @ self._weights
        score = float(np.clip((values.max() + 1) / 2, 0, 1))
        level = "crisis" if score >= self._policy.crisis else "concern" if score >= self._policy.concern else "none"
        return Verdict(level, score, "meaning")

    def _is_certain(self, sentence: str) -> bool:
        if not _matches(self._policy.certain, sentence):
            return False
        return not _matches(self._policy.excuses, sentence) or bool(self._policy.insists.search(sentence))

    def _read(self, sentence: str) -> NDArray[np.float64]:
        """The three signs of a sentence, each 1 or -1."""
        first = bool(FIRST_PERSON.search(sentence))
        signs = _matches(self._policy.certain, sentence), _matches(self._policy.excuses, sentence), first
        return np.array(signs, np.float64) * 2 - 1

    def _alike(self, vectors: Vectors, signs: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 384), (n, 3) -> (n, examples)."""
        return np.exp(SHARPNESS * (vectors @ self._vectors.T - 1)) + SIGNS * signs @ self._signs.T


def _matches(patterns: Sequence[re.Pattern[str]], text: str) -> bool:
    return any(pattern.search(text) for pattern in patterns)


def _remembered(embedder: Embeds, texts: Sequence[str]) -> Vectors:
    """The vectors of the examples, kept on disk: computing them takes seconds."""
    key = hashlib.sha256("\n".join((type(embedder).__name__, *texts)).encode()).hexdigest()[:16]

    def make() -> bytes:
        content = io.BytesIO()
        np.save(content, embedder.embed(texts))
        return content.getvalue()

    return np.load(io.BytesIO(locate.once(locate.cache_dir() / "safety" / f"{key}.kept", make)))
