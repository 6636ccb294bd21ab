"""Reads all of ``prompts/`` that dialogue needs: Markdown files with TOML front matter between two lines of ``+++``."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from animator.control import Emotion
from companion import emotions, frontmatter, resources
from companion.dialogue.lessons import lesson
from companion.dialogue.lessons.lesson import Lesson, Tutoring
from companion.dialogue.personas import manners, openers
from companion.dialogue.personas.manners import Manners
from companion.dialogue.personas.openers import Book, Words
from companion.frontmatter import PromptError, strict
from companion.memory import notes
from companion.understanding import facts, orders
from companion.understanding.facts import Facts
from companion.understanding.orders import Phrases

__all__ = ["Example", "Persona", "PromptError", "Prompts", "load", "read"]

Text = Annotated[str, Field(min_length=1, max_length=4000)]


@strict
@dataclass(frozen=True, slots=True)
class Example:
    """One exchange that shows the language model how this persona answers."""

    user: Text
    assistant: Text


@strict
@dataclass(frozen=True, slots=True)
class Persona:
    """One persona: a file of ``prompts/personas``, with its name as the ``id`` and its text as the ``instructions``.

    An empty ``character`` or ``voice`` means the configuration's; empty ``emotions`` allow all. ``rules`` go to the
    language model with the instructions, and also with those of a client that sets its own. ``lesson`` names a file of
    ``prompts/lessons``; ``tools`` are names from the configuration; ``fillers`` are said, in turn, when the answer
    takes long. ``openers``, by language and kind, replace those of ``prompts/openers.md``; False switches them off.
    """

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
    """Notes to the language model: on the ``{feeling}`` of the user's words, and on a tone of voice that is ``lively``
    or ``low``."""

    note: str = "{feeling}"
    lively: str = ""
    low: str = ""


@strict
@dataclass(frozen=True, slots=True)
class Silence:
    """How a user's silence is answered: ``say`` are sentences used in turn; ``note`` prompts a language model to find
    its own."""

    say: Annotated[tuple[Text, ...], Field(min_length=1)] = ("Are you still there?",)
    note: Text = "(They say nothing.)"
    lost: Text = "Could you say that again?"  # said when the language model's reply is empty


@strict
@dataclass(frozen=True, slots=True)
class Languages:
    """Notes to the language model on the user's language. ``own`` is the language of the prompts; ``follow`` asks it to
    answer in ``{language}``, ``cannot`` to answer in ``{spoken}`` instead; ``names`` maps ISO 639-1 codes to names."""

    own: str = "en"
    follow: Text = "({language})"
    cannot: Text = "({spoken})"
    names: dict[str, str] = field(default_factory=dict[str, str])

    def note(self, language: str, spoken: Sequence[str]) -> str:
        """The note for a turn in ``language`` (ISO 639-1; "" if unknown) and a voice that speaks the languages
        ``spoken`` (empty: any); "" if none is needed."""
        name = self.names.get(language, "")
        if not name or language == self.own:
            return ""
        instead = "" if not spoken or language in spoken else self.names.get(spoken[0], "")
        return self.cannot.format(language=name, spoken=instead) if instead else self.follow.format(language=name)


@dataclass(frozen=True, slots=True)
class Prompts:
    """The content of ``prompts/``.

    ``personas`` and ``lessons`` are by id; ``speech`` are rules for every persona; ``recalled`` presents ``{memories}``
    to the language model, ``tagging`` tells it how to mark emotions, ``felt`` what the user feels; ``manners`` correct
    a small model; ``tutoring`` and ``orders`` are by language (ISO 639-1).
    """

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
    """Read ``prompts/``, or another folder with the same files.

    Raises PromptError for an invalid file, a missing lesson or opener, or where there is no persona; StageError
    ``memory_prompt`` for an invalid ``memory.md``.
    """
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
    """Read the file of one persona. Raises PromptError, which names the field and what is wrong."""
    head, body = frontmatter.read(path)
    known = [f.name for f in fields(Persona) if f.name not in ("id", "instructions")]
    for key in head:
        if key not in known:
            close = difflib.get_close_matches(key, known, 1, 0.5)
            hint = f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(known)}"
            raise PromptError(f"{path}: unknown key {key!r}; {hint}")
    return frontmatter.parse(Persona, head | {"id": path.stem, "instructions": body}, path)
