"""What the rules of speech know about words: signs by language, stage directions, and which language a text is in."""

import functools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from companion.emotions import meanings

OTHER_LETTERS = {"de": "äöüß", "es": "ñ¿¡", "pt": "ãõ", "pl": "ąęłńśźż", "sv": "å"}  # where others have hardly any
_ADDRESSES = re.compile(r"\S+[@./]\S+|\b\w-\w+")  # their words are no language's
WORDS = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")


@dataclass(frozen=True, slots=True)
class Language:
    """How one language says what has no words of its own, as ``wording.toml`` explains."""

    common: frozenset[str]
    code: str
    some: str
    signs: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Endings:
    """After which abbreviations a sentence goes on, as ``wording.toml`` explains."""

    names: frozenset[str]
    numbers: frozenset[str]
    others: frozenset[str]
    begin: frozenset[str]
    after_time: frozenset[str]
    begin_after_number: frozenset[str]


def language_of(text: str, default: str = "en") -> str:
    """The language of ``text`` by its commonest words, as an ISO 639-1 code; ``default`` where they do not tell."""
    said = [word.lower() for word in WORDS.findall(_ADDRESSES.sub(" ", text))]
    known = languages()
    scores = {
        code: sum(min(1.0, len(word) / 2) for word in said if word in language.common)
        for code, language in known.items()
    }
    for code, letters in OTHER_LETTERS.items():
        scores[code] += sum(letter in letters for letter in text.lower())
    best = max(scores.values())
    own = scores.get(default, 0)
    if best < 1 or own == best or best == 1 and own == 0 and len(said) > 4:
        return default
    return next(code for code, score in scores.items() if score == best)


def language(code: str) -> Language:
    """What is known of the language; of an unknown one, English without its signs."""
    known = languages()
    english = known["en"]
    return known.get(code) or Language(frozenset(), english.code, english.some)


@functools.cache
def languages() -> dict[str, Language]:
    """By ISO 639-1 code."""
    table: dict[str, Any] = _file()["languages"]
    return {code: Language(**(row | {"common": frozenset(row["common"])})) for code, row in table.items()}


@functools.cache
def endings() -> Endings:
    """Those of all languages together."""
    return Endings(**{name: frozenset(words) for name, words in _file()["endings"].items()})


@functools.cache
def everyday() -> frozenset[str]:
    """Verbs of stage directions that are emphasized in ordinary sentences, too."""
    return frozenset(_file()["everyday"]["verbs"])


@functools.cache
def numbered() -> tuple[frozenset[str], frozenset[str]]:
    """What has Roman numerals that count it, and who bears them as a name."""
    roman = _file()["roman"]
    return frozenset(roman["counted"]), frozenset(roman["rulers"])


@functools.cache
def feelings() -> dict[str, str]:
    """What language models write in brackets besides the names of emotions -> an emotion."""
    return {tag: name for name, meaning in meanings().items() for tag in meaning.tags}


@functools.cache
def directions() -> dict[str, str]:
    """Verbs of stage directions, in all their forms -> an emotion, or "" for none."""
    table: dict[str, str] = _file()["directions"]
    return {form: feeling for verb, feeling in table.items() for form in _forms(verb)}


def sound_of(direction: str) -> str:
    """What is heard of a stage direction: "laugh", "sigh", "breath" or, mostly, ""."""
    return next((_sounds()[word] for word in WORDS.findall(direction.lower()) if word in _sounds()), "")


@functools.cache
def _sounds() -> dict[str, str]:
    table: dict[str, str] = _file()["sounds"]
    return {form: sound for verb, sound in table.items() for form in (*_forms(verb), _stem(verb))}


def _forms(verb: str) -> tuple[str, ...]:
    stem = verb.removesuffix("ies") + "y" if verb.endswith("ies") else _stem(verb)
    return (verb, f"{stem}ing", f"{stem.removesuffix('e')}ing", f"{stem}{stem[-1]}ing")


def _stem(verb: str) -> str:
    """ "smiles" -> "smile", "blushes" -> "blush"."""
    return verb[:-2] if verb.endswith(("shes", "ches", "sses", "xes", "oes")) else verb[:-1]


@functools.cache
def _file() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "wording.toml").read_text("utf-8"))
