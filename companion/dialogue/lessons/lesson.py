"""A lesson: questions asked one at a time, answers judged by the lesson's own words, hints before solutions.

The facts of a lesson come from its file and never from the language model, which talks about everything else.
"""

import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

from pydantic import ConfigDict, Field, with_config

from companion import frontmatter
from companion.stages.streams import closing

SHORT = 8  # words up to which a message without a question mark is an attempt at an answer

Text = Annotated[str, Field(min_length=1, max_length=1000)]
strict = with_config(ConfigDict(extra="forbid"))


@strict
@dataclass(frozen=True, slots=True)
class Item:
    """One question. ``answers``: words of which one must be in a right answer; ``goal``: place in the lesson's goals.

    ``solution`` is said after the last hint.
    """

    question: Text
    answers: Annotated[tuple[Text, ...], Field(min_length=1)]
    solution: Text
    hints: tuple[Text, ...] = ()
    goal: Annotated[int, Field(ge=1)] = 1


@strict
@dataclass(frozen=True, slots=True)
class Wording:
    """What is said around the questions; ``note`` tells the language model of the question that stands."""

    right: Annotated[tuple[Text, ...], Field(min_length=1)]
    wrong: Text
    solved: Text
    over: Text
    note: Text


@strict
@dataclass(frozen=True, slots=True)
class Lesson:
    title: Text
    goals: Annotated[tuple[Text, ...], Field(min_length=1)]
    items: Annotated[tuple[Item, ...], Field(min_length=1)]
    say: Wording

    @classmethod
    def read(cls, path: Path) -> Self:
        """A file of ``prompts/lessons``. Raises PromptError."""
        head, _ = frontmatter.read(path)
        lesson = frontmatter.parse(cls, head, path)
        for item in lesson.items:
            if item.goal > len(lesson.goals):
                raise frontmatter.PromptError(f"{path}: goal {item.goal} of {item.question!r} is not among the goals")
        return lesson


@dataclass(frozen=True, slots=True)
class Progress:
    """``solved`` questions of ``items``; ``goals`` that are reached; ``right``: whether the last answer was."""

    lesson: str
    item: int
    items: int
    solved: int
    right: bool
    goals: tuple[str, ...]
    over: bool


class Tutor:
    """One user's way through a lesson. ``tell`` is called with every progress."""

    def __init__(self, lesson: Lesson, tell: Callable[[Progress], None]) -> None:
        self._lesson, self._tell = lesson, tell
        self._place = self._hints = 0
        self._asked = self._right = False
        self._solved: set[int] = set()

    @property
    def over(self) -> bool:
        return self._place >= len(self._lesson.items)

    @property
    def note(self) -> str:
        """For the language model, which is not to give the answer away."""
        return "" if self.over else self._lesson.say.note.format(question=self._item.question)

    def hear(self, said: str) -> str:
        """What to say to an attempt at an answer; "" when it was none, and the language model replies."""
        if self.over or not self._asked:
            return ""
        if _is_right(said, self._item.answers):
            right = self._lesson.say.right
            self._solved.add(self._place)
            return self._go_on(right[len(self._solved) % len(right)], True)
        if said.rstrip().endswith("?") or len(said.split()) > SHORT:
            return ""
        if self._hints < len(self._item.hints):
            self._hints += 1
            self._report(False)
            return f"{self._lesson.say.wrong} {self._item.hints[self._hints - 1]}"
        return self._go_on(self._lesson.say.solved.format(solution=self._item.solution), False)

    async def guided(self, deltas: AsyncIterator[str]) -> AsyncIterator[str]:
        """The language model's words, and after them the question, if it was not asked yet."""
        async with closing(deltas) as stream:
            async for delta in stream:
                yield delta
        if not self._asked and not self.over:
            self._asked = True
            yield f" {self._item.question}"

    @property
    def _item(self) -> Item:
        return self._lesson.items[self._place]

    def _go_on(self, comment: str, right: bool) -> str:
        self._place, self._hints = self._place + 1, 0
        self._report(right)
        return f"{comment} {self._lesson.say.over if self.over else self._item.question}"

    def _report(self, right: bool) -> None:
        self._right = right
        self._tell(self.progress)

    @property
    def progress(self) -> Progress:
        """Where the user stands."""
        items, goals = self._lesson.items, self._lesson.goals
        reached = tuple(
            goal
            for number, goal in enumerate(goals, 1)
            if all(place in self._solved for place, item in enumerate(items) if item.goal == number)
        )
        counts = (self._place, len(items), len(self._solved))
        return Progress(self._lesson.title, *counts, self._right, reached, self.over)


class Lessons:
    """One user's way through ``lessons``, one at a time. ``tell`` as in `Tutor`."""

    def __init__(self, lessons: Mapping[str, Lesson], tell: Callable[[Progress], None]) -> None:
        self._lessons, self._tell = lessons, tell
        self._name = ""
        self._tutor: Tutor | None = None

    def tutor(self, name: str) -> Tutor | None:
        """That of the lesson of this ``name``; another name begins another, "" none."""
        if name != self._name:
            lesson = self._lessons.get(name)
            self._name, self._tutor = name, Tutor(lesson, self._tell) if lesson else None
        return self._tutor

    @property
    def progress(self) -> Progress | None:
        """In the lesson that has begun."""
        return self._tutor.progress if self._tutor else None


def _is_right(said: str, answers: tuple[str, ...]) -> bool:
    """Whether one of ``answers`` is in what was said, as whole words, and is not denied."""
    words = f" {' '.join(_words(said))} "
    if re.search(r" (?:not|isn't|aren't|never) ", words):
        return False
    return any(f" {' '.join(_words(answer))} " in words for answer in answers)


def _words(text: str) -> list[str]:
    return re.findall(r"[\w/']+", text.lower().replace("-", " "))
