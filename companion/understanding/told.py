"""One language's rules of `prompts/facts.md`: what a message tells of the user, and what it asks for.

Pure: the same words give the same facts.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import ConfigDict, Field, with_config

LONGEST_MESSAGE = 2000  # characters of one message that are read, the last ones
LAST_PERSON = "last"  # in the place of a person: who was spoken of last
_SENTENCE = re.compile(r"[^.!?…。！？\n]+[.!?…。！？]*")
_FILLER = re.compile(r"\{([a-z]\w*)\}")
_GROUP = re.compile(r"\(\?P<(\w+)>")

strict = with_config(ConfigDict(extra="forbid"))
Text = Annotated[str, Field(min_length=1)]


@strict
@dataclass(frozen=True, slots=True)
class Tell:
    """Where ``pattern`` is found, the user told a ``fact``, in the words that it found; its groups ``value`` and
    ``who`` are what it is and of whom (`LAST_PERSON`: whom they named last). ``you`` says it to them. ``many``: there
    may be several. ``no``: it says that something is not so. ``drops``: facts that it ends."""

    fact: Text
    pattern: Text
    you: str = ""
    who: str = ""
    many: bool = False
    no: bool = False
    drops: tuple[str, ...] = ()


@strict
@dataclass(frozen=True, slots=True)
class Ask:
    """Where ``pattern`` is found, the user asks for a ``fact``; its group ``about`` is a word that the fact holds.
    ``say`` tells it with ``{value}``, ``many`` where that are several, ``unknown`` that it was not told ("": others
    answer then)."""

    fact: Text
    pattern: Text
    say: str = ""
    many: str = ""
    unknown: str = ""


@strict
@dataclass(frozen=True, slots=True)
class Forgetting:
    """``all`` and ``last`` are the whole of what is said: that all is to be forgotten, or what was said before;
    ``about`` names what. ``done`` and ``nothing`` are answered."""

    all: Text
    last: Text
    about: Text
    done: Text
    nothing: Text


@strict
@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """Pieces of patterns: ``any`` and ``cap`` are names, ``rest`` goes to the end of a clause; ``who`` are people and
    animals, by their name in English. ``turned`` makes what is said of oneself what is said to another. ``next`` asks
    for the same of another ``who``. ``retract``: what was said before was not meant."""

    any: Text
    cap: Text
    rest: Text
    who: dict[str, str]
    turned: dict[str, str]
    quote: Text
    yes: Text
    no: Text
    first: Text
    first_known: Text
    last: Text
    next: Text
    retract: Text
    forget: Forgetting
    tell: tuple[Tell, ...]
    ask: tuple[Ask, ...]
    pieces: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Fact:
    """``kind`` is that of the rule, ``who`` of whom it is ("" is the user), ``clause`` the words that told it in the
    ``sentence``. ``you`` says it to the user, in that ``language``."""

    kind: str
    who: str
    value: str
    clause: str
    sentence: str
    you: str
    language: str
    no: bool = False
    many: bool = False
    drops: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str, str]:
        """Of facts with the same key the newest holds."""
        return (self.kind, self.who, self.clause.lower() if self.many else "")


@dataclass(frozen=True, slots=True)
class Question:
    """For a fact; ``word`` is how the user names whom it is about, ``your`` the same with "your" before it."""

    ask: Ask
    language: str
    who: str = ""
    word: str = ""
    your: str = ""
    about: str = ""


class Reader:
    """One language's rules, compiled."""

    def __init__(self, code: str, rules: Language) -> None:
        self.code, self.rules = code, rules
        words = sorted(rules.who, key=len, reverse=True)
        self._pieces = rules.pieces | {
            "any": f"(?P<value>{rules.any})",
            "cap": f"(?P<value>{rules.cap})",
            "name": rules.cap,
            "rest": rules.rest,
            "who": f"(?P<who>{'|'.join(map(re.escape, words))})",
        }
        self._tells = [(tell, self._compiled(tell.pattern)) for tell in rules.tell]
        self._asks = [(ask, self._compiled(ask.pattern)) for ask in rules.ask]
        self._next, self._retract = self._compiled(rules.next), self._compiled(rules.retract)
        forget = rules.forget
        self._all, self._last, self._about = map(self._compiled, (forget.all, forget.last, forget.about))
        self._who = self._compiled(r"(?<!\w){who}(?!\w)")
        turned = sorted(rules.turned, key=len, reverse=True)
        self._turned = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, turned))})(?!\w)", re.IGNORECASE)

    def told(self, text: str, spoken_of: str = "") -> tuple[list[Fact], str]:
        """The facts of a message, and who was spoken of last, in it or before."""
        found = list[Fact]()
        for sentence in filter(_states, sentences(text)):
            own = [_group(match, "who") for match in self._who.finditer(sentence)]
            for tell, pattern in self._tells:
                for match in pattern.finditer(sentence):
                    whom = self._person(self.rules.who.get(own[0].lower(), own[0]) if own else spoken_of, tell, match)
                    if whom is not None:
                        found.append(self._fact(tell, match, whom, sentence))
            spoken_of = self.rules.who.get(own[-1].lower(), own[-1]) if own else spoken_of
        return found, spoken_of

    def asked(self, text: str, before: Question | None = None) -> Question | None:
        """What a message asks for; ``before`` is the question before it."""
        text = plain(text)
        for ask, pattern in self._asks:
            if match := pattern.search(text):
                return self._question(ask, match)
        if (match := self._next.search(text)) and (ask := self._same(before)):
            return self._question(ask, match)
        return None

    def repeated(self, text: str) -> str:
        """What they said of themself in these words, said to them."""
        found, _ = self.told(text)
        return capital(found[0].you) if found else filled(self.rules.quote, {"clause": text.rstrip(" .")})

    def asking(self, question: Question) -> Ask:
        """The same question in this language; as it was asked where nobody asks so."""
        return next((ask for ask, _ in self._asks if ask.fact == question.ask.fact), question.ask)

    def retracts(self, text: str) -> bool:
        """Whether all of a message says that the one before was not meant."""
        return bool(self._retract.fullmatch(_bare(text)))

    def forgets(self, text: str) -> str | None:
        """What is to be forgotten: "*" is all, "" what was said before, else a word of it; None: nothing."""
        plain = _bare(text)
        if self._all.fullmatch(plain):
            return "*"
        if self._last.fullmatch(plain):
            return ""
        match = self._about.fullmatch(plain)
        return _group(match, "about").lower() if match else None

    def to_them(self, text: str) -> str:
        """What they say of themself, said to them."""
        return self._turned.sub(lambda m: self.rules.turned[m.group().lower()], text)

    def _same(self, before: Question | None) -> Ask | None:
        """The question of the kind of ``before`` for somebody else; none where none came before."""
        kind = before.ask.fact if before else ""
        kind = kind if " of" in kind else f"{kind} of"
        return next((ask for ask, _ in self._asks if ask.fact == kind), None)

    def _question(self, ask: Ask, match: re.Match[str]) -> Question:
        word, my, about = _group(match, "who"), _group(match, "my"), _group(match, "about").lower()
        your = f"{self.to_them(my)} {word}".strip()
        return Question(ask, self.code, self._canonical(word), word, your, about)

    def _person(self, spoken_of: str, tell: Tell, match: re.Match[str]) -> str | None:
        """Of whom it tells: "" is the user; None where nobody knows."""
        if tell.who == LAST_PERSON:
            return spoken_of or None
        return self._canonical(_group(match, "who"))

    def _canonical(self, word: str) -> str:
        *before, last = word.lower().split() or [""]
        known = self.rules.who.get(" ".join((*before, last)))
        return known or " ".join((*before, self.rules.who.get(last, last))).strip()

    def _fact(self, tell: Tell, match: re.Match[str], who: str, sentence: str) -> Fact:
        clause, value = match.group().strip(" ,"), _group(match, "value")
        values = {"value": self.to_them(value), "who": _group(match, "who") or who, "clause": self.to_them(clause)}
        values["own"] = clause
        you = filled(tell.you or "{clause}.", values)
        name = f"{tell.fact} of" if who and tell.who != "topic" else tell.fact
        return Fact(name, who, value, clause, sentence, you, self.code, tell.no, tell.many, tell.drops)

    def _compiled(self, pattern: str) -> re.Pattern[str]:
        def piece(match: re.Match[str]) -> str:
            return self._pieces.get(match[1], match[0])

        previous = ""
        while previous != pattern:
            previous, pattern = pattern, _FILLER.sub(piece, pattern)
        seen = Counter[str]()

        def numbered(match: re.Match[str]) -> str:
            seen[match[1]] += 1  # a pattern may name a group but once
            return f"(?P<{match[1]}_{seen[match[1]]}>"

        return re.compile(_GROUP.sub(numbered, pattern), re.IGNORECASE)


def sentences(text: str) -> list[str]:
    """Those of a message, as a memory keeps them."""
    return [" ".join(one.split()) for one in _SENTENCE.findall(text[-LONGEST_MESSAGE:]) if one.strip()]


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _states(sentence: str) -> bool:
    return not sentence.endswith(("?", "？"))


def _group(match: re.Match[str], name: str) -> str:
    """What was found as a group, wherever in the pattern it stands."""
    found = (text for group, text in match.groupdict().items() if text and group.rpartition("_")[0] == name)
    return next(found, "").strip(" ,")


def plain(text: str) -> str:
    return text.replace("’", "'")[-LONGEST_MESSAGE:]


def _bare(text: str) -> str:
    return plain(text).strip(" \t\n.,;:!?…¡¿。、！？\"'")


def filled(text: str, values: Mapping[str, str]) -> str:
    return _FILLER.sub(lambda match: values.get(match[1], match[0]), text)
