"""Corrects a small language model: prescribes how some answers begin, and replaces or drops some of its sentences.

Such a model confuses "my" and "your", claims to be human, repeats the same question, and falls into the tone of a help
desk. The rules against that are in ``prompts/manners.md``.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Annotated

from pydantic import Field

from companion import frontmatter, resources
from companion.frontmatter import Pattern, strict
from companion.speech.text.sentences import words

ENDS = (".", "!", "?", "…", "。", "！", "？", ":", '."', '!"', '?"')  # ends of sentences
LATE_SENTENCES = 30  # sentences, about ten replies, within which no replacement is said twice
SHORT_WORDS = 3  # words from which on a statement is not repeated within those
STALE_WORDS = 5  # words from which on a statement is never repeated
COPIED_WORDS = 3  # consecutive words after "I" that show that a sentence copies the user's
EXAMPLE_WORDS = 5  # consecutive words that show that a sentence is about the user of an example
_PERSON = {"i": "you", "my": "your", "me": "you", "am": "are", "was": "were", "i'm": "you're", "mine": "yours"}
ECHO_WORDS = 4  # words from which on a sentence of the user's own words is not said
PERSONAL_WORDS = frozenset(_PERSON.values())
_SENTENCE = re.compile(r"[^.!?\n]+")

Texts = Annotated[tuple[str, ...], Field(min_length=1)]


@strict
@dataclass(frozen=True, slots=True)
class Stock:
    """A rule against a stock phrase: a sentence that matches ``pattern`` and does not contain ``unless`` is replaced by
    one of ``say``, or dropped if that is empty. ``{name}`` in ``unless`` is the persona's. ``told``: only after a
    turn in which the user asked for nothing; the rest of the reply is dropped. ``after``: only after a turn that
    matches."""

    pattern: Pattern
    say: tuple[str, ...] = ()
    unless: str = ""
    told: bool = False
    after: Pattern | None = None

    def forbids(self, sentence: str, name: str, said: str, asked: bool) -> bool:
        """Whether ``sentence`` must not be said after the user ``said`` something, and ``asked`` for something."""
        unless = self.unless.replace("{name}", name)
        fits = (self.told and asked) or bool(self.after and not self.after.search(said))
        return not fits and bool(self.pattern.search(sentence)) and not (unless and unless in sentence)


@strict
@dataclass(frozen=True, slots=True)
class Answer:
    """A prescribed answer to a message in which ``asked`` matches: it begins with ``begin``, or is all of it if
    ``whole``. In ``begin``, ``{0}`` is the first group that matched, ``{name}`` the persona's name, and ``{before}``
    the user's previous message."""

    asked: Pattern
    begin: str
    whole: bool = False


@strict
@dataclass(frozen=True, slots=True)
class Manners:
    """The rules of ``manners.md``. ``again`` replaces a question that was asked before; ``turned`` maps the first
    person to the second, for sentences in which the model claims what the user said of themself, unless ``mine``
    matches; ``asks`` finds turns in which the user asks for something; ``answers`` are prescribed, ``stock`` phrases
    are replaced."""

    again: Texts = ("Tell me more.",)
    turned: dict[str, str] = field(default_factory=dict[str, str])
    mine: Pattern = re.compile(r"(?!)")
    asks: Pattern = re.compile(r"\?")
    answers: tuple[Answer, ...] = ()
    stock: tuple[Stock, ...] = ()

    def begin(self, told: Sequence[str], name: str) -> str:
        """The prescribed beginning of the answer to the last of the user's messages ``told``, or ""; ``name`` is the
        persona's."""
        if not told or not (found := self._answer(told[-1])):
            return ""
        answer, match = found
        before = told[-2].strip().rstrip(".!?") if len(told) > 1 else ""
        if not before and "{before}" in answer.begin:
            return ""
        return _filled(answer.begin, match, name).replace("{before}", before)

    def whole(self, told: Sequence[str], name: str) -> str:
        """The whole prescribed answer to the last of the user's messages ``told``, or ""; ``name`` is the persona's."""
        found = self._answer(told[-1]) if told else None
        return self.begin(told, name) if found and found[0].whole else ""

    def of_the_user(self, sentence: str, told: Iterable[str]) -> str:
        """``sentence``, put into the second person if it copies what the user has ``told`` of themself ("I live in
        Rome" becomes "You live in Rome"); else unchanged."""
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
        """``text`` with the first person replaced by the second."""
        if not self.turned:
            return text
        pattern = "|".join(map(re.escape, sorted(self.turned, key=len, reverse=True)))
        turned = re.sub(rf"\b(?:{pattern})\b", lambda m: self.turned[m.group().lower()], text, flags=re.IGNORECASE)
        return turned[:1].upper() + turned[1:] if text[:1].isupper() else turned

    def instead(self, sentence: str, name: str, said: str = "") -> Stock | None:
        """The rule against a ``sentence`` that must not be said, after the user ``said`` something; None if it may be
        said."""
        asked = not said or bool(self.asks.search(said))
        return next((stock for stock in self.stock if stock.forbids(sentence, name, said, asked)), None)

    def echoes(self, sentence: str, said: str) -> bool:
        """Whether ``sentence`` says no more than the user's own words, in the first or the second person. After one
        such reply a small model gives no other."""
        told, own = words(sentence), words(said)
        if len(told) < ECHO_WORDS or not (self.turned.keys() & own or self.asks.search(said)):
            return False  # what they tell of others, as in a story, may be taken up
        return told in (own, words(self._to_them(said)))

    def _answer(self, said: str) -> tuple[Answer, re.Match[str]] | None:
        matches = ((answer, answer.asked.search(said)) for answer in self.answers)
        return next(((answer, found) for answer, found in matches if found), None)


class Fate(Enum):
    """What is done with a sentence."""

    KEPT = "it is said"
    TURNED = "it is said, of the user"
    REPLACED = "another is said"
    DROPPED = "nothing is said"


class Tact:
    """Corrects one reply: call it with each sentence, in order.

    Args:
        manners: the rules.
        name: the persona's name.
        said: the sentences of earlier replies, oldest first.
        told: the user's messages.
        opener: what the reply has begun with.
        examples: the users' messages in the persona's examples, whose content the model may take for the user's.
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
        self._begun = self._replaced = self._over = False
        self._within: Fate | None = None  # of an unfinished sentence; None between sentences

    def __call__(self, piece: str) -> str:
        """Correct ``piece``, a sentence or the next part of one -> what to say; "" for nothing. The first part of a
        sentence decides what is done with all of it."""
        begins = self._within is None
        fate, text = self._fate(piece) if begins else (self._within or Fate.KEPT, piece)
        self._within = None if piece.rstrip().endswith(ENDS) else fate
        if not begins:
            kept = fate in (Fate.KEPT, Fate.TURNED)
            text = self._manners.of_the_user(piece, self._told) if fate is Fate.TURNED else piece if kept else ""
            self._last = text or self._last
            return text
        if fate is Fate.REPLACED and self._last.rstrip().endswith(",") and not text.startswith("I "):
            text = text[:1].lower() + text[1:]
        self._begun, self._last = self._begun or bool(text), text or self._last
        return text

    def _fate(self, piece: str) -> "tuple[Fate, str]":
        """Decide on the sentence that begins with ``piece`` -> (its fate, what to say now)."""
        if self._over:
            return Fate.DROPPED, ""
        text = self._manners.of_the_user(piece, self._told)
        heard = self._told[-1] if self._told else ""
        rule = self._manners.instead(text, self._name, heard)
        choice = rule.say if rule else None
        if choice is None and self._others & runs([text]) and not text.rstrip().endswith("?"):
            choice = self._manners.again  # it attributes an example's content to the user or to itself
        if choice is None and not self._begun and self._manners.echoes(text, heard):
            choice = self._manners.again
        if choice is None and words(text) in self._said:
            choice = self._repeated(text)
        if choice is None:
            return (Fate.KEPT if text == piece else Fate.TURNED), text
        said = "" if self._replaced else self._fresh(choice)
        # Where it has not understood, nothing else in the reply is about what was said.
        self._over = bool(said and rule and rule.told and not self._begun)
        self._replaced = True
        return (Fate.REPLACED if said else Fate.DROPPED), said

    def _repeated(self, text: str) -> Sequence[str] | None:
        """The possible replacements of ``text``, which an earlier reply has said; None if it may be said again."""
        if text.rstrip().endswith("?"):
            return self._manners.again
        told = words(text)
        if not self._begun:  # it may be the right answer to a question that the user repeats
            asked = not self._told or self._manners.asks.search(self._told[-1])
            loops = len(told) >= SHORT_WORDS and told in self._said[-LATE_SENTENCES:]
            return self._manners.again if loops and not asked else None
        stale = len(told) >= STALE_WORDS or len(told) >= SHORT_WORDS and told in self._said[-LATE_SENTENCES:]
        return () if stale and text.rstrip().endswith(ENDS) else None

    def _fresh(self, choice: Sequence[str]) -> str:
        """The one of ``choice`` that was never said, or longest ago; "" if all were said within `LATE_SENTENCES` and
        the reply is not empty."""
        times = [max((at for at, said in enumerate(self._said) if said == words(text)), default=-1) for text in choice]
        if not choice or (self._begun and min(times) >= max(0, len(self._said) - LATE_SENTENCES)):
            return ""
        return choice[times.index(min(times))]


def runs(texts: Iterable[str]) -> set[tuple[str, ...]]:
    """All n-grams of `EXAMPLE_WORDS` words in ``texts`` that are about a person; the first person is mapped to the
    second, so that "I had" equals "you had"."""
    spoken = ([_PERSON.get(word, word) for word in words(text)] for text in texts)
    found = {tuple(one[at : at + EXAMPLE_WORDS]) for one in spoken for at in range(len(one) - EXAMPLE_WORDS + 1)}
    return {run for run in found if not PERSONAL_WORDS.isdisjoint(run)}


def load(folder: Path | None = None) -> Manners:
    """Read ``manners.md`` from ``prompts/``, or another folder. Raises PromptError."""
    path = (folder or resources.folder("prompts")) / "manners.md"
    return frontmatter.parse(Manners, frontmatter.read(path)[0], path)


def _filled(text: str, found: re.Match[str], name: str = "") -> str:
    """Fill in ``{0}`` and ``{name}``, without `str.format`, which would fail on other braces in ``text``."""
    group = next((group for group in found.groups() if group), "")
    return text.replace("{0}", group).replace("{name}", name)
