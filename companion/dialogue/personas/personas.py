"""Who is speaking: the Markdown files of ``prompts/``, each with TOML front matter between two lines of ``+++``."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, with_config

from animator.control import Emotion
from companion import emotions, frontmatter, resources
from companion.dialogue.lessons import lesson
from companion.dialogue.lessons.lesson import Lesson, Tutoring
from companion.dialogue.personas import manners, openers
from companion.dialogue.personas.manners import Manners
from companion.dialogue.personas.openers import Book, Words
from companion.frontmatter import PromptError
from companion.memory import notes
from companion.understanding import facts, orders
from companion.understanding.facts import Facts
from companion.understanding.orders import Phrases

__all__ = ["Example", "Persona", "PromptError", "Prompts", "load", "read"]

Text = Annotated[str, Field(min_length=1, max_length=4000)]
strict = with_config(ConfigDict(extra="forbid"))


@strict
@dataclass(frozen=True, slots=True)
class Example:
    """One exchange that shows the language model how this persona answers."""

    user: Text
    assistant: Text


@strict
@dataclass(frozen=True, slots=True)
class Persona:
    """``id`` is the file's name, ``instructions`` its text. Empty ``character`` and ``voice`` are the config's, empty
    ``emotions`` are all of them. ``rules`` are told to the language model beside the instructions, also where a client
    gives its own. ``lesson`` is a file of ``prompts/lessons``; ``tools`` are names of the config's; ``fillers`` are
    said in turn when the answer is long in coming; ``openers`` begin replies, by language and kind as in
    ``prompts/openers.md``, which has those that are not named here."""

    id: str
    name: Text
    summary: str
    greeting: Text
    instructions: Text
    character: str = ""
    examples: tuple[Example, ...] = ()
    voice: str = ""
    pronunciations: dict[str, Text] = field(default_factory=dict[str, Text])  # word -> "/IPA/", or another spelling
    emotions: tuple[Emotion, ...] = ()
    rules: tuple[Text, ...] = ()
    lesson: str = ""
    tools: tuple[str, ...] = ()
    fillers: tuple[Text, ...] = ()
    openers: Literal[False] | dict[str, Words] = field(default_factory=dict[str, Words])


@dataclass(frozen=True, slots=True)
class Felt:
    """What a language model is told of the ``{feeling}`` of the user's words, and of a voice that is ``lively`` or
    ``low``."""

    note: str = "{feeling}"
    lively: str = ""
    low: str = ""


@strict
@dataclass(frozen=True, slots=True)
class Silence:
    """What is said, in turn, to a user who says nothing; ``note`` tells a language model to find words of its own."""

    say: Annotated[tuple[Text, ...], Field(min_length=1)] = ("Are you still there?",)
    note: Text = "(They say nothing.)"
    lost: Text = "Could you say that again?"  # where the language model itself has nothing to say


@strict
@dataclass(frozen=True, slots=True)
class Languages:
    """What a language model is told of the language that the user speaks, by ISO 639-1 and ``names``."""

    own: str = "en"
    follow: Text = "({language})"
    cannot: Text = "({spoken})"
    names: dict[str, str] = field(default_factory=dict[str, str])

    def note(self, language: str, spoken: Sequence[str]) -> str:
        """For a turn in ``language`` ("" is unknown) and a voice that speaks ``spoken`` (empty: any)."""
        name = self.names.get(language, "")
        if not name or language == self.own:
            return ""
        instead = "" if not spoken or language in spoken else self.names.get(spoken[0], "")
        return self.cannot.format(language=name, spoken=instead) if instead else self.follow.format(language=name)


@dataclass(frozen=True, slots=True)
class Prompts:
    """The files of ``prompts/``. ``personas`` and ``lessons`` are by id; ``speech`` are the rules that every persona
    follows; ``recalled`` presents ``{memories}`` to the language model; ``tagging`` tells it how to write feelings, and
    ``felt`` what the user feels; ``manners`` correct a small model; ``tutoring`` and ``orders`` are by language."""

    personas: dict[str, Persona]
    speech: str
    recalled: str = "{memories}"
    lessons: dict[str, Lesson] = field(default_factory=dict[str, Lesson])
    tagging: str = ""
    felt: Felt = Felt()
    openers: Book = field(default_factory=Book)
    silence: Silence = Silence()
    languages: Languages = field(default_factory=Languages)
    manners: Manners = field(default_factory=Manners)
    tutoring: dict[str, Tutoring] = field(default_factory=dict[str, Tutoring])
    orders: dict[str, Phrases] = field(default_factory=dict[str, Phrases])
    facts: Facts = field(default_factory=lambda: Facts({}))


def load(folder: Path | None = None) -> Prompts:
    """``prompts/`` (or another folder of that form) -> Prompts. Raises PromptError."""
    folder = folder or resources.folder("prompts")
    personas = {path.stem: read(path) for path in sorted((folder / "personas").glob("*.md"))}
    if not personas:
        raise PromptError(f"{folder / 'personas'}: there is no persona; add a NAME.md")
    paths = {path.stem: path for path in sorted((folder / "lessons").glob("*.md"))}
    _check_lessons(personas.values(), paths)
    tutoring, book, feelings = lesson.tutoring(folder), openers.load(folder / "openers.md"), emotions.load(folder)
    lessons = {name: Lesson.read(path, tutoring) for name, path in paths.items()}
    _check_openers(personas.values(), book)
    head, note = frontmatter.read(folder / "silence.md")
    languages = folder / "languages.md"
    return Prompts(
        personas=personas,
        speech=(folder / "speech.md").read_text("utf-8").strip(),
        recalled=notes.load(folder).note,
        lessons=lessons,
        tagging=feelings.tagging,
        felt=Felt(feelings.note, feelings.lively, feelings.low),
        openers=book,
        silence=frontmatter.parse(Silence, head | {"note": note}, folder / "silence.md"),
        languages=frontmatter.parse(Languages, frontmatter.read(languages)[0], languages),
        manners=manners.load(folder),
        tutoring=tutoring,
        orders=orders.load(folder),
        facts=facts.load(folder),
    )


def _check_lessons(personas: Iterable[Persona], lessons: Iterable[str]) -> None:
    known = list(lessons)
    for persona in personas:
        if persona.lesson and persona.lesson not in known:
            there = ", ".join(known) or "none"
            raise PromptError(f"{persona.id}.md: lesson: there is no {persona.lesson!r} in prompts/lessons ({there})")


def _check_openers(personas: Iterable[Persona], book: Book) -> None:
    for persona in personas:
        if unknown := book.unknown(persona.openers or {}):
            raise PromptError(f"{persona.id}.md: openers: prompts/openers.md has no {unknown!r}")


def read(path: Path) -> Persona:
    """One persona. Raises PromptError, which names the field and what is wrong."""
    head, body = frontmatter.read(path)
    known = [f.name for f in fields(Persona) if f.name not in ("id", "instructions")]
    for key in head:
        if key not in known:
            close = difflib.get_close_matches(key, known, 1, 0.5)
            hint = f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(known)}"
            raise PromptError(f"{path}: unknown key {key!r}; {hint}")
    return frontmatter.parse(Persona, head | {"id": path.stem, "instructions": body}, path)
