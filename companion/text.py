"""Deltas of a language model -> sentences that can be spoken, with their emotions. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast, get_args

from animator.control import Emotion

EMOTIONS = frozenset(cast(tuple[str, ...], get_args(Emotion)))
LONGEST = 240  # characters after which a text without a full stop is cut at a comma or a space
FIRST_CLAUSE = 14  # characters; the first comma after them lets the first sound out early

_ABBREVIATIONS = """
    mr mrs ms dr prof sr jr st vs etc e.g i.e approx vol fig dept est inc ltd co corp gen col sgt capt rev hon
    jan feb mar apr jun jul aug sep sept oct nov dec a.m p.m u.s u.k"""
ABBREVIATIONS = frozenset(_ABBREVIATIONS.split())

_TAG = re.compile(r"\[\s*([A-Za-z][A-Za-z_ ]{1,30}?)\s*\](?!\()\s*")
_END = re.compile(r"[.!?…]+[\"'”’)\]*_]*(?=\s)|[。！？]+[」』”]*|\n+")
_CLAUSE = re.compile(r"[,;:—–](?=\s)")
_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
_URL = re.compile(r"(?:https?://|www\.)([^\s/)]+)\S*")
_CODE = re.compile(r"```.*?(?:```|$)", re.DOTALL)
_MARKUP = re.compile(r"^\s{0,3}(?:#{1,6}\s+|>\s?|[-*+•]\s+)|[*_`~|]+", re.MULTILINE)
_SILENT = re.compile(
    "[\U0001f000-\U0001faff\U00002600-\U000027bf\U0001f1e6-\U0001f1ff\u2190-\u21ff\u2300-\u23ff\u2b00-\u2bff"
    "\ufe0e\ufe0f\u200d\u20e3\x00-\x08\x0b-\x1f\x7f]+"
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """``text`` is for eyes (captions, history), ``spoken`` for the voice; ``spoken`` is never empty."""

    text: str
    spoken: str
    emotion: str = "neutral"


def speakable(text: str) -> str:
    """Markdown, links, emoji and control characters out; a web address keeps its host, the rest its words."""
    text = _CODE.sub(" ", text)
    text = _LINK.sub(r"\1", text)
    text = _URL.sub(lambda m: m.group(1).removeprefix("www.").rstrip(".,"), text)
    text = _SILENT.sub(" ", _MARKUP.sub("", text))
    text = re.sub(r"\s+([,.!?;:])", r"\1", " ".join(text.split()))
    return text if any(c.isalnum() for c in text) else ""


class Sentences:
    """`feed` deltas, get the sentences they complete; `flush` gives the rest."""

    def __init__(self) -> None:
        self._text = ""
        self._emotion = "neutral"
        self._first = True

    def feed(self, delta: str) -> Iterator[Sentence]:
        self._text += delta
        while (cut := self._boundary()) is not None:
            piece, self._text = self._text[:cut], self._text[cut:]
            yield from self._sentence(piece)

    def flush(self) -> Iterator[Sentence]:
        """What is left is complete as it stands."""
        piece, self._text = self._text, ""
        yield from self._sentence(piece)

    def _sentence(self, piece: str) -> Iterator[Sentence]:
        for tag in _TAG.findall(piece):
            if tag.lower() in EMOTIONS:
                self._emotion = tag.lower()
        text = " ".join(_TAG.sub("", piece).split())
        if spoken := speakable(text):
            self._first = False
            yield Sentence(text, spoken, self._emotion)

    def _boundary(self) -> int | None:
        """Where the first complete sentence ends, if one is complete beyond doubt."""
        for match in _END.finditer(self._text):
            if self._is_end(match):
                return match.end()
        limit = FIRST_CLAUSE if self._first else LONGEST
        if len(self._text) <= limit:
            return None
        for match in _CLAUSE.finditer(self._text, limit if self._first else LONGEST // 2):
            return match.end()
        if len(self._text) > LONGEST:
            return self._text.rfind(" ", 0, LONGEST) + 1 or LONGEST
        return None

    def _is_end(self, match: re.Match[str]) -> bool:
        mark = match.group()
        if not mark.startswith((".", "…")):
            return True
        rest = self._text[match.end() :].lstrip(" \t")
        if not rest:
            return False  # the next character decides
        if rest[0].islower() or mark.startswith("..") and rest[0].isdigit():
            return False
        if mark != ".":
            return True
        before = self._text[: match.start()].split()
        word = before[-1].lower().lstrip("(\"'“‘[") if before else ""
        initial = len(word) == 1 and word.isalpha() and word != "i"
        number = word.isdigit() and len(before) == 1  # "1. First": the number of a list
        return not (word in ABBREVIATIONS or initial or number)
