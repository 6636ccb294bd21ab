"""Grapheme-to-phoneme conversion for English: text -> phoneme symbols, each with the word that it belongs to.

The symbols are those of Kokoro (misaki's alphabet); the conversion is hibari's G2P (Apache-2.0).
"""

import copy
import difflib
import functools
import logging
import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

from companion.errors import StageError

log = logging.getLogger(__name__)

MAX_SYMBOLS = 400  # per call, well below the length that the networks were trained for
CLAUSE_ENDS = frozenset(",;:—.!?…")
_FINAL_NO = re.compile(r"\b(no)\.$", re.IGNORECASE)  # the G2P would read it as the abbreviation of "number"
IPA = {"A": "eɪ", "I": "aɪ", "O": "oʊ", "Q": "əʊ", "W": "aʊ", "Y": "ɔɪ", "ʤ": "dʒ", "ʧ": "tʃ"}  # two sounds a letter
_FROM_IPA = (
    *((sounds, letter) for letter, sounds in IPA.items()), ("r", "ɹ"),
    ("g", "ɡ"), ("ɝ", "ɜɹ"), ("ɚ", "əɹ"), ("iː", "i"), ("uː", "u"), ("ɑː", "ɑ"), ("ɔː", "ɔ"), ("'", "ˈ"), (".", ""),
    (" ", ""),
)  # fmt: skip
UNSPEAKABLE_CATEGORIES = frozenset({"So", "Sk", "Cs", "Co", "Cn", "Cc", "Cf"})  # emoji, control characters, ...


@dataclass(frozen=True, slots=True)
class Spoken:
    """A word as written, and the range [start, end) of its symbols; empty if it is silent."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Utterance:
    """The input of one call of a network. ``symbols``: characters of Kokoro's alphabet."""

    symbols: str
    words: tuple[Spoken, ...]


class Reads(Protocol):
    """Reads a language aloud, in Kokoro's alphabet."""

    def utterances(self, text: str) -> list[Utterance]: ...
    def ids(self, symbols: str) -> list[int]: ...


class English:
    """Text to utterances, in American or British pronunciation. Not thread-safe."""

    def __init__(self, british: bool = False) -> None:
        self._g2p, self._normalize, self._sentences, self._alphabet = _hibari(british)
        self._own: dict[str, str] = {}  # lower-case word -> symbols, overriding the G2P
        self._own = self._symbols(_usual())

    def pronouncing(self, words: Mapping[str, str]) -> "English":
        """A copy with a pronunciation for each of ``words``: ``/IPA/``, or a respelling that the G2P reads.

        Raises:
            StageError: ``tts_pronunciation`` for a pronunciation that has no sound.
        """
        other = copy.copy(self)
        other._own = self._own | self._symbols(words)
        return other

    def _symbols(self, words: Mapping[str, str]) -> dict[str, str]:
        own: dict[str, str] = {}
        for word, said in words.items():
            phonemes = kokoro(said.strip("/")) if said.startswith("/") else str(self._g2p(said)).rstrip(".")
            own[word.lower()] = "".join(c for c in phonemes if c in self._alphabet)
            if not any(c.isalpha() for c in own[word.lower()]):
                raise StageError("tts_pronunciation", f"{said!r}, how {word!r} is to be said, has no sound.")
        return own

    def utterances(self, text: str) -> list[Utterance]:
        """Text of any length -> its sentences as symbols, each at most `MAX_SYMBOLS` long; [] if none is speakable.

        The words of all utterances, joined by spaces, are ``text`` with white space collapsed and without the sentences
        that have no sound.
        """
        result: list[Utterance] = []
        for sentence, following in pairwise([*self._sentences(text), ""]):
            written, spoken = sentence.split(), _speakable(sentence)
            if not following[:1].isdigit():
                spoken = _FINAL_NO.sub(r"\1 .", spoken)
            symbols, normal = self._pronounce(spoken)
            if any(symbol.isalpha() for symbol in symbols):
                result += cut(Utterance(symbols, align(written, normal)), MAX_SYMBOLS)
        if not result and text.strip():
            log.warning("a text of %d characters has nothing that an English voice can say", len(text))
        return result

    def ids(self, symbols: str) -> list[int]:
        """n symbols -> n + 2 ids, the network's input, padded with 0 at both ends."""
        return [0, *(self._alphabet[symbol] for symbol in symbols), 0]

    def _pronounce(self, sentence: str) -> tuple[str, list[Spoken]]:
        """One sentence -> its symbols, and its words after normalisation ("$5" becomes two)."""
        tokens = self._g2p.tokenize(self._normalize(sentence))
        for token in tokens:
            if own := self._own.get(token.text.lower()):
                token.phonemes, token.rating = own, 5
        tokens = self._g2p.phonemize_tokens(tokens)
        symbols, words, text, start = "", list[Spoken](), "", 0
        for token in tokens:
            text += token.text
            symbols += "".join(c for c in token.phonemes or "" if c in self._alphabet)
            if token.whitespace or token is tokens[-1]:
                words.append(Spoken(text, start, len(symbols)))
                symbols += " " if token.whitespace else ""
                text, start = "", len(symbols)
        return symbols, words


def alphabet() -> dict[str, int]:
    """Kokoro's symbols and their numbers."""
    return _hibari(False)[3]


def kokoro(ipa: str) -> str:
    """IPA as written in dictionaries -> Kokoro's alphabet."""
    for sounds, letter in _FROM_IPA:
        ipa = ipa.replace(sounds, letter)
    return ipa


@functools.cache
def _usual() -> dict[str, str]:
    """The shipped pronunciations: names and interjections that the G2P gets wrong."""
    words: dict[str, str] = tomllib.loads((Path(__file__).parent / "pronunciations.toml").read_text("utf-8"))
    return words


def _speakable(sentence: str) -> str:
    kept = (c if c == "°" or unicodedata.category(c) not in UNSPEAKABLE_CATEGORIES else " " for c in sentence)
    return " ".join("".join(kept).split())


def align(written: list[str], normal: list[Spoken]) -> tuple[Spoken, ...]:
    """Align words as ``written`` with the ``normal``ised ones -> each written word with the range of its symbols."""
    matcher = difflib.SequenceMatcher(
        None, [_key(word) for word in written], [_key(word.text) for word in normal], False
    )
    result: list[Spoken] = []
    for _, i, i_end, j, j_end in matcher.get_opcodes():
        if i_end - i == j_end - j:
            pairs = zip(written[i:i_end], normal[j:j_end], strict=True)
            result += [Spoken(text, word.start, word.end) for text, word in pairs]
            continue
        before = result[-1].end if result else 0
        start, end = (normal[j].start, normal[j_end - 1].end) if j_end > j else (before, before)
        bounds = [start + (end - start) * k // max(1, i_end - i) for k in range(i_end - i + 1)]
        result += [Spoken(text, bounds[k], bounds[k + 1]) for k, text in enumerate(written[i:i_end])]
    return tuple(result)


def _key(word: str) -> str:
    return re.sub(r"\W", "", word).lower() or word


def cut(utterance: Utterance, limit: int) -> list[Utterance]:
    """Split into pieces of at most ``limit`` symbols: after the last clause that fits, else between words, else
    anywhere."""
    symbols, words = utterance.symbols, utterance.words
    if len(symbols) <= limit:
        return [utterance]
    clause = max((i + 1 for i in range(limit) if symbols[i] in CLAUSE_ENDS), default=0)
    at = clause or symbols.rfind(" ", 1, limit) + 1 or limit
    head = tuple(Spoken(w.text, w.start, min(w.end, at)) for w in words if w.start < at)
    tail = tuple(Spoken(w.text, w.start - at, w.end - at) for w in words if w.start >= at)
    return [Utterance(symbols[:at], head), *cut(Utterance(symbols[at:], tail), limit)]


@functools.cache
def _hibari(british: bool) -> tuple[Any, Any, Any, dict[str, int]]:
    """hibari's G2P, normaliser, sentence splitter and alphabet, loaded once and warmed up."""
    import json
    from importlib import resources

    from hibari import Hibari
    from hibari.g2p import G2P
    from hibari.g2p.normalize import normalize

    alphabet: dict[str, int] = json.loads(resources.files("hibari").joinpath("assets/vocab.json").read_text("utf-8"))
    g2p = G2P(british=british)
    g2p("warm")
    return g2p, normalize, Hibari.split_sentences, alphabet
