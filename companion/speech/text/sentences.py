"""Deltas of a language model -> sentences that can be spoken, with their emotions. Pure.

`Sentences` reads character by character, so that the size of the deltas makes no difference: no sentence ends within a
construct (`companion.speech.text.constructs`), `companion.speech.text.boundaries` decides where else one ends, and
`companion.speech.text.markup` what of it is for eyes and what for the voice. Thoughts have been taken out before
(`companion.speech.text.thoughts`), all but the `RETRACTED` that follows one whose beginning was not marked.
"""

import difflib
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from companion.speech.text.boundaries import END, early_cut, ends, late_cut
from companion.speech.text.constructs import Construct, closed, opened
from companion.speech.text.markup import TAG, Mark, parse, speakable
from companion.speech.text.thoughts import RETRACTED
from companion.speech.text.wording import language

__all__ = ["Mark", "Sentence", "Sentences", "speakable", "untagged", "words"]

PAUSE = 0.6  # s, of ``[pause]``
_WIDE = "。！？"
_WIDE_CLOSERS = "」』”"
_PAUSE_TAG = re.compile(r"\[\s*pause\s*\]$", re.IGNORECASE)
_ASIDE = re.compile(  # a reply that begins so is talking to itself, even where no tag says so
    r"\b(?:the|this) user\b(?! (?:manual|guide|interface))|\buser(?:'s| (?:asks?|asked|says?|said|wants?|wrote))\b|"
    r"\bI (?:need|should|have) to (?:respond|reply|answer)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """``text`` is for eyes (captions, history), ``spoken`` for the voice; both are empty only of a sound at the end.

    ``emotion`` is the one it begins with, ``marks`` are the changes in it, which count the words of ``text``; ``pause``
    seconds of silence and a ``sound`` (`companion.speech.text.wording.sound_of`) come before.
    """

    text: str
    spoken: str
    emotion: str = "neutral"
    marks: tuple[Mark, ...] = ()
    pause: float = 0.0
    sound: str = ""
    language: str = ""  # ISO 639-1, as far as its words tell

    def within(self, emotions: Sequence[str]) -> Self:
        """The sentence with those of its feelings that are among ``emotions`` (empty: all); the others are neutral."""
        if not emotions:
            return self

        def felt(emotion: str | None) -> str | None:
            return emotion if emotion is None or emotion in emotions else "neutral"

        marks = tuple(replace(mark, emotion=felt(mark.emotion)) for mark in self.marks)
        return replace(self, emotion=felt(self.emotion) or "neutral", marks=marks)


def untagged(text: str) -> str:
    """``text`` without what stands in brackets."""
    return " ".join(TAG.sub(" ", text).split())


def words(text: str) -> list[str]:
    """The words of ``text`` in lower case, without what stands between them."""
    return re.findall(r"[\w'’]+", text.lower())


def shown(text: str, spoken: str) -> tuple[tuple[str, ...], ...]:
    """For each word that is spoken, the words of ``text`` that begin with it: one where both say the same, several
    where a few words stand for many, none for the later ones of a number that is said in words."""
    written, said = text.split(), spoken.split()
    if len(written) == len(said):
        return tuple((word,) for word in written)
    result: list[tuple[str, ...]] = [() for _ in said]
    matcher = difflib.SequenceMatcher(None, [_bare(w) for w in written], [_bare(w) for w in said], False)
    for _, i, i_end, j, j_end in matcher.get_opcodes():
        for k in range(i, i_end):
            at = j + (k - i) * (j_end - j) // (i_end - i)
            result[min(at, len(said) - 1)] += (written[k],)
    return tuple(result)


@dataclass(slots=True)
class Sentences:
    """`feed` deltas, get the sentences they complete; `flush` gives the rest.

    Args:
        language: of the reply, as far as it does not tell by its words; an ISO 639-1 code.
        waited: seconds for which somebody waits for the first sentence; the longer, the shorter it may be.
    """

    language: str = "en"
    waited: float = 0.0
    _unread: deque[str] = field(default_factory=deque[str])
    _text: str = ""
    _construct: Construct | None = None
    _end: int | None = None  # where a sentence may have ended, if what follows begins another
    _emotion: str = "neutral"
    _first: bool = True
    _pause: float = 0.0
    _sound: str = ""  # of the next sentence
    _code: str = ""  # that was announced, and is shown with the next sentence
    _announced: bool = False
    _aside: list[Sentence] | None = None  # the reply's beginning, while it sounds like a thought

    @property
    def begun(self) -> bool:
        """Whether anything came besides thoughts."""
        return self._aside is None and (not self._first or bool(self._text.strip()))

    def feed(self, delta: str) -> Iterator[Sentence]:
        self._unread.extend(delta)
        yield from self._out(self._read())

    def flush(self) -> Iterator[Sentence]:
        """What is left is complete as it stands."""
        yield from self._out(self._rest())
        yield from self._aside or ()
        self._aside = None

    def _read(self) -> Iterator[Sentence]:
        while self._unread:
            char = self._unread.popleft()
            if char == RETRACTED:
                self._retract()
            else:
                yield from self._take(char)

    def _retract(self) -> None:
        self._text, self._construct, self._end, self._code = "", None, None, ""
        self._emotion, self._aside, self._first = "neutral", None, True

    def _rest(self) -> Iterator[Sentence]:
        while self._construct and not self._is_code(self._construct):
            self._give_up(self._construct)
            yield from self._read()
        if self._construct:
            yield from self._block(self._text)
        elif self._end is not None and self._over("", whole=True):
            yield from self._cut(self._end)
        piece, self._text, self._construct = self._text, "", None
        yield from self._sentence(piece)
        if self._code:
            yield Sentence(self._code, language(self.language).code, self._emotion)
            self._code = ""
        if self._sound:
            yield Sentence("", "", self._emotion, sound=self._sound)
            self._sound = ""

    def _out(self, sentences: Iterator[Sentence]) -> Iterator[Sentence]:
        """The sentences, unless the reply began as a thought does: those wait for its end."""
        for sentence in sentences:
            if self._first and _ASIDE.search(sentence.text):
                self._aside = self._aside or []
            self._first = False
            if self._aside is None:
                yield sentence
            else:
                self._aside.append(sentence)

    def _take(self, char: str) -> Iterator[Sentence]:
        if self._construct:
            self._text += char
            yield from self._inside(self._construct)
            return
        yield from self._boundary(char)
        self._text += char
        self._construct = opened(self._text)

    def _inside(self, construct: Construct) -> Iterator[Sentence]:
        span = self._text[construct.start :]
        if span in ("```", "~~~") and construct.start:
            before, self._text, self._construct = self._text[: construct.start], span, Construct(construct.kind, 0)
            yield from self._sentence(before)
            return
        end = closed(construct, self._text)
        if end is None:
            self._give_up(construct)
        elif end and self._is_code(construct):
            yield from self._block(self._text)
            self._text, self._construct = "", None
        elif end:
            self._construct = None
            if _PAUSE_TAG.search(self._text) and self._text[: construct.start].strip():
                yield from self._cut(construct.start)

    def _is_code(self, construct: Construct) -> bool:
        return self._text.startswith(("```", "~~~"), construct.start)

    def _give_up(self, construct: Construct) -> None:
        """It was no construct: read its text again as plain text."""
        after = construct.start + (2 if construct.kind in ("\\(", "\\[", "*", "_") else 1)
        self._unread.extendleft(reversed(self._text[after:]))
        self._text, self._construct = self._text[:after], None

    def _block(self, code: str) -> Iterator[Sentence]:
        """A block of code is said to be there, unless the words before it have said so."""
        if not re.sub(r"^[`~]+\w*|[`~]+\s*$", "", code).strip():
            return
        if self._announced:
            self._code = f"{self._code}\n{code}".strip()
            return
        yield Sentence(code.strip(), language(self.language).code, self._emotion, pause=self._pause)
        self._pause = 0.0

    def _boundary(self, char: str) -> Iterator[Sentence]:
        """Cut off the sentence that has certainly ended before ``char``, if there is one."""
        if self._end is not None:
            over = char == "\n" or self._over(char)
            if over:
                yield from self._cut(self._end)
            elif over is False:
                self._end = None
        if char == "\n" or (
            self._text[-1:].strip()
            and self._text.rstrip(_WIDE_CLOSERS)[-1:] in (*_WIDE,)
            and char not in _WIDE_CLOSERS + _WIDE
        ):
            yield from self._cut(len(self._text))
        elif char.isspace() and END.search(self._text):
            self._end = len(self._text)
            if self._over(""):
                yield from self._cut(self._end)
        elif (cut := self._early_or_late(char)) is not None:
            yield from self._cut(cut)

    def _over(self, follows: str, whole: bool = False) -> bool | None:
        """Whether a sentence ends where one may, as `ends` says it."""
        return ends(self._text[: self._end], self._text[self._end :] + follows, self.language, whole)

    def _early_or_late(self, char: str) -> int | None:
        """Where to cut a sentence that has no end: the first one early, a long one late."""
        more = self.waited and len("".join(self._unread).split()) > 1  # words are there already
        early = early_cut(self._text, char, 0.0 if more else self.waited) if self._first else None
        return late_cut(self._text) if early is None else early

    def _cut(self, end: int) -> Iterator[Sentence]:
        piece, self._text, self._end = self._text[:end], self._text[end:], None
        yield from self._sentence(piece)

    def _sentence(self, piece: str) -> Iterator[Sentence]:
        if not piece.strip():
            return
        parsed = parse(piece, self.language)
        if parsed.pause:
            self._pause = PAUSE
        sound, self._sound = _sounding(parsed.marks, self._sound, all_first=not parsed.spoken)
        if not parsed.spoken:
            self._emotion = ([self._emotion] + [mark.emotion for mark in parsed.marks if mark.emotion])[-1]
            self._sound = sound
            return
        self.language = parsed.language
        felt = self._felt(parsed.text, parsed.spoken, parsed.marks)
        yield replace(felt, sound=sound, language=parsed.language)
        self._announced = parsed.spoken.endswith(":")
        self._pause, self._code = 0.0, ""

    def _felt(self, text: str, spoken: str, marks: tuple[Mark, ...]) -> Sentence:
        """The sentence with the emotion that it begins with, after the code that is shown with it."""
        at_once = [mark.emotion for mark in marks if mark.emotion and mark.word == 0]
        emotion = at_once[-1] if at_once else self._emotion
        before = len(self._code.split())
        kept = [mark for mark in marks if mark.gaze or mark.word and mark.emotion]
        later = tuple(replace(mark, word=mark.word + before) for mark in kept)
        self._emotion = ([emotion] + [mark.emotion for mark in later if mark.emotion])[-1]
        return Sentence(f"{self._code}\n{text}" if self._code else text, spoken, emotion, later, self._pause)


def _sounding(marks: tuple[Mark, ...], before: str, all_first: bool) -> tuple[str, str]:
    """What is heard before a sentence with these ``marks``, where ``before`` waited for it, and after it."""
    first = [mark.sound for mark in marks if mark.sound and (mark.word == 0 or all_first)]
    later = [mark.sound for mark in marks if mark.sound and not (mark.word == 0 or all_first)]
    return ([before] + first)[-1], "".join(later[-1:])


def _bare(word: str) -> str:
    return re.sub(r"\W", "", word).lower() or word
