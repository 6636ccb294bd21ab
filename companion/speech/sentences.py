"""Deltas of a language model -> sentences that can be spoken, with their emotions. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self, cast, get_args

from animator.control import Emotion

EMOTIONS = frozenset(cast(tuple[str, ...], get_args(Emotion)))
FEELINGS = {  # what language models write besides the names of emotions
    "warm": "tender", "gentle": "tender", "kind": "tender", "caring": "tender", "sympathetic": "tender",
    "smiles": "happy", "smiling": "happy", "laughs": "happy", "laughing": "happy", "chuckles": "happy",
    "excited": "happy", "cheerful": "happy", "proud": "happy", "sighs": "sad", "sorry": "sad", "worried": "afraid",
    "scared": "afraid", "annoyed": "angry", "amazed": "surprised", "gasps": "surprised", "curious": "thoughtful",
    "thinking": "thoughtful", "confused": "thoughtful", "serious": "neutral", "calm": "neutral",
}  # fmt: skip
GAZES = {"looks away": (14.0, -3.0), "looks down": (0.0, -10.0), "looks up": (5.0, 9.0), "looks at you": (0.0, 0.0)}
PAUSE = 0.6  # s, of ``[pause]``
LONGEST_SENTENCE = 240  # characters after which a text without a full stop is cut at a comma or a space
FIRST_CLAUSE = 14  # characters; the first comma or "because" after them lets the first sound out early
FIRST_PHRASE = 28  # characters; the first "for" or "about" after them does, too

_ABBREVIATIONS = """
    mr mrs ms dr prof sr jr st vs etc e.g i.e approx vol fig dept est inc ltd co corp gen col sgt capt rev hon
    jan feb mar apr jun jul aug sep sept oct nov dec a.m p.m u.s u.k"""
ABBREVIATIONS = frozenset(_ABBREVIATIONS.split())

_TAG = re.compile(r"\[\s*([A-Za-z][A-Za-z_ ]{1,30}?)\s*\](?!\()\s*")
_PAUSE = re.compile(r"\[\s*pause\s*\]", re.IGNORECASE)
_END = re.compile(r"[.!?…]+[\"'”’)\]*_]*(?=\s)|[。！？]+[」』”]*|\n+")
_CLAUSE = re.compile(r"[,;:—–](?=\s)")
_JOINT = re.compile(  # before a clause of its own, not between two words
    r"\s(?=(?:because|but|although|so that|when|while|which|(?:and|or|so) (?:then|i|you|he|she|it|we|they|there)) \w)",
    re.IGNORECASE,
)
_PHRASE = re.compile(  # before a phrase of its own
    r"\s(?=(?:about|at|by|during|for|from|how|if|in|into|on|what|where|with|without) \w)", re.IGNORECASE
)
_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
_URL = re.compile(r"(?:https?://|www\.)([^\s/)]+)\S*")
_CODE = re.compile(r"```.*?(?:```|$)", re.DOTALL)
_MARKUP = re.compile(r"^\s{0,3}(?:#{1,6}\s+|>\s?|[-*+•]\s+)|[*_`~|]+", re.MULTILINE)
_SILENT = re.compile(
    "[\U0001f000-\U0001faff\U00002600-\U000027bf\U0001f1e6-\U0001f1ff\u2190-\u21ff\u2300-\u23ff\u2b00-\u2bff"
    "\ufe0e\ufe0f\u200d\u20e3\x00-\x08\x0b-\x1f\x7f]+"
)


@dataclass(frozen=True, slots=True)
class Mark:
    """What changes in the face with a word of a sentence; None is as before. ``gaze``: yaw and pitch, degrees."""

    word: int
    emotion: str | None = None
    gaze: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Sentence:
    """``text`` is for eyes (captions, history), ``spoken`` for the voice; ``spoken`` is never empty.

    ``emotion`` is the one it begins with, ``marks`` are the changes in it, ``pause`` seconds of silence come before.
    """

    text: str
    spoken: str
    emotion: str = "neutral"
    marks: tuple[Mark, ...] = ()
    pause: float = 0.0

    def within(self, emotions: Sequence[str]) -> Self:
        """The sentence with those of its feelings that are among ``emotions`` (empty: all); the others are neutral."""
        if not emotions:
            return self

        def felt(emotion: str | None) -> str | None:
            return emotion if emotion is None or emotion in emotions else "neutral"

        marks = tuple(replace(mark, emotion=felt(mark.emotion)) for mark in self.marks)
        return replace(self, emotion=felt(self.emotion) or "neutral", marks=marks)


def speakable(text: str) -> str:
    """Markdown, links, emoji and control characters out; a web address keeps its host, the rest its words."""
    text = _CODE.sub(" ", text)
    text = _LINK.sub(r"\1", text)
    text = _URL.sub(lambda m: m.group(1).removeprefix("www.").rstrip(".,"), text)
    text = _SILENT.sub(" ", _MARKUP.sub("", text))
    text = re.sub(r"\s+([,.!?;:])", r"\1", " ".join(text.split()))
    return text if any(c.isalnum() for c in text) else ""


def untagged(text: str) -> str:
    """``text`` without what stands in brackets."""
    return " ".join(_TAG.sub("", text).split())


def words(text: str) -> list[str]:
    """The words of ``text`` in lower case, without what stands between them."""
    return re.findall(r"[\w'’]+", text.lower())


class Sentences:
    """`feed` deltas, get the sentences they complete; `flush` gives the rest."""

    def __init__(self) -> None:
        self._text = ""
        self._emotion = "neutral"
        self._first, self._pause = True, 0.0

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
        first, *rest = _TAG.split(piece)
        written, marks = first, list[Mark]()
        for tag, following in zip(rest[::2], rest[1::2], strict=True):
            marks += self._mark(tag.lower(), len(speakable(written).split()))
            written += following
        text = " ".join(written.split())
        if not (spoken := speakable(text)):
            for mark in marks:
                self._emotion = mark.emotion or self._emotion
            return
        at_once = [mark.emotion for mark in marks if mark.emotion and mark.word == 0]
        emotion = at_once[-1] if at_once else self._emotion
        later = tuple(mark for mark in marks if mark.word or mark.gaze)
        yield Sentence(text, spoken, emotion, later, self._pause)
        self._emotion = ([emotion] + [mark.emotion for mark in later if mark.emotion])[-1]
        self._first, self._pause = False, 0.0

    def _mark(self, tag: str, word: int) -> list[Mark]:
        """What a tag before the ``word``-th word means; none if it means nothing here."""
        if tag == "pause":
            self._pause = PAUSE
        if tag in GAZES:
            return [Mark(word, gaze=GAZES[tag])]
        feeling = FEELINGS.get(tag, tag)
        return [Mark(word, feeling)] if feeling in EMOTIONS else []

    def _boundary(self) -> int | None:
        """Where the first complete sentence ends, if one is complete beyond doubt; a pause ends one, too."""
        if (pause := _PAUSE.search(self._text, 1)) and self._text[: pause.start()].strip():
            return min(pause.start(), self._sentence_end() or pause.start())
        return self._sentence_end()

    def _sentence_end(self) -> int | None:
        for match in _END.finditer(self._text):
            if self._is_end(match):
                return match.end()
        limit = FIRST_CLAUSE if self._first else LONGEST_SENTENCE
        if len(self._text) <= limit:
            return None
        clause = _CLAUSE.search(self._text, limit if self._first else LONGEST_SENTENCE // 2)
        cuts = [clause.end()] if clause else []
        if self._first:
            joints = (_JOINT.search(self._text, FIRST_CLAUSE), _PHRASE.search(self._text, FIRST_PHRASE))
            cuts += [joint.end() for joint in joints if joint]
        if cuts:
            return min(cuts)
        if len(self._text) > LONGEST_SENTENCE:
            return self._text.rfind(" ", 0, LONGEST_SENTENCE) + 1 or LONGEST_SENTENCE
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
