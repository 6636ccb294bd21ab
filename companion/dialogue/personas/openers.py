"""Openers: how a reply begins while the language model is still thinking, from ``prompts/openers.md``, by the kind of
turn.

People do the same: they say "Well," before they know what follows. The model goes on from there, so that the opener is
part of the reply, of captions and of the history.
"""

import re
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field, with_config

from animator.control import Emotion
from companion import frontmatter
from companion.frontmatter import Pattern
from companion.speech.text.sentences import Sentence, Sentences, words
from companion.stages.streams import Beginning, held

MOST_MARKS = 4  # characters that may follow a word before the next one
LISTENING_KIND = "listening"  # a kind of words that no turn is of
THINKING_FEELINGS = ("neutral", "thoughtful")  # feelings of openers after which one may hesitate
LONGEST_RUN = 4  # replies in a row that are opened so; the one after them is not

Text = Annotated[str, Field(min_length=1, max_length=60)]
Words = dict[str, tuple[Text, ...]]  # by kind
strict = with_config(ConfigDict(extra="forbid"))


@strict
@dataclass(frozen=True, slots=True)
class Kind:
    """What turns are of this ``kind``; what is empty does not matter. ``longest``: words. ``apart``: the model does not
    go on from such an opener, it begins anew."""

    kind: str
    apart: bool = False
    pattern: Pattern = re.compile("")
    feelings: tuple[Emotion, ...] = ()
    longest: int = 10_000

    def fits(self, said: str, feeling: str) -> bool:
        felt = not self.feelings or feeling in self.feelings
        return felt and len(said.split()) <= self.longest and bool(self.pattern.search(said))


@strict
@dataclass(frozen=True, slots=True)
class Language:
    """One language's words for each kind, and how kinds are told: the first that fits."""

    words: Words
    kinds: tuple[Kind, ...]


@dataclass(frozen=True, slots=True)
class Book:
    """``note`` tells a model that cannot continue a reply with which ``{opener}`` its own has begun."""

    languages: Mapping[str, Language] = field(default_factory=dict[str, Language])
    note: str = "{opener}"

    def apart(self, opener: str) -> bool:
        """Whether the language model is not to go on from ``opener``."""
        known = self.languages.values()
        texts = (text for one in known for kind in one.kinds if kind.apart for text in one.words[kind.kind])
        return any(_sentence(text).text == opener for text in texts)

    def unknown(self, own: Mapping[str, Words]) -> str:
        """A language or kind of ``own`` that there is not, "" if there are all."""
        for language, named in own.items():
            if language not in self.languages:
                return language
            if missing := set(named) - set(self.languages[language].words):
                return f"{language}.{missing.pop()}"
        return ""

    def sentences(
        self, spoken: Collection[str], own: Mapping[str, Words], emotions: Sequence[str] = ()
    ) -> list[Sentence]:
        """All that may be said in the languages ``spoken``, with a persona's ``own`` words in the place of others of
        their kind, and its ``emotions``."""
        kinds = [self.languages[name].words | own.get(name, {}) for name in spoken if name in self.languages]
        texts = [text for named in kinds for texts in named.values() for text in texts]
        return [_sentence(text).within(emotions) for text in texts]


def load(path: Path) -> Book:
    """Read the openers. Raises PromptError."""
    head, note = frontmatter.read(path)
    languages = {name: frontmatter.parse(Language, table, path) for name, table in head.items()}
    for name, language in languages.items():
        if missing := {kind.kind for kind in language.kinds} - set(language.words):
            raise frontmatter.PromptError(f"{path}: {name}.words: there is no {missing.pop()!r}, which kinds name")
    return Book(languages, note)


class Openers:
    """One session's: the one used longest ago comes first, and no two replies in a row begin alike."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._said: list[str] = []  # the latest last
        self._begun = ""  # first word of the opener before this reply
        self._run = self._murmurs = 0

    def __bool__(self) -> bool:
        """Whether there are any, in whatever language."""
        return bool(self._book.languages)

    def choose(self, said: str, language: str, feeling: str, own: Mapping[str, Words]) -> Sentence | None:
        """What to begin with, to a turn of the user's that says ``said`` and feels so; None: the model begins."""
        found = self.likely(said, language, feeling, own)
        if found is None:
            self._run, self._begun = 0, ""
            return None
        self._said = [text for text in self._said if text != found.text] + [found.text]
        self._run, self._begun = self._run + 1, words(found.spoken)[0]
        return found

    def likely(self, said: str, language: str, feeling: str, own: Mapping[str, Words]) -> Sentence | None:
        """What `choose` would give, if that turn is the next one."""
        return self._sentence(said, language, feeling, own) if self._run < LONGEST_RUN else None

    def listening(self, language: str, own: Mapping[str, Words]) -> Sentence | None:
        """What to let be heard while the user goes on."""
        known = self._book.languages.get(language)
        texts = own.get(language, {}).get(LISTENING_KIND, known.words.get(LISTENING_KIND, ())) if known else ()
        self._murmurs += 1
        return _sentence(texts[self._murmurs % len(texts)]) if texts else None

    def _sentence(self, said: str, language: str, feeling: str, own: Mapping[str, Words]) -> Sentence | None:
        known = self._book.languages.get(language)
        kind = next((kind.kind for kind in known.kinds if kind.fits(said, feeling)), "") if known else ""
        if known is None or not kind:
            return None
        texts = own.get(language, {}).get(kind, known.words[kind])
        fresh = [one for one in map(_sentence, texts) if words(one.spoken)[0] != self._begun]
        return min(fresh, key=lambda one: self._said.index(one.text) if one.text in self._said else -1, default=None)


def continued(deltas: AsyncIterator[str], opener: str) -> AsyncIterator[str]:
    """The deltas without ``opener``, where the model begins with it all the same."""
    spoken = words(opener)
    pattern = r"\W+".join(map(re.escape, spoken))
    again = re.compile(rf"^(\s*(?:\[[^\]]*\]\s*)?){pattern}\b[\s,.!?…—-]*", re.IGNORECASE)

    def decide(beginning: str, over: bool) -> Beginning | None:
        plain = re.sub(r"\[[^\]]*(?:\]|$)", "", beginning).strip()
        other = any(not word.startswith(said) for word, said in zip(spoken, words(plain), strict=False))
        decided = over or other or len(plain) > len(opener) + MOST_MARKS
        return Beginning(again.sub(r"\1", beginning)) if decided else None

    return held(deltas, decide)


def goes_on(opener: Sentence, filler: str) -> str:
    """How ``filler``, said because the answer takes long, continues the opener: "let me see." after "Well,". "" if it
    would be out of place, as after "Oh no,", or repeat the opener."""
    if opener.emotion not in THINKING_FEELINGS:
        return ""
    if opener.spoken.endswith(","):
        filler = re.sub(r"^\w+,\s*", "", filler)
        filler = filler if filler.startswith("I ") else filler[:1].lower() + filler[1:]
    return "" if set(words(filler)) & set(words(opener.spoken)) else filler


def _sentence(text: str) -> Sentence:
    return next(Sentences().feed(f"{text}\n"))
