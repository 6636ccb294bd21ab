"""Extracts facts that users state about themselves, and answers their questions about them, by rule.

Facts are names, homes, work, feelings or plans, in every language of ``prompts/facts.md``."""

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from companion import frontmatter, resources
from companion.frontmatter import PromptError
from companion.understanding.told import Ask, Fact, Language, Question, Reader, capital, filled, plain

MOST_TOLD = 2  # facts in one answer, at most
_SEVERAL = re.compile(r"\s(?:and|und|et|y|e|en)\s")


class Facts:
    """The rules of ``prompts/facts.md``, by language (ISO 639-1). Where a method takes a ``language``, its rules are
    tried first and the others after it."""

    def __init__(self, languages: Mapping[str, Language]) -> None:
        self.readers = {code: Reader(code, rules) for code, rules in languages.items()}
        self._told = functools.lru_cache(4096)(self._read)

    def told(self, text: str, language: str = "", spoken_of: str = "") -> tuple[tuple[Fact, ...], str]:
        """Extract the facts in a message -> (facts, the person spoken of last). ``spoken_of`` is the person whom the
        previous message spoke of last. Cached."""
        return self._told(plain(text), language, spoken_of)

    def asked(self, text: str, language: str = "", before: Question | None = None) -> Question | None:
        """The question that a message asks for a fact; None for none. ``before`` is the previous question, for "And my
        sister?"."""
        return next((found for r in self._ordered(language) if (found := r.asked(text, before))), None)

    def retracts(self, text: str) -> bool:
        """Whether the whole message, in any language, retracts the previous one."""
        return any(reader.retracts(text) for reader in self.readers.values())

    def forgets(self, text: str, language: str = "") -> tuple[str, str] | None:
        """The language of a request to forget, and what to forget as in `Reader.forgets`; None if it is no request."""
        for reader in self._ordered(language):
            if (about := reader.forgets(text)) is not None:
                return reader.code, about
        return None

    def _ordered(self, language: str) -> list[Reader]:
        return sorted(self.readers.values(), key=lambda reader: reader.code != language)

    def _read(self, text: str, language: str, spoken_of: str) -> tuple[tuple[Fact, ...], str]:
        for reader in self._ordered(language):
            found, last = reader.told(text, spoken_of)
            if found or last != spoken_of:
                return tuple(found), last
        return (), spoken_of


class Known:
    """The facts known about one user, oldest first. A newer fact replaces an older one with the same `Fact.key`."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._known: dict[tuple[str, str, str], Fact] = {}
        self._latest: list[Fact] = []
        self._spoken_of = ""

    def __iter__(self) -> Iterator[Fact]:
        return iter(self._known.values())

    def hear(self, text: str, language: str = "") -> None:
        """Update from the user's next message. A retraction removes the facts of the last message that stated any."""
        if self._facts.retracts(text):
            for fact in self._latest:
                self._known.pop(fact.key, None)
            self._latest = []
            return
        found, self._spoken_of = self._facts.told(text, language, self._spoken_of)
        self._latest = list(found) or self._latest
        for fact in found:
            for key in [key for key in self._known if f"{key[0]} {key[1]}".strip() in fact.drops]:
                del self._known[key]
            self._known.pop(fact.key, None)
            self._known[fact.key] = fact

    def of(self, question: Question) -> list[Fact]:
        """The facts that answer ``question``, newest first, at most `MOST_TOLD`."""
        kind, who = question.ask.fact, question.who
        fitting = [f for f in reversed(self._known.values()) if f.kind == kind and _is(f.who, who)]
        if question.about:
            fitting = [fact for fact in fitting if question.about in fact.clause.lower()]
        return fitting[:MOST_TOLD]

    def about(self, word: str) -> list[Fact]:
        """The facts that contain a word which starts with ``word``, or are about the person ``word``, newest first."""
        whole = re.compile(rf"(?<!\w){re.escape(word)}", re.IGNORECASE)
        return [f for f in reversed(self._known.values()) if whole.search(f.clause) or f.who == word]


def load(folder: Path | None = None) -> Facts:
    """Read ``facts.md`` from ``prompts/``, or another folder. Raises PromptError."""
    path = (folder or resources.folder("prompts")) / "facts.md"
    head, _ = frontmatter.read(path)
    try:
        return Facts({code: frontmatter.parse(Language, table, path) for code, table in head.items()})
    except re.error as error:
        raise PromptError(f"{path}: {error.pattern!r} is not a valid pattern: {error}") from error


def answer(question: Question, found: Sequence[Fact], reader: Reader) -> str:
    """Word the answer to ``question`` in the language of ``reader``; ``found`` are the facts that answer it, newest
    first. "" if none is known and somebody else should answer."""
    ask = reader.asking(question)
    word = question.word if question.language == reader.code else question.who
    if not found:
        return filled(ask.unknown, {"who": word, "your": question.your, "about": question.about})
    if len({fact.who for fact in found}) > 1:  # such as two brothers, where "brother" is asked for
        return " ".join(capital(fact.you) for fact in reversed(found))
    return " ".join(capital(_said(ask, word, question, fact, reader)) for fact in reversed(found))


def _said(ask: Ask, word: str, question: Question, fact: Fact, reader: Reader) -> str:
    own, native = fact.language == reader.code, question.language == reader.code
    say = (ask.many if native and _SEVERAL.search(fact.value) else "") or ask.say
    you = fact.you if own else filled(reader.rules.quote, {"clause": fact.clause})
    yes = reader.rules.no if fact.no else reader.rules.yes
    if not say or ("{your}" in say and not native) or ("{value}" in say and not fact.value):
        return you
    return filled(say, {"value": fact.value, "who": word, "your": capital(question.your), "you": you, "yes": yes})


def _is(who: str, asked: str) -> bool:
    """Whether a fact about ``who`` answers a question about ``asked``, as "older brother" does for "brother"."""
    return who == asked or bool(asked) and who.endswith(f" {asked}")
