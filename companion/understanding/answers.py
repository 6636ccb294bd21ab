"""Judges a learner's utterance as the answer to a question: numbers by their value, anything else by its words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import Enum
from fractions import Fraction

from companion.frontmatter import Pattern, strict
from companion.understanding.numbers import Reading, read

STRAY_WORDS = 1  # words unrelated to the question that an utterance with a number may have and still be an answer
LONGEST_GUESS = 4  # words of a wrong answer that is a name or a thing, not counting phrases such as "I think it's"
ALIKE_LETTERS = 0.8  # similarity (`SequenceMatcher.ratio`) from which on a word counts as misheard or misspelt
SPELT_LETTERS = 5  # letters from which on a word may be misspelt
_MARKS = frozenset(".,;:!?")


class Heard(Enum):
    """The verdict on a learner's utterance."""

    RIGHT = "the answer"
    WRONG = "another answer"
    ASIDE = "something else"
    POLITE = "nothing"
    UNHEARD = "what a recogniser makes of noise"


@strict
@dataclass(frozen=True, slots=True)
class Speech:
    """One language's words around an answer; ``prompts/tutoring.md`` documents the fields."""

    frame: tuple[str, ...]
    counted: tuple[str, ...]
    aside: Pattern
    sum: Pattern
    polite: Pattern
    unsure: tuple[str, ...]
    denied: tuple[str, ...]
    instead: tuple[str, ...]
    corrected: tuple[str, ...]
    reasons: tuple[str, ...]
    states: tuple[str, ...]
    either: tuple[str, ...]
    larger: tuple[str, ...]
    smaller: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Claim:
    """One possible answer in an utterance: its tokens from ``start`` to before ``end``. ``value`` is that of a number;
    for words it is their count."""

    value: Fraction
    start: int
    end: int


class Question:
    """Judges answers to one question, in ``language`` (ISO 639-1).

    ``answers`` are all the right ones: a number matches any number of the same value, any other answer matches where
    its words occur. ``about`` are further texts, such as hints and the solution, whose words count as related to the
    question. ``speech`` has the language's phrases.
    """

    def __init__(
        self, question: str, answers: Sequence[str], about: Sequence[str], speech: Speech, language: str
    ) -> None:
        self._speech, self._language = speech, language
        values = {text: _only_value(read(text, language)) for text in answers}
        self._values = {value for value in values.values() if value is not None}
        self._phrases = [self._plain(text) for text, value in values.items() if value is None]
        self._asked = read(question, language)
        known = [word for text in (question, *about) for word in self._plain(text)]
        self._known = frozenset((*known, *speech.frame, *speech.denied))
        frames = speech.frame + (speech.counted if self._values else ())
        self._frames = sorted((phrase.split() for phrase in frames), key=len, reverse=True)

    @property
    def numeric(self) -> bool:
        """Whether a number answers it."""
        return bool(self._values)

    def judge(self, said: str) -> Heard:
        """Judge the utterance ``said`` as an answer to this question."""
        reading = read(said, self._language)
        if reading.garbled:
            return Heard.UNHEARD
        if not reading.tokens or self._speech.polite.search(said):
            return Heard.POLITE if reading.tokens else Heard.ASIDE
        if self._speech.sum.search(said):
            return Heard.ASIDE
        numbers, phrases = self._numbers(reading), self._found(reading.tokens)
        if numbers and self._fits(reading, numbers):
            return Heard.RIGHT if self._claimed(reading, numbers) in self._values else Heard.WRONG
        if phrases and not self._speech.aside.search(self._bare(reading.tokens)):
            return Heard.RIGHT if self._claimed(reading, phrases) is not None else Heard.WRONG
        return Heard.WRONG if self._is_guess(reading) else Heard.ASIDE

    def _numbers(self, reading: Reading) -> list[_Claim]:
        """The numbers that may be answers; not those that count something unrelated, as in "nine years"."""
        if not self.numeric:
            return []
        tokens = (*reading.tokens, ".")
        return [
            _Claim(found.value, found.start, found.end)
            for found in reading.amounts
            if not (found.counts and tokens[found.end][0].isalpha() and tokens[found.end] not in self._known)
        ]

    def _fits(self, reading: Reading, numbers: Sequence[_Claim]) -> bool:
        """Whether, besides the numbers, the utterance has hardly any words that are unrelated to the question."""
        tokens = list(reading.tokens)
        for amount in reading.amounts:
            tokens[amount.start : amount.end] = [""] * (amount.end - amount.start)
        rest = self._unframed(tokens)
        strange = [word for word in rest if word not in self._known]
        return len(strange) <= STRAY_WORDS and not self._speech.aside.search(" ".join(rest))

    def _found(self, tokens: Sequence[str]) -> list[_Claim]:
        """The occurrences of right answers that are words, similar words included."""
        return [
            _Claim(Fraction(len(phrase)), at, at + len(phrase))
            for phrase in self._phrases
            for at in range(len(tokens) - len(phrase) + 1)
            if all(_alike(one, other) for one, other in zip(phrase, tokens[at:], strict=False))
        ]

    def _is_guess(self, reading: Reading) -> bool:
        """Whether the utterance may be a wrong answer that is a name or a thing: it has no number and few words, and it
        is no question, wish or remark of the speaker's."""
        if self.numeric or reading.amounts:
            return False
        rest = self._unframed(reading.tokens)
        return 0 < len(rest) <= LONGEST_GUESS and not self._speech.aside.search(self._bare(reading.tokens))

    def _claimed(self, reading: Reading, claims: Sequence[_Claim]) -> Fraction | None:
        """The value that the speaker settles on, after denials, corrections and reasons; None if there is none."""
        tokens, speech = reading.tokens, self._speech
        held = [claim for claim in claims if not self._is_denied(tokens, claim)]
        held = _before(held, _places(tokens, speech.reasons)) or held
        corrections = [at for at in _places(tokens, speech.corrected) if any(claim.start > at for claim in held)]
        held = [claim for claim in held if not corrections or claim.start > corrections[-1]]
        if not held:
            return None
        if self._is_either(tokens, held):
            return None
        if (compared := self._compared(tokens, held)) is not None:
            return compared
        stated = [at for at in _places(tokens, speech.states) if any(claim.start > at for claim in held)]
        if stated:
            held = [claim for claim in held if claim.start > stated[-1]]
        ends = [held[-1].value, held[0].value]
        return next((value for value in ends if value in self._values), ends[0])

    def _is_denied(self, tokens: Sequence[str], claim: _Claim) -> bool:
        """Whether the clause of ``claim`` denies it, as in "not a third"."""
        ends = _MARKS.union(self._speech.instead)
        start = next((at + 1 for at in range(claim.start - 1, -1, -1) if tokens[at] in ends), 0)
        before = " ".join(tokens[start : claim.start])
        for unsure in self._speech.unsure:
            before = before.replace(unsure, " ")
        return bool(set(before.split()) & set(self._speech.denied))

    def _is_either(self, tokens: Sequence[str], claims: Sequence[_Claim]) -> bool:
        """Whether the utterance leaves open which of several answers is meant, as in "a half or a third"."""
        for at in _places(tokens, self._speech.either):
            if not self.numeric:
                return True  # the alternative is a word, which is not among the claims
            sides = {c.value for c in claims if c.end <= at}, {c.value for c in claims if c.start > at}
            if all(sides) and sides[0] != sides[1]:
                return True
        return False

    def _compared(self, tokens: Sequence[str], claims: Sequence[_Claim]) -> Fraction | None:
        """If the question compares two numbers and the utterance compares them too, the one that it thereby names as
        the answer; else None."""
        choices = {amount.value for amount in self._asked.amounts}
        wanted = self._direction(self._asked.tokens)
        said, first = self._direction(tokens), claims[0]
        after = [at for at in _places(tokens, (*self._speech.larger, *self._speech.smaller)) if at >= first.end]
        if len(choices) != 2 or not wanted or not said or first.value not in choices or not after:
            return None
        return first.value if said == wanted else next(iter(choices - {first.value}))

    def _direction(self, tokens: Sequence[str]) -> int:
        """1 where the tokens first say "larger", -1 where they first say "smaller", 0 for neither."""
        larger = next(_places(tokens, self._speech.larger), len(tokens))
        smaller = next(_places(tokens, self._speech.smaller), len(tokens))
        return (smaller > larger) - (smaller < larger)

    def _bare(self, tokens: Sequence[str]) -> str:
        """The words, without phrases of several words around an answer ("I think it's")."""
        return " ".join(self._unframed(tokens, longer_than=1))

    def _unframed(self, tokens: Sequence[str], longer_than: int = 0) -> list[str]:
        rest: list[str] = []
        at = 0
        while at < len(tokens):
            fitting = (one for one in self._frames if list(tokens[at : at + len(one)]) == one)
            frame = next((one for one in fitting if len(one) > longer_than), None)
            if frame is None and tokens[at] and tokens[at][0].isalnum():
                rest.append(tokens[at])
            at += len(frame) if frame else 1
        return rest

    def _plain(self, text: str) -> list[str]:
        return [token for token in read(text, self._language).tokens if token[0].isalnum()]


def _only_value(reading: Reading) -> Fraction | None:
    """The value of a text that is one number and nothing else; None for any other text."""
    if len(reading.amounts) != 1:
        return None
    amount = reading.amounts[0]
    rest = [*reading.tokens[: amount.start], *reading.tokens[amount.end :]]
    return None if any(token[0].isalnum() for token in rest) else amount.value


def _places(tokens: Sequence[str], words: Sequence[str]) -> Iterator[int]:
    return (at for at, token in enumerate(tokens) if token in words)


def _before(claims: Sequence[_Claim], reasons: Iterator[int]) -> list[_Claim]:
    """The claims before the first reason that follows any of them."""
    first = next((at for at in reasons if any(claim.end <= at for claim in claims)), None)
    return [claim for claim in claims if first is None or claim.end <= first]


def _alike(one: str, other: str) -> bool:
    if one == other:
        return True
    same = SequenceMatcher(None, one, other, autojunk=False).ratio()
    return min(len(one), len(other)) >= SPELT_LETTERS and same >= ALIKE_LETTERS
