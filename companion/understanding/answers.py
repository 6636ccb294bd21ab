"""Whether what a learner says answers a question, and rightly: numbers by their value, everything else by its words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import Enum
from fractions import Fraction

from pydantic import ConfigDict, with_config

from companion.frontmatter import Pattern
from companion.understanding.numbers import Reading, read

STRAY_WORDS = 1  # words that have nothing to do with a question, in an answer to it that is a number
LONGEST_GUESS = 4  # words of an answer that is a name or a thing, less what stands around it
ALIKE_LETTERS = 0.8  # of their letters in a row, from which a word is one of an answer's, misheard or misspelt
SPELT_LETTERS = 5  # letters of a word from which on it may be misspelt
_MARKS = frozenset(".,;:!?")


class Heard(Enum):
    """What a learner's words are to a question."""

    RIGHT = "the answer"
    WRONG = "another answer"
    ASIDE = "something else"
    POLITE = "nothing"
    UNHEARD = "what a recogniser makes of noise"


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True)
class Speech:
    """How one language puts an answer, as ``prompts/tutoring.md`` explains it."""

    frame: tuple[str, ...]
    counted: tuple[str, ...]
    aside: Pattern
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
    """One of the answers that are in somebody's words, and which of the tokens it is. ``value`` is of a number, or how
    many of the right answers' words it is."""

    value: Fraction
    start: int
    end: int


class Question:
    """A question that has ``answers``. One of them that is a number is any number of its value; of others one must be
    in what is said. ``about`` are texts whose words may come in an answer: the question, hints, the solution."""

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
        """Whether it is answered by a number."""
        return bool(self._values)

    def judge(self, said: str) -> Heard:
        """What ``said`` is to this question."""
        reading = read(said, self._language)
        if reading.garbled:
            return Heard.UNHEARD
        if not reading.tokens or self._speech.polite.search(said):
            return Heard.POLITE if reading.tokens else Heard.ASIDE
        numbers, phrases = self._numbers(reading), self._found(reading.tokens)
        if numbers and self._fits(reading, numbers):
            return Heard.RIGHT if self._claimed(reading, numbers) in self._values else Heard.WRONG
        if phrases and not self._speech.aside.search(self._bare(reading.tokens)):
            return Heard.RIGHT if self._claimed(reading, phrases) is not None else Heard.WRONG
        return Heard.WRONG if self._is_guess(reading) else Heard.ASIDE

    def _numbers(self, reading: Reading) -> list[_Claim]:
        """The numbers that are not of something else, as "nine" is in "nine years"."""
        if not self.numeric:
            return []
        tokens = (*reading.tokens, ".")
        return [
            _Claim(found.value, found.start, found.end)
            for found in reading.amounts
            if not (found.counts and tokens[found.end][0].isalpha() and tokens[found.end] not in self._known)
        ]

    def _fits(self, reading: Reading, numbers: Sequence[_Claim]) -> bool:
        """Whether there is little besides the numbers that has nothing to do with the question."""
        tokens = list(reading.tokens)
        for amount in reading.amounts:
            tokens[amount.start : amount.end] = [""] * (amount.end - amount.start)
        rest = self._unframed(tokens)
        strange = [word for word in rest if word not in self._known]
        return len(strange) <= STRAY_WORDS and not self._speech.aside.search(" ".join(rest))

    def _found(self, tokens: Sequence[str]) -> list[_Claim]:
        """Where the words of an answer are."""
        return [
            _Claim(Fraction(len(phrase)), at, at + len(phrase))
            for phrase in self._phrases
            for at in range(len(tokens) - len(phrase) + 1)
            if all(_alike(one, other) for one, other in zip(phrase, tokens[at:], strict=False))
        ]

    def _is_guess(self, reading: Reading) -> bool:
        """Whether it may be a name or a thing: few words, which are neither about the speaker nor a question or a
        wish."""
        if self.numeric or reading.amounts:
            return False
        rest = self._unframed(reading.tokens)
        return 0 < len(rest) <= LONGEST_GUESS and not self._speech.aside.search(self._bare(reading.tokens))

    def _claimed(self, reading: Reading, claims: Sequence[_Claim]) -> Fraction | None:
        """The answer that somebody stands by, after doubts, corrections and reasons; None if there is none."""
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
        """Whether its clause says no to it before it comes."""
        ends = _MARKS.union(self._speech.instead)
        start = next((at + 1 for at in range(claim.start - 1, -1, -1) if tokens[at] in ends), 0)
        before = " ".join(tokens[start : claim.start])
        for unsure in self._speech.unsure:
            before = before.replace(unsure, " ")
        return bool(set(before.split()) & set(self._speech.denied))

    def _is_either(self, tokens: Sequence[str], claims: Sequence[_Claim]) -> bool:
        """Whether it leaves open which of several it is."""
        for at in _places(tokens, self._speech.either):
            if not self.numeric:
                return True  # the others are not known
            sides = {c.value for c in claims if c.end <= at}, {c.value for c in claims if c.start > at}
            if all(sides) and sides[0] != sides[1]:
                return True
        return False

    def _compared(self, tokens: Sequence[str], claims: Sequence[_Claim]) -> Fraction | None:
        """Of two numbers that the question compares, the one that is said to be what it asks for."""
        choices = {amount.value for amount in self._asked.amounts}
        wanted = self._direction(self._asked.tokens)
        said, first = self._direction(tokens), claims[0]
        after = [at for at in _places(tokens, (*self._speech.larger, *self._speech.smaller)) if at >= first.end]
        if len(choices) != 2 or not wanted or not said or first.value not in choices or not after:
            return None
        return first.value if said == wanted else next(iter(choices - {first.value}))

    def _direction(self, tokens: Sequence[str]) -> int:
        """1 where something is called larger, -1 where it is called smaller, else 0."""
        larger = next(_places(tokens, self._speech.larger), len(tokens))
        smaller = next(_places(tokens, self._speech.smaller), len(tokens))
        return (smaller > larger) - (smaller < larger)

    def _bare(self, tokens: Sequence[str]) -> str:
        """The words as they stand, without what surrounds an answer in several words ("I think it's")."""
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
    """The number that a text is, and nothing else; None where it is something else."""
    if len(reading.amounts) != 1:
        return None
    amount = reading.amounts[0]
    rest = [*reading.tokens[: amount.start], *reading.tokens[amount.end :]]
    return None if any(token[0].isalnum() for token in rest) else amount.value


def _places(tokens: Sequence[str], words: Sequence[str]) -> Iterator[int]:
    return (at for at, token in enumerate(tokens) if token in words)


def _before(claims: Sequence[_Claim], reasons: Iterator[int]) -> list[_Claim]:
    """Those that come before a reason is given."""
    first = next((at for at in reasons if any(claim.end <= at for claim in claims)), None)
    return [claim for claim in claims if first is None or claim.end <= first]


def _alike(one: str, other: str) -> bool:
    if one == other:
        return True
    same = SequenceMatcher(None, one, other, autojunk=False).ratio()
    return min(len(one), len(other)) >= SPELT_LETTERS and same >= ALIKE_LETTERS
