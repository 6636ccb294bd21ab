"""The files of a lesson: its questions, and the phrases and patterns of each language for asking and understanding.

The facts of a lesson come from its file and never from the language model, which talks about everything else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field

from companion import frontmatter
from companion.frontmatter import Pattern, strict
from companion.understanding.answers import Question, Speech

Text = Annotated[str, Field(min_length=1, max_length=1000)]


@strict
@dataclass(frozen=True, slots=True)
class Item:
    """One question of a lesson.

    ``answers`` are all the right ones: a number matches any number of the same value, any other answer matches where
    its words occur. ``hints`` are given one by one, ``solution`` after the last. ``goal`` is the number of the lesson's
    goal that it belongs to, from 1.
    """

    question: Text
    answers: Annotated[tuple[Text, ...], Field(min_length=1)]
    solution: Text
    hints: tuple[Text, ...] = ()
    goal: Annotated[int, Field(ge=1)] = 1


@strict
@dataclass(frozen=True, slots=True)
class Wording:
    """What is said around the questions, as ``prompts/tutoring.md`` explains it. ``{title}``, ``{solution}`` and
    ``{question}`` are filled in; fields that a lesson leaves empty are those of its language. ``note`` tells the
    language model of the current question."""

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
        """A copy of this wording, with its empty fields taken from ``other``."""
        return Wording(**{f.name: getattr(self, f.name) or getattr(other, f.name) for f in fields(self)})


@strict
@dataclass(frozen=True, slots=True, kw_only=True)
class Tutoring(Speech):
    """One language of ``prompts/tutoring.md``, which documents the fields."""

    accept: Pattern
    refuse: Pattern
    leave: Pattern
    turn: Pattern
    back: Pattern
    subject: Pattern
    free: Pattern
    repeat: Pattern
    help: Pattern
    heard: str
    say: Wording

    def question(self, item: Item, language: str) -> Question:
        """The judge of answers to ``item``, in ``language`` (ISO 639-1)."""
        return Question(item.question, item.answers, (*item.hints, item.solution), self, language)


@strict
@dataclass(frozen=True, slots=True)
class Lesson:
    """A file of ``prompts/lessons``. ``language`` (ISO 639-1) is one of ``prompts/tutoring.md``; ``subjects`` are other
    words than the ``title`` with which a learner may ask for the lesson."""

    title: Text
    goals: Annotated[tuple[Text, ...], Field(min_length=1)]
    items: Annotated[tuple[Item, ...], Field(min_length=1)]
    say: Wording = Wording()
    language: str = "en"
    subjects: tuple[Text, ...] = field(default=())

    @classmethod
    def read(cls, path: Path, tutoring: Mapping[str, Tutoring]) -> Self:
        """Read a lesson. Raises PromptError for an invalid file, a language that ``tutoring`` does not have, or an item
        without its goal."""
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
    """Read ``tutoring.md`` from a folder of prompts -> its languages by ISO 639-1 code. Raises PromptError."""
    path = folder / "tutoring.md"
    head, _ = frontmatter.read(path)
    return {language: frontmatter.parse(Tutoring, table, path) for language, table in head.items()}
