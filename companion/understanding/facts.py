"""What people say of themselves and what they ask of it, by rule: names, homes, work, feelings, plans.

In every language of ``prompts/facts.md``."""

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from companion import frontmatter, resources
from companion.frontmatter import PromptError
from companion.understanding.told import Ask, Fact, Language, Question, Reader, capital, filled, plain

MOST_TOLD = 2  # facts that one answer names
_SEVERAL = re.compile(r"\s(?:and|und|et|y|e|en)\s")


class Facts:
    """All languages of ``prompts/facts.md``."""

    def __init__(self, languages: Mapping[str, Language]) -> None:
        self.readers = {code: Reader(code, rules) for code, rules in languages.items()}
        self._told = functools.lru_cache(4096)(self._read)

    def told(self, text: str, language: str = "", spoken_of: str = "") -> tuple[tuple[Fact, ...], str]:
        """What a message tells, in the language that was heard or in whichever has such words, and who was spoken of
        last."""
        return self._told(plain(text), language, spoken_of)

    def asked(self, text: str, language: str = "", before: Question | None = None) -> Question | None:
        """What a message asks for."""
        return next((found for r in self._ordered(language) if (found := r.asked(text, before))), None)

    def retracts(self, text: str) -> bool:
        """Whether the message as a whole takes back what was said before."""
        return any(reader.retracts(text) for reader in self.readers.values())

    def forgets(self, text: str, language: str = "") -> tuple[str, str] | None:
        """The language, and what is to be forgotten as `Reader.forgets` says; None: nothing."""
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
    """What is known of one user. A newer fact takes the place of an older one of its kind and person."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._known: dict[tuple[str, str, str], Fact] = {}
        self._latest: list[Fact] = []
        self._spoken_of = ""

    def __iter__(self) -> Iterator[Fact]:
        return iter(self._known.values())

    def hear(self, text: str, language: str = "") -> None:
        """One message of the user's, in their order."""
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
        """What answers it, the newest first."""
        kind, who = question.ask.fact, question.who
        fitting = [f for f in reversed(self._known.values()) if f.kind == kind and _is(f.who, who)]
        if question.about:
            fitting = [fact for fact in fitting if question.about in fact.clause.lower()]
        return fitting[:MOST_TOLD]

    def about(self, word: str) -> list[Fact]:
        """What has a word, or is of this person, the newest first."""
        whole = re.compile(rf"(?<!\w){re.escape(word)}", re.IGNORECASE)
        return [f for f in reversed(self._known.values()) if whole.search(f.clause) or f.who == word]


def load(folder: Path | None = None) -> Facts:
    """``facts.md`` of ``prompts/``, or of another folder of that form. Raises PromptError."""
    path = (folder or resources.folder("prompts")) / "facts.md"
    head, _ = frontmatter.read(path)
    try:
        return Facts({code: frontmatter.parse(Language, table, path) for code, table in head.items()})
    except re.error as error:
        raise PromptError(f"{path}: {error.pattern!r} is not a valid pattern: {error}") from error


def answer(question: Question, found: Sequence[Fact], reader: Reader) -> str:
    """What to say to a question, in the language of ``reader``; "" where others know better."""
    ask = reader.asking(question)
    word = question.word if question.language == reader.code else question.who
    if not found:
        return filled(ask.unknown, {"who": word, "your": question.your, "about": question.about})
    if len({fact.who for fact in found}) > 1:  # "brother" is asked for, and there are two
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
    """Whether "older brother" is asked for by "brother"."""
    return who == asked or bool(asked) and who.endswith(f" {asked}")
