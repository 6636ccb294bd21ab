"""What keeps a small model in hand: how some of its answers begin, and which sentences of its are not said.

It takes "my" and "your" for each other, makes itself a human being, asks the same question again and again, and falls
into the tone of a help desk. `prompts/manners.md` says what is done against it.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field, with_config

from companion import frontmatter, resources
from companion.frontmatter import Pattern
from companion.speech.text.sentences import words

ENDS = (".", "!", "?", "…", "。", "！", "？", ":", '."', '!"', '?"')  # of sentences
LATE_SENTENCES = 30  # about ten replies, in which nothing of stock is said twice
SHORT_WORDS = 3  # words of a statement that is not made twice in that time
STALE_WORDS = 5  # words of a statement that is not made twice
COPIED_WORDS = 3  # words in a row after "I" that are the user's own
EXAMPLE_WORDS = 5  # words in a row by which an example's user is known
_PERSON = {"i": "you", "my": "your", "me": "you", "am": "are", "was": "were", "i'm": "you're", "mine": "yours"}
PERSONAL_WORDS = frozenset(_PERSON.values())
_SENTENCE = re.compile(r"[^.!?\n]+")

strict = with_config(ConfigDict(extra="forbid"))
Texts = Annotated[tuple[str, ...], Field(min_length=1)]


@strict
@dataclass(frozen=True, slots=True)
class Stock:
    """A sentence that matches ``pattern``, and does not hold ``unless``, is not said: one of ``say`` is, or nothing.
    ``{name}`` in ``unless`` is the persona's."""

    pattern: Pattern
    say: tuple[str, ...] = ()
    unless: str = ""


@strict
@dataclass(frozen=True, slots=True)
class Answer:
    """To what ``asked`` finds in the user's words. It begins with ``begin``, or is that where it is ``whole``. ``{0}``
    in it is what the first group of ``asked`` found, ``{name}`` the persona's, ``{before}`` what the user said last."""

    asked: Pattern
    begin: str
    whole: bool = False


@strict
@dataclass(frozen=True, slots=True)
class Manners:
    """``again`` is said instead of a question that was asked before, ``turned`` makes what a user says of themself what
    is said to them, except where ``mine`` is found."""

    again: Texts = ("Tell me more.",)
    turned: dict[str, str] = field(default_factory=dict[str, str])
    mine: Pattern = re.compile(r"(?!)")
    answers: tuple[Answer, ...] = ()
    stock: tuple[Stock, ...] = ()

    def begin(self, told: Sequence[str], name: str) -> str:
        """How the answer to the last of the user's messages ``told`` begins, "" if that is the model's business."""
        if not told or not (found := self._answer(told[-1])):
            return ""
        answer, match = found
        before = told[-2].strip().rstrip(".!?") if len(told) > 1 else ""
        if not before and "{before}" in answer.begin:
            return ""
        return _filled(answer.begin, match, name).replace("{before}", before)

    def whole(self, told: Sequence[str], name: str) -> str:
        """All of the answer to the last of the user's messages ``told``, "" if more of it is the model's business."""
        found = self._answer(told[-1]) if told else None
        return self.begin(told, name) if found and found[0].whole else ""

    def of_the_user(self, sentence: str, told: Iterable[str]) -> str:
        """``sentence``; where it says of the speaker what the user has ``told`` of themself, of the user."""
        said = words(sentence)
        copied = {
            tuple(said[at + 1 : at + 1 + COPIED_WORDS])
            for at in range(len(said) - COPIED_WORDS)
            if said[at] in self.turned
        }
        own = (words(part) for text in told for part in _SENTENCE.findall(text))
        runs = {
            tuple(their[at : at + COPIED_WORDS])
            for their in own
            if self.turned.keys() & their
            for at in range(len(their))
        }
        if not copied & runs or self.mine.search(sentence):
            return sentence
        return self._to_them(sentence)

    def _to_them(self, text: str) -> str:
        """What they say of themself, said to them."""
        pattern = "|".join(map(re.escape, sorted(self.turned, key=len, reverse=True)))
        turned = re.sub(rf"\b(?:{pattern})\b", lambda m: self.turned[m.group().lower()], text, flags=re.IGNORECASE)
        return turned[:1].upper() + turned[1:] if text[:1].isupper() else turned

    def instead(self, sentence: str, name: str) -> Sequence[str] | None:
        """What may be said instead of a ``sentence`` that is not said; None where it is."""
        for stock in self.stock:
            unless = stock.unless.replace("{name}", name)
            if stock.pattern.search(sentence) and not (unless and unless in sentence):
                return stock.say
        return None

    def _answer(self, said: str) -> tuple[Answer, re.Match[str]] | None:
        matches = ((answer, answer.asked.search(said)) for answer in self.answers)
        return next(((answer, found) for answer, found in matches if found), None)


class Fate(Enum):
    """What becomes of a sentence."""

    KEPT = "it is said"
    TURNED = "it is said, of the user"
    REPLACED = "another is said"
    DROPPED = "nothing is said"


class Tact:
    """What of one reply is said: call it with each sentence, in order.

    ``said`` is what earlier replies said, sentence by sentence, ``told`` what the user has, ``name`` the persona's,
    ``opener`` what the reply began with, ``examples`` what users say in the persona's examples.
    """

    def __init__(
        self,
        manners: Manners,
        name: str,
        said: Sequence[str],
        told: Sequence[str],
        opener: str = "",
        examples: Iterable[str] = (),
    ) -> None:
        self._manners, self._name, self._told, self._last = manners, name, told, opener
        self._said = [words(text) for text in said]
        self._others = runs(examples) - runs(told)
        self._begun = self._replaced = False
        self._within: Fate | None = None  # of the sentence whose rest is still to come

    def __call__(self, piece: str) -> str:
        """``piece``, a sentence or the next part of one, or what takes its place; "" for nothing. What is done to the
        first part of a sentence is done to all of it."""
        begins = self._within is None
        fate, text = self._fate(piece) if begins else (self._within or Fate.KEPT, piece)
        self._within = None if piece.rstrip().endswith(ENDS) else fate
        if not begins and fate is Fate.TURNED:
            return self._manners.of_the_user(piece, self._told)
        if not begins:
            return piece if fate is Fate.KEPT else ""
        if fate is Fate.REPLACED and self._last.rstrip().endswith(",") and not text.startswith("I "):
            text = text[:1].lower() + text[1:]
        self._begun, self._last = self._begun or bool(text), text or self._last
        return text

    def _fate(self, piece: str) -> "tuple[Fate, str]":
        """What is done to the sentence that begins so, and what is said of it now."""
        text = self._manners.of_the_user(piece, self._told)
        choice = self._manners.instead(text, self._name)
        if choice is None and self._others & runs([text]) and not text.rstrip().endswith("?"):
            choice = self._manners.again  # it takes an example's life for the user's, or for its own
        if choice is None and words(text) in self._said:
            choice = self._repeated(text)
        if choice is None:
            return (Fate.KEPT if text == piece else Fate.TURNED), text
        said = "" if self._replaced else self._fresh(choice)
        self._replaced = True
        return (Fate.REPLACED if said else Fate.DROPPED), said

    def _repeated(self, text: str) -> Sequence[str] | None:
        """What may be said instead of what was said before."""
        if text.rstrip().endswith("?"):
            return self._manners.again
        if not self._begun:  # it may be all that there is to say: the answer to what is asked again
            return None
        told = words(text)
        stale = len(told) >= STALE_WORDS or len(told) >= SHORT_WORDS and told in self._said[-LATE_SENTENCES:]
        return () if stale and text.rstrip().endswith(ENDS) else None

    def _fresh(self, choice: Sequence[str]) -> str:
        """Of ``choice`` what was not said, or longest ago; nothing of what was said of late, unless the reply would
        say nothing then."""
        times = [max((at for at, said in enumerate(self._said) if said == words(text)), default=-1) for text in choice]
        if not choice or (self._begun and min(times) >= max(0, len(self._said) - LATE_SENTENCES)):
            return ""
        return choice[times.index(min(times))]


def runs(texts: Iterable[str]) -> set[tuple[str, ...]]:
    """Every `EXAMPLE_WORDS` words in a row of them that are about somebody, whoever speaks: "I had" is "you had"."""
    spoken = ([_PERSON.get(word, word) for word in words(text)] for text in texts)
    found = {tuple(one[at : at + EXAMPLE_WORDS]) for one in spoken for at in range(len(one) - EXAMPLE_WORDS + 1)}
    return {run for run in found if not PERSONAL_WORDS.isdisjoint(run)}


def load(folder: Path | None = None) -> Manners:
    """``manners.md`` of ``prompts/``, or of another folder of that form. Raises PromptError."""
    path = (folder or resources.folder("prompts")) / "manners.md"
    return frontmatter.parse(Manners, frontmatter.read(path)[0], path)


def _filled(text: str, found: re.Match[str], name: str = "") -> str:
    """Filled in without `str.format`, since patterns have braces of their own."""
    group = next((group for group in found.groups() if group), "")
    return text.replace("{0}", group).replace("{name}", name)
