"""The files of a lesson: its questions, and how a language asks them and understands what is answered.

The facts of a lesson come from its file and never from the language model, which talks about everything else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Self

from pydantic import ConfigDict, Field, with_config

from companion import frontmatter
from companion.frontmatter import Pattern
from companion.understanding.answers import Question, Speech

Text = Annotated[str, Field(min_length=1, max_length=1000)]
strict = with_config(ConfigDict(extra="forbid"))


@strict
@dataclass(frozen=True, slots=True)
class Item:
    """One question. ``answers`` are all that are right: a number stands for every number of its value, of anything else
    the words must be in an answer. ``goal``: place in the lesson's goals. ``solution`` is said after the last hint.
    """

    question: Text
    answers: Annotated[tuple[Text, ...], Field(min_length=1)]
    solution: Text
    hints: tuple[Text, ...] = ()
    goal: Annotated[int, Field(ge=1)] = 1


@strict
@dataclass(frozen=True, slots=True)
class Wording:
    """What is said around the questions; what is empty in a lesson is as its language has it. ``{title}``,
    ``{solution}`` and ``{question}`` are filled in; ``note`` tells the language model of the question that stands."""

    offer: str = ""
    begin: str = ""
    right: tuple[Text, ...] = ()
    wrong: str = ""
    help: str = ""
    solved: str = ""
    again: str = ""
    unheard: str = ""
    leave: str = ""
    back: str = ""
    over: str = ""
    note: str = ""

    def over_all(self, other: "Wording") -> "Wording":
        """This one, with what ``other`` says where it says nothing."""
        return Wording(**{f.name: getattr(self, f.name) or getattr(other, f.name) for f in fields(self)})


@strict
@dataclass(frozen=True, slots=True, kw_only=True)
class Tutoring(Speech):
    """One language of ``prompts/tutoring.md``, which explains it."""

    accept: Pattern
    refuse: Pattern
    leave: Pattern
    turn: Pattern
    back: Pattern
    subject: Pattern
    repeat: Pattern
    help: Pattern
    heard: str
    say: Wording

    def question(self, item: Item, language: str) -> Question:
        """What judges answers to an item."""
        return Question(item.question, item.answers, (*item.hints, item.solution), self, language)


@strict
@dataclass(frozen=True, slots=True)
class Lesson:
    """``language`` (ISO 639-1) is one of ``prompts/tutoring.md``; ``subjects`` are words by which it is asked for
    beside its ``title``."""

    title: Text
    goals: Annotated[tuple[Text, ...], Field(min_length=1)]
    items: Annotated[tuple[Item, ...], Field(min_length=1)]
    say: Wording = Wording()
    language: str = "en"
    subjects: tuple[Text, ...] = field(default=())

    @classmethod
    def read(cls, path: Path, tutoring: Mapping[str, Tutoring]) -> Self:
        """A file of ``prompts/lessons``. Raises PromptError."""
        head, _ = frontmatter.read(path)
        lesson = frontmatter.parse(cls, head, path)
        if lesson.language not in tutoring:
            known = ", ".join(tutoring)
            raise frontmatter.PromptError(f"{path}: language: prompts/tutoring.md has {known}, not {lesson.language!r}")
        for item in lesson.items:
            if item.goal > len(lesson.goals):
                raise frontmatter.PromptError(f"{path}: goal {item.goal} of {item.question!r} is not among the goals")
        return lesson


def tutoring(folder: Path) -> dict[str, Tutoring]:
    """``tutoring.md`` of a folder of prompts, by language. Raises PromptError."""
    path = folder / "tutoring.md"
    head, _ = frontmatter.read(path)
    return {language: frontmatter.parse(Tutoring, table, path) for language, table in head.items()}
