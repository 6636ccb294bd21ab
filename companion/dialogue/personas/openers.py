"""Openers: short first words, chosen by the kind of turn, that hide the language model's latency.

People do the same: they say "Well," before they know what follows. The model continues from the opener, which is thus
part of the reply, of captions and of the history. The words are in ``prompts/openers.md``.
"""

import re
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import Field

from animator.control import Emotion
from companion import frontmatter
from companion.frontmatter import Pattern, strict
from companion.speech.text.sentences import Sentence, Sentences, words
from companion.stages.streams import Beginning, held

MOST_MARKS = 4  # characters of punctuation and space that may follow a repeated opener
LISTENING_KIND = "listening"  # the kind that holds backchannels instead of openers; no turn is of it
THINKING_FEELINGS = ("neutral", "thoughtful")  # emotions of openers that a filler may follow
LONGEST_RUN = 4  # consecutive replies with an opener; the next one has none

Text = Annotated[str, Field(min_length=1, max_length=60)]
Words = dict[str, tuple[Text, ...]]  # by kind


@strict
@dataclass(frozen=True, slots=True)
class Kind:
    """Which turns are of this ``kind``: those in which ``pattern`` matches, with one of the ``feelings`` (if any are
    given), and at most ``longest`` words. ``apart``: the model does not continue such an opener, it starts a sentence
    of its own."""

    kind: str
    apart: bool = False
    pattern: Pattern = re.compile("")
    feelings: tuple[Emotion, ...] = ()
    longest: int = 10_000

    def fits(self, said: str, feeling: str) -> bool:
        """Whether a turn with the text ``said`` and this feeling is of this kind."""
        felt = not self.feelings or feeling in self.feelings
        return felt and len(said.split()) <= self.longest and bool(self.pattern.search(said))


@strict
@dataclass(frozen=True, slots=True)
class Language:
    """One language's ``words`` for each kind, and the ``kinds``, of which the first that fits a turn is taken."""

    words: Words
    kinds: tuple[Kind, ...]


@dataclass(frozen=True, slots=True)
class Book:
    """The content of ``openers.md``, by language (ISO 639-1). ``note`` tells a model that cannot continue a reply with
    which ``{opener}`` its own has begun."""

    languages: Mapping[str, Language] = field(default_factory=dict[str, Language])
    note: str = "{opener}"

    def apart(self, opener: str) -> bool:
        """Whether the language model must start a sentence of its own after ``opener``, instead of continuing it."""
        known = self.languages.values()
        texts = (text for one in known for kind in one.kinds if kind.apart for text in one.words[kind.kind])
        return any(_sentence(text).text == opener for text in texts)

    def unknown(self, own: Mapping[str, Words]) -> str:
        """The first language or kind in ``own``, a persona's openers, that this book does not have; else ""."""
        for language, named in own.items():
            if language not in self.languages:
                return language
            if missing := set(named) - set(self.languages[language].words):
                return f"{language}.{missing.pop()}"
        return ""

    def sentences(
        self, spoken: Collection[str], own: Mapping[str, Words], emotions: Sequence[str] = ()
    ) -> list[Sentence]:
        """Every opener and backchannel in the languages ``spoken``, for a persona whose ``own`` words replace those of
        the same kind, and which may show these ``emotions`` (empty: all)."""
        kinds = [self.languages[name].words | own.get(name, {}) for name in spoken if name in self.languages]
        texts = [text for named in kinds for texts in named.values() for text in texts]
        return [_sentence(text).within(emotions) for text in texts]


def load(path: Path) -> Book:
    """Read ``openers.md``. Raises PromptError for an invalid file, or a kind without words."""
    head, note = frontmatter.read(path)
    languages = {name: frontmatter.parse(Language, table, path) for name, table in head.items()}
    for name, language in languages.items():
        if missing := {kind.kind for kind in language.kinds} - set(language.words):
            raise frontmatter.PromptError(f"{path}: {name}.words: there is no {missing.pop()!r}, which kinds name")
    return Book(languages, note)


class Openers:
    """The openers of one session: the one used longest ago comes next, and no two consecutive replies begin with the
    same word."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._said: list[str] = []  # oldest first
        self._begun = ""  # first word of the previous reply's opener
        self._run = self._murmurs = 0

    def __bool__(self) -> bool:
        """Whether there are openers in any language."""
        return bool(self._book.languages)

    def choose(self, said: str, language: str, feeling: str, own: Mapping[str, Words]) -> Sentence | None:
        """Choose the opener of the reply to a user's turn, and count it as used; None if the model is to begin.

        ``said`` is the turn's text, ``language`` is ISO 639-1, ``feeling`` an emotion's name, ``own`` are the persona's
        words by language and kind.
        """
        found = self.likely(said, language, feeling, own)
        if found is None:
            self._run, self._begun = 0, ""
            return None
        self._said = [text for text in self._said if text != found.text] + [found.text]
        self._run, self._begun = self._run + 1, words(found.spoken)[0]
        return found

    def likely(self, said: str, language: str, feeling: str, own: Mapping[str, Words]) -> Sentence | None:
        """The opener that `choose` would return for this turn, without counting it as used."""
        return self._sentence(said, language, feeling, own) if self._run < LONGEST_RUN else None

    def listening(self, language: str, own: Mapping[str, Words]) -> Sentence | None:
        """The next backchannel for while the user speaks; None where the language has none."""
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
    """Pass on the deltas of a reply, without ``opener`` if the model repeats it at the beginning."""
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
    """Adapt ``filler``, said when the answer takes long, to follow ``opener``: "let me see." after "Well,". "" if it
    would be out of place, as after "Oh no,", or would repeat a word of the opener."""
    if opener.emotion not in THINKING_FEELINGS:
        return ""
    if opener.spoken.endswith(","):
        filler = re.sub(r"^\w+,\s*", "", filler)
        filler = filler if filler.startswith("I ") else filler[:1].lower() + filler[1:]
    return "" if set(words(filler)) & set(words(opener.spoken)) else filler


def _sentence(text: str) -> Sentence:
    return next(Sentences().feed(f"{text}\n"))
