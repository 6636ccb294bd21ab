"""Recognises orders by rule, independently of the language model: stop, be quiet, slower, say that again, what time is
it.

Only a whole utterance can be an order, so that "I can't stop thinking" and "he told me to be quiet" are none.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import Enum
from fractions import Fraction
from pathlib import Path

from companion import frontmatter
from companion.frontmatter import Pattern, strict
from companion.understanding.numbers import read

NO_MATCH = re.compile(r"(?!)")
LONGEST_TIMER = 24 * 3600.0  # s
ANSWERS = frozenset({"most", "unable"})  # keys of `say` that are not orders: the voice cannot go on, or change at all
UNITS = {1: "secs", 60: "mins", 3600: "hrs"}  # by s; "second" is a number, too
SECONDS = {name: seconds for seconds, name in UNITS.items()}
_LETTER = r"[\w\u0900-\u097f]"  # with the vowel signs of Devanagari, which are no letters to Python
_PLAIN = re.compile(rf"{_LETTER}$")
SPACELESS = frozenset({"ja", "zh"})  # languages written without spaces
_EDGE = " \t\n.,;:!?…¡¿。、！？،।\"'”’“"


class Order(Enum):
    """The kinds of orders; the values are keys in ``prompts/orders.md``."""

    STOP = "stop"
    QUIET = "quiet"
    TALK = "talk"
    NO_QUESTIONS = "no_questions"
    QUESTIONS = "questions"
    AGAIN = "again"
    TIME = "time"
    DATE = "date"
    TIMER = "timer"
    LANGUAGE = "language"
    SLOWER = "slower"
    FASTER = "faster"
    LOUDER = "louder"
    SOFTER = "softer"
    NORMAL = "normal"


@strict
@dataclass(frozen=True, slots=True, kw_only=True)
class Phrases:
    """One language of ``prompts/orders.md``, which documents the fields."""

    polite: Pattern
    stop: Pattern
    quiet: Pattern
    talk: Pattern
    no_questions: Pattern
    questions: Pattern
    again: Pattern
    time: Pattern
    date: Pattern
    slower: Pattern
    faster: Pattern
    louder: Pattern
    softer: Pattern
    normal: Pattern
    timer: Pattern = NO_MATCH
    language: Pattern = NO_MATCH
    units: dict[str, int] = field(default_factory=dict[str, int])
    numbers: dict[str, float] = field(default_factory=dict[str, float])
    names: dict[str, str] = field(default_factory=dict[str, str])
    say: dict[str, str]


@dataclass(frozen=True, slots=True)
class Given:
    """An ``order``, given in ``language`` (ISO 639-1). ``seconds`` is the duration of a timer, else 0.0; ``wanted`` is
    the language (ISO 639-1) that the companion is asked to speak, else ""."""

    order: Order
    language: str
    seconds: float = 0.0
    wanted: str = ""
    again: bool = False


def load(folder: Path) -> dict[str, Phrases]:
    """Read ``orders.md`` from a folder of prompts -> its languages by ISO 639-1 code. Raises PromptError for an invalid
    file, or an order without an answer."""
    path = folder / "orders.md"
    head, _ = frontmatter.read(path)
    found = {language: frontmatter.parse(Phrases, table, path) for language, table in head.items()}
    for language, known in found.items():
        wanted = {f.name for f in fields(known)} & {order.value for order in Order if order is not Order.LANGUAGE}
        used = {name for name in wanted if getattr(known, name) is not NO_MATCH}
        if missing := (used | ANSWERS) - set(known.say):
            raise frontmatter.PromptError(f"{path}: {language}.say: there is no {missing.pop()!r}")
    return found


def given(said: str, phrases: Mapping[str, Phrases], language: str = "") -> Given | None:
    """The order that the whole utterance ``said`` is, in any language of ``phrases``; None if it is none. ``language``,
    the one that was recognised, is tried first."""
    for code in sorted(phrases, key=lambda known: known != language):
        if found := _given(said, code, phrases[code]):
            return found
    return None


def _given(said: str, code: str, known: Phrases) -> Given | None:
    whole = " ".join(said.replace("’", "'").split()).strip(_EDGE)
    for plain in (whole, _bare(whole, known.polite)):
        for order in Order:
            pattern: re.Pattern[str] = getattr(known, order.value)
            if (found := pattern.fullmatch(plain)) and (meant := _meant(order, found, code, known)):
                return meant
    return None


def _meant(order: Order, found: re.Match[str], code: str, known: Phrases) -> Given | None:
    """The order with its argument; None if it needs one (a duration, a language) that is not valid."""
    about = next((group for group in found.groups() if group), "").strip().lower()
    if order is Order.TIMER:
        seconds = duration(about, code, known.units, known.numbers)
        return Given(order, code, seconds) if 0 < seconds <= LONGEST_TIMER else None
    if order is Order.LANGUAGE:
        return Given(order, code, wanted=known.names[about]) if about in known.names else None
    return Given(order, code, again=bool(found.groupdict().get("again")))


def duration(text: str, language: str, units: Mapping[str, int], numbers: Mapping[str, float]) -> float:
    """The duration that ``text`` says, in seconds: "ten minutes", "an hour and a half"; 0.0 for any other text.
    ``units`` maps words for units to seconds, ``numbers`` words for numbers to these, where `read` does not know the
    language."""
    spaceless = language in SPACELESS
    text = _replaced(text.replace("-", " "), {word: f"{number:g}" for word, number in numbers.items()}, spaceless)
    reading = read(_replaced(text, {word: UNITS[seconds] for word, seconds in units.items()}, spaceless), language)
    amounts = {amount.start: amount for amount in reading.amounts}
    total, pending, unit, at = Fraction(0), Fraction(1), 0, 0
    while at < len(reading.tokens):
        if amount := amounts.get(at):
            pending, at = amount.value, amount.end
            continue
        if (token := reading.tokens[at]) in SECONDS:
            unit = SECONDS[token]
            total, pending = total + pending * unit, Fraction(1)
        elif token.isalpha() and len(token) > 3:
            return 0.0  # "and", "an", "une" are short
        at += 1
    return float(total + (pending * unit if pending < 1 else 0))


def _replaced(text: str, words: Mapping[str, str], spaceless: bool) -> str:
    """``text`` with other words in the place of ``words``; these may stand anywhere if it is ``spaceless``."""
    for word in sorted(words, key=len, reverse=True):
        begin = "" if spaceless else rf"(?<!{_LETTER})"
        end = "" if spaceless or not _PLAIN.search(word) else rf"(?!{_LETTER})"
        text = re.sub(f"{begin}{re.escape(word)}{end}", f" {words[word]} ", text)
    return text


def _bare(said: str, polite: re.Pattern[str]) -> str:
    """``said`` without polite words at its beginning and end."""
    text = said
    while True:
        found = polite.match(text)
        shorter = text[found.end() :] if found else text
        ends = list(re.finditer(rf"[\s,]+(?:{polite.pattern})$", shorter, re.IGNORECASE))
        shorter = (shorter[: ends[0].start()] if ends else shorter).strip(_EDGE)
        if shorter == text or not shorter:
            return text
        text = shorter
