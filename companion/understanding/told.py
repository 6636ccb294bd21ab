"""One language's rules of ``prompts/facts.md``: which facts a message states about the user, and which it asks for.

Pure: the same text always gives the same facts.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from companion.frontmatter import strict

LONGEST_MESSAGE = 2000  # last characters of a message that are read
LAST_PERSON = "last"  # stands for the person spoken of last
_SENTENCE = re.compile(r"[^.!?…。！？\n]+[.!?…。！？]*")
_FILLER = re.compile(r"\{([a-z]\w*)\}")
_GROUP = re.compile(r"\(\?P<(\w+)>")

Text = Annotated[str, Field(min_length=1)]


@strict
@dataclass(frozen=True, slots=True)
class Tell:
    """A rule that extracts a fact: where ``pattern`` matches, the user stated a ``fact`` of this kind.

    The pattern's groups ``value`` and ``who`` are its value and the person it is about; if the field ``who`` is
    `LAST_PERSON`, that is the person spoken of last. ``you`` is the template that says it to the user. ``many``: there
    may be several facts of the kind. ``no``: it denies something. ``drops``: kinds of facts that it makes invalid.
    """

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
    """A rule that recognises a question: where ``pattern`` matches, the user asks for a ``fact`` of this kind; its
    group ``about`` is a word that the fact must contain. ``say`` is the answer with ``{value}``, ``many`` that for a
    value of several things, ``unknown`` that for a fact that is not known ("": somebody else answers then)."""

    fact: Text
    pattern: Text
    say: str = ""
    many: str = ""
    unknown: str = ""


@strict
@dataclass(frozen=True, slots=True)
class Forgetting:
    """Patterns of requests to forget, which must match a whole message: ``all`` facts, those of the ``last`` message,
    or those ``about`` a word. ``done`` and ``nothing`` are the answers."""

    all: Text
    last: Text
    about: Text
    done: Text
    nothing: Text


@strict
@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One language of ``prompts/facts.md``, which documents the fields.

    ``any``, ``cap``, ``rest`` and ``pieces`` are parts of patterns; ``who`` maps words for people and animals to
    English; ``turned`` maps the first person to the second. ``next`` matches a question for the same fact about
    another person, ``retract`` a message that retracts the previous one.
    """

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
    """A fact about the user or somebody they know.

    ``kind`` is the rule's ``fact``; ``who`` is the person it is about, in English ("": the user); ``clause`` are the
    words of the ``sentence`` that state it; ``you`` says it to the user, in ``language`` (ISO 639-1). The other fields
    are those of the rule, see `Tell`.
    """

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
        """Of facts with the same key only the newest is valid."""
        return (self.kind, self.who, self.clause.lower() if self.many else "")


@dataclass(frozen=True, slots=True)
class Question:
    """A question for a fact. ``who`` is the person it is about, in English ("": the user); ``word`` is the user's word
    for them, and ``your`` the same with "your" before it; ``about`` is a word that the fact must contain, or ""."""

    ask: Ask
    language: str
    who: str = ""
    word: str = ""
    your: str = ""
    about: str = ""


class Reader:
    """One language's rules, compiled. ``code`` is the language, ISO 639-1."""

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
        """Extract the facts that the statements of a message contain -> (facts, the person spoken of last, in it or
        before). Questions state nothing."""
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
        """The question that a message asks for a fact; None for none. ``before`` is the previous question."""
        text = plain(text)
        for ask, pattern in self._asks:
            if match := pattern.search(text):
                return self._question(ask, match)
        if (match := self._next.search(text)) and (ask := self._same(before)):
            return self._question(ask, match)
        return None

    def repeated(self, text: str) -> str:
        """What the user said of themself in ``text``, in the second person; a quotation if no rule matches."""
        found, _ = self.told(text)
        return capital(found[0].you) if found else filled(self.rules.quote, {"clause": text.rstrip(" .")})

    def asking(self, question: Question) -> Ask:
        """This language's rule for the same kind of question; the question's own if there is none."""
        return next((ask for ask, _ in self._asks if ask.fact == question.ask.fact), question.ask)

    def retracts(self, text: str) -> bool:
        """Whether the whole message retracts the previous one."""
        return bool(self._retract.fullmatch(_bare(text)))

    def forgets(self, text: str) -> str | None:
        """What a message asks to forget: "*" for everything, "" for the previous message, else a word that the facts
        contain; None if it is no such request."""
        plain = _bare(text)
        if self._all.fullmatch(plain):
            return "*"
        if self._last.fullmatch(plain):
            return ""
        match = self._about.fullmatch(plain)
        return _group(match, "about").lower() if match else None

    def to_them(self, text: str) -> str:
        """``text`` with the first person replaced by the second."""
        return self._turned.sub(lambda m: self.rules.turned[m.group().lower()], text)

    def _same(self, before: Question | None) -> Ask | None:
        """The rule that asks for the fact of the question ``before`` about another person; None if there is none."""
        kind = before.ask.fact if before else ""
        kind = kind if " of" in kind else f"{kind} of"
        return next((ask for ask, _ in self._asks if ask.fact == kind), None)

    def _question(self, ask: Ask, match: re.Match[str]) -> Question:
        word, my, about = _group(match, "who"), _group(match, "my"), _group(match, "about").lower()
        your = f"{self.to_them(my)} {word}".strip()
        return Question(ask, self.code, self._canonical(word), word, your, about)

    def _person(self, spoken_of: str, tell: Tell, match: re.Match[str]) -> str | None:
        """The person that a match of ``tell`` is about; "" is the user, None an unknown person."""
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
            seen[match[1]] += 1  # names of groups must be unique within a pattern
            return f"(?P<{match[1]}_{seen[match[1]]}>"

        return re.compile(_GROUP.sub(numbered, pattern), re.IGNORECASE)


def sentences(text: str) -> list[str]:
    """Split the last `LONGEST_MESSAGE` characters of a message into sentences, with single spaces, as the memory stores
    them."""
    return [" ".join(one.split()) for one in _SENTENCE.findall(text[-LONGEST_MESSAGE:]) if one.strip()]


def capital(text: str) -> str:
    """``text`` with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def _states(sentence: str) -> bool:
    return not sentence.endswith(("?", "？"))


def _group(match: re.Match[str], name: str) -> str:
    """The text of the first non-empty group ``name``; a pattern may have several, numbered by `Reader`."""
    found = (text for group, text in match.groupdict().items() if text and group.rpartition("_")[0] == name)
    return next(found, "").strip(" ,")


def plain(text: str) -> str:
    """The last `LONGEST_MESSAGE` characters of ``text``, with straight apostrophes."""
    return text.replace("’", "'")[-LONGEST_MESSAGE:]


def _bare(text: str) -> str:
    return plain(text).strip(" \t\n.,;:!?…¡¿。、！？\"'")


def filled(text: str, values: Mapping[str, str]) -> str:
    """``text`` with each ``{name}`` in it replaced from ``values``; others are left as they are."""
    return _FILLER.sub(lambda match: values.get(match[1], match[0]), text)
