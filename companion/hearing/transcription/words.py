"""What words say about turns: backchannels, sentences that will go on, answers that are complete. Pure."""

import functools
import itertools
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SPACELESS_LANGUAGES = frozenset({"zh", "ja"})  # written without spaces
CREDIBLE_CONFIDENCE = (
    0.47  # confidence of a transcript from which its words are believed: what is made of an "mm-hm" has 0.05 to 0.45
)
BRIEF_WORDS = 4  # words that a backchannel has at most
MOST_WITHOUT_WORDS = (
    0.5  # most that is believed of the end of a turn before its words are known: no reply could begin yet
)
OPEN_AT_MOST = 0.1  # probability of being done, for a sentence whose last word wants another one
TRAILING_AT_MOST = 0.2  # for one that the transcript leaves open, with "..." or a comma, or a clause that leads to one
SPELLING_AT_MOST = 0.3  # for letters one by one: people think between them, for most of a second
CLOSED_AT_LEAST = 0.8  # for a complete short answer
QUESTION_AT_LEAST = 0.6  # for what the transcript ends with a question mark
STATED_AT_LEAST = 0.35  # for what it ends with a full stop, which it does too gladly to be believed more
QUESTION_WORDS = 4  # from which on it may be believed: "Can you tell me?" has a question mark, too

_TRAILING_SIGN = re.compile(r"(?:\.{2,}|…|,|、|，|-|–|—)[\"'”’]*$")
_FULL_STOP = re.compile(r"[.!。！][\"'”’]*$")
_WORDS_OF_ONE_LETTER = frozenset("aioy")  # in the languages that are heard: they are no letters alone
_QUESTION = re.compile(r"[?？][\"'”’]*$")


@dataclass(frozen=True, slots=True)
class Words:
    """The lists of one language, as ``words.toml`` explains them."""

    backchannels: frozenset[str]
    phrases: frozenset[str]
    open: frozenset[str]
    leading: frozenset[str]
    fillers: frozenset[str]
    closed: frozenset[str]
    stops: frozenset[str]


def is_backchannel(text: str) -> bool:
    """Whether all that was said is of the "mm-hm" kind, in any language: a short sound is often taken for another's."""
    words = _words(text)
    if not 0 < len(words) <= BRIEF_WORDS:
        return False
    for known in _languages().values():
        if " ".join(words) in known.phrases or all(word in known.backchannels for word in words):
            return True
    return False


def takes_floor(text: str, confidence: float) -> bool:
    """Whether a short sound over somebody else's speech, understood as ``text`` with that ``confidence``, asks for the
    floor. Speech recognition makes words of an "mm-hm" and a laugh; it is less sure of them."""
    words = _words(text)
    if not words or is_backchannel(text):
        return False
    return confidence >= CREDIBLE_CONFIDENCE or any(" ".join(words) in known.stops for known in _languages().values())


def done(by_sound: float, text: str, language: str) -> float:
    """The probability that a turn is over, judged by its sound alone -> the same, given its words."""
    known = _languages().get(language)
    if not text.strip() or known is None:
        return by_sound
    plain = _plain(text)
    if plain in known.closed:
        return max(by_sound, CLOSED_AT_LEAST)
    if _ends_in(plain, known.open | known.fillers, language):
        return min(by_sound, OPEN_AT_MOST)
    if _spells(plain):
        return min(by_sound, SPELLING_AT_MOST)
    if _QUESTION.search(text.strip()):
        believed = len(plain.split()) >= QUESTION_WORDS or language in SPACELESS_LANGUAGES
        return max(by_sound, QUESTION_AT_LEAST) if believed else by_sound
    if _TRAILING_SIGN.search(text.strip()) or _leads(text, known.leading, language):
        return min(by_sound, TRAILING_AT_MOST)
    return max(by_sound, STATED_AT_LEAST) if _FULL_STOP.search(text.strip()) else by_sound


def _spells(plain: str) -> bool:
    """Whether the last words are letters, as when somebody spells: "m", "u with two dots", "double l"."""
    *before, last = plain.split()[-4:] or [""]
    letter = len(last) == 1 and last.isalpha() and last not in _WORDS_OF_ONE_LETTER
    return letter or (len(last) <= 2 and before[-1:] == ["double"]) or (last == "dots" and "with" in before)


def _ends_in(plain: str, endings: frozenset[str], language: str) -> bool:
    if language in SPACELESS_LANGUAGES:
        return any(plain.endswith(ending) for ending in endings)
    words = plain.split()
    return any(" ".join(words[-count:]) in endings for count in range(1, 5))


def _leads(text: str, leading: frozenset[str], language: str) -> bool:
    """Whether the last sentence is a subordinate clause without its main clause."""
    last = re.split(r"(?<=[.!?。！？])\s*", text.strip().rstrip(".!。！"))[-1]
    between = "" if language in SPACELESS_LANGUAGES else " "
    starts = any((_plain(last) + between).startswith(word + between) for word in leading)
    return starts and not re.search(r"[,，、]", last)


def _words(text: str) -> list[str]:
    """Its words; what is said several times in a row counts once."""
    return [word for word, _ in itertools.groupby(_plain(text).split())]


def _plain(text: str) -> str:
    """Lower case, words with the marks inside them, nothing else."""
    words = re.sub(r"[^\w\s'-]", " ", text.lower().replace("’", "'")).split()
    return " ".join(word.strip("-'") for word in words if word.strip("-'"))


@functools.cache
def _languages() -> dict[str, Words]:
    table: dict[str, Any] = tomllib.loads((Path(__file__).parent / "words.toml").read_text("utf-8"))
    return {
        language: Words(**{name: frozenset(found) for name, found in lists.items()})
        for language, lists in table.items()
    }
