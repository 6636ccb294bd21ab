"""Reads the numbers in an utterance as exact values: "3-quarters", "1/3rd", "three out of four", "¾", "75 %".

text2num reads whole numbers, decimals and ordinals in eight languages; the grammar here combines them to fractions.
"""

import functools
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from pathlib import Path

from pydantic import TypeAdapter
from text_to_num import alpha2digit

ECHO = 3  # repetitions of a number beyond which it is taken as the hallucination of a speech recogniser
DIVIDER = "§"  # marks a denominator that was said as a word: "quarter" becomes "§4"

_SUFFIX = r"(?:st|nd|rd|th|ème|er|[ºª°ᵒ])?[sˢ]?"
_TOKEN = re.compile(
    rf"{DIVIDER}\d+|\d+(?:\.\d+)?{_SUFFIX}(?![^\W_])|\d+(?:\.\d+)?|[^\W\d_]+(?:'[^\W\d_]+)*|[%/.,;:?!+=<>-]"
)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_YEAR = re.compile(r"(?<!\d )(?<![\d.])(1\d|20) (\d\d)\b(?! ?[\d%/§])")  # "nineteen forty-five"

# The grammar is over one letter per token: N a number, O an ordinal, D a denominator, A an article, & "and", f "of", i
# "in", t a word that may follow these, z a word with a value, m "minus", P "point", c a word of a time of day, w any
# other word.
_GRAMMAR = re.compile(
    r"""
      (?P<clock>[NA]?Dc)                                   # quarter to: no number
    | (?P<mixed>m?N&[NA]?[DO]|m?N&?N/N)%?                  # two and a half, 1 1/2
    | (?P<product>[NA]?[DO](?:f?A[DOz]|f?z|f[NA]?[DO]|fN(?![/%])))   # half a quarter, a third of 12
    | (?P<ratio>m?Nw?/t?[NO]|m?Nw?[fi]t?N(?![ODz%/])|N-[NO])   # 3/5, one slice out of the four, 3-5
    | (?P<fraction>m?[NA]?D|m?[NA]O)%?                     # three quarters, a third
    | (?P<point>m?PN)%?
    | (?P<dozen>m?[NA]?z)
    | (?P<number>m?N)%?
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Amount:
    """A number in a `Reading`: its exact ``value``, and its tokens from ``start`` to before ``end``. ``counts``: it is
    a plain whole number, which may count something."""

    value: Fraction
    start: int
    end: int
    counts: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """A text as ``tokens`` (lower-case words, numbers in digits, punctuation), and the ``amounts`` in them.
    ``garbled``: a number is repeated, as speech recognisers do on noise; then there are no amounts."""

    tokens: tuple[str, ...]
    amounts: tuple[Amount, ...]
    garbled: bool = False


@dataclass(frozen=True, slots=True)
class _Language:
    """One language of ``numbers.toml``, which documents the fields."""

    fractions: dict[str, int]
    values: dict[str, float]
    articles: tuple[str, ...]
    over: tuple[str, ...]
    parts: tuple[str, ...]
    fillers: tuple[str, ...]
    joins: tuple[str, ...]
    minus: tuple[str, ...]
    percent: tuple[str, ...]
    point: tuple[str, ...]
    zeros: tuple[str, ...]
    clock: tuple[str, ...]
    pronouns: tuple[str, ...]
    comma: bool

    def code(self, token: str) -> str:
        """The letter of ``token`` in the grammar."""
        kinds = {"c": self.clock, "&": self.joins, "A": self.articles, "i": self.parts, "t": self.fillers}
        kinds = {"f": self.parts[:1], "m": self.minus, "P": self.point, "z": tuple(self.values)} | kinds
        if token[0].isdigit():
            plain = _NUMBER.fullmatch(token)
            return "N" if plain else "O" if _value(token) > 2 else "w"
        if token[0] == DIVIDER:
            return "D"
        return next((code for code, words in kinds.items() if token in words), "w" if token[0].isalpha() else token)


def read(text: str, language: str = "en") -> Reading:
    """Read the numbers in ``text``. ``language`` is ISO 639-1; one that ``numbers.toml`` lacks is read as English."""
    known = _languages().get(language) or _languages()["en"]
    tokens = tuple(_TOKEN.findall(_digits(text, known, language if language in _languages() else "en")))
    if any(len(list(run)) > ECHO for token, run in groupby(tokens) if token[0].isdigit()):
        return Reading(tokens, (), garbled=True)
    codes = "".join(map(known.code, tokens))
    return Reading(tokens, tuple(_amounts(codes, tokens, known)))


def _digits(text: str, known: _Language, language: str) -> str:
    """Normalize ``text``: lower case, numbers in digits, one sign for all words and characters of the same meaning."""
    text = unicodedata.normalize("NFKC", re.sub(r"(?<=\d)(?=[¼-¾⅐-⅞])", " ", text)).lower().replace("⁄", "/")
    text = text.replace("’", "'").replace("−", "-")
    text = re.sub(r"(?<![\w).])[-–]\s?(?=\.?\d)", f" {known.minus[0]} ", text)
    text = re.sub(r"(?<=[^\W\d_])-(?=\w)|(?<=\w)-(?=[^\W\d_])", " ", text)
    text = re.sub(r"(?<=\d),(?=\d)" if known.comma else r"(?<=\b0),(?=\d)", ".", text)
    text = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text)
    text = re.sub(r"(?<![\d.])\.(?=\d)", "0.", text)
    text = _replaced(text, known.over, " / ")
    text = _replaced(text, known.percent, " % ")
    text = re.sub(rf"\b(?:{_any(known.zeros)})\s+(?=(?:{_any(known.point)})\b)", f"{known.zeros[-1]} ", text)
    if known.pronouns:
        text = re.sub(rf"\b({_any(known.pronouns)}) (one)(?=s?\b(?! (?:{_any(known.fractions)})\b))", r"\1 it", text)
    for word, number in known.fractions.items():
        text = re.sub(rf"\b{word}\b", f"{DIVIDER}{number}", text)
    return _YEAR.sub(r"\1\2", alpha2digit(" ".join(text.split()), language, 0))


def _amounts(codes: str, tokens: Sequence[str], known: _Language) -> Iterator[Amount]:
    alone = re.fullmatch(r"[^\w]*t?O[^\w]*", codes)  # "third." as a whole answer is the fraction
    if alone:
        at = codes.index("O")
        yield Amount(1 / _value(tokens[at]), at, at + 1, False)
    for found in _GRAMMAR.finditer(codes):
        kind = found.lastgroup
        if kind == "clock":
            continue
        numbers = [_part(tokens[at], codes[at], known) for at in range(*found.span()) if codes[at] in "NODz"]
        value = _worth(kind or "", numbers, found.group())
        if value is not None:
            counts = kind == "number" and value.denominator == 1 and "%" not in found.group()
            yield Amount(value, found.start(), found.end(), counts)


def _worth(kind: str, numbers: list[Fraction], codes: str) -> Fraction | None:
    """The value of a match of the grammar: ``kind`` is its alternative, ``numbers`` its factors, ``codes`` its letters.
    None for a division by zero."""
    match kind:
        case "mixed":
            divided = _divided(*numbers[1:]) if codes.rstrip("%")[-1] == "N" else _product(numbers[1:])
            value = None if divided is None else numbers[0] + divided
        case "ratio":
            value = _divided(numbers[0], 1 / numbers[1] if "O" in codes else numbers[1])
        case "point":
            value = numbers[0] / 10 ** len(str(numbers[0]))
        case _:
            value = _product(numbers)
    if value is None:
        return None
    return value * (-1 if codes.startswith("m") else 1) / (100 if codes.endswith("%") else 1)


def _part(token: str, code: str, known: _Language) -> Fraction:
    """The factor that a token stands for: the value of a number, one divided by that of an ordinal or denominator."""
    if code == "z":
        return Fraction(str(known.values[token]))
    return _value(token) if code == "N" else 1 / _value(token)


def _value(token: str) -> Fraction:
    found = _NUMBER.search(token)
    return Fraction(found.group()) if found else Fraction(1)


def _divided(number: Fraction, by: Fraction) -> Fraction | None:
    return number / by if by else None


def _product(numbers: Iterable[Fraction]) -> Fraction:
    result = Fraction(1)
    for number in numbers:
        result *= number
    return result


def _replaced(text: str, phrases: Sequence[str], sign: str) -> str:
    words = [phrase for phrase in phrases if phrase[0].isalpha()]
    return re.sub(rf"\b(?:{_any(words)})\b", sign, text)


def _any(phrases: Iterable[str]) -> str:
    return "|".join(re.escape(phrase) for phrase in sorted(phrases, key=len, reverse=True))


@functools.cache
def _languages() -> dict[str, _Language]:
    table = tomllib.loads((Path(__file__).parent / "numbers.toml").read_text("utf-8"))
    return TypeAdapter(dict[str, _Language]).validate_python(table)
