"""Tutors one user through a lesson: offers it, asks one question at a time, judges answers, gives hints before the
solution, and lets the learner leave and return."""

import re
from collections.abc import AsyncIterator, Callable, Mapping
from enum import Enum

from companion.dialogue.lessons.lesson import Item, Lesson, Tutoring
from companion.phases import following
from companion.protocol.events import AvatarProgress, Json
from companion.stages.streams import closing
from companion.understanding.answers import Heard, Question


class Phase(Enum):
    """The state of a lesson."""

    NEW = "nobody has spoken of the lesson"
    OFFERED = "the learner was asked just now whether they want it"
    ASKING = "a question stands"
    LEFT = "the learner does not want it now"
    OVER = "all questions were asked"


FOLLOWS = {  # the transitions that are allowed
    Phase.NEW: {Phase.OFFERED, Phase.ASKING},
    Phase.OFFERED: {Phase.ASKING, Phase.LEFT},
    Phase.ASKING: {Phase.LEFT, Phase.OVER},
    Phase.LEFT: {Phase.ASKING},
    Phase.OVER: {Phase.ASKING},
}


class Tutor:
    """Tutors one user through one lesson. ``tutoring`` is that of the lesson's language; ``tell`` is called with every
    change of progress."""

    def __init__(self, lesson: Lesson, tutoring: Tutoring, tell: Callable[[AvatarProgress], None]) -> None:
        self._lesson, self._tutoring, self._tell = lesson, tutoring, tell
        self._say = lesson.say.over_all(tutoring.say)
        self._questions = [tutoring.question(item, lesson.language) for item in lesson.items]
        named = "|".join(map(re.escape, (lesson.title, *lesson.subjects)))
        self._back = re.compile(tutoring.back.pattern.replace("{title}", named), re.IGNORECASE)
        self._named = re.compile(rf"\b(?:{named})\b", re.IGNORECASE)
        self._phase = Phase.NEW
        self._place = self._hints = 0
        self._right = self._free = False
        self._solved: set[int] = set()

    @property
    def over(self) -> bool:
        """Whether all questions were asked."""
        return self._phase is Phase.OVER

    @property
    def asking(self) -> bool:
        """Whether a question is waiting for its answer."""
        return self._phase is Phase.ASKING

    @property
    def note(self) -> str:
        """A note for the language model on the current question, so that it does not give the answer away; else ""."""
        return self._say.note.format(question=self._item.question) if self.asking else ""

    @property
    def heard(self) -> str:
        """A prompt for the speech recogniser with answers to expect; "" while no question is waiting. Those that are
        words are listed for the whole lesson, lest the prompt favour the right one."""
        if not self.asking:
            return ""
        if self._question.numeric:
            return self._tutoring.heard
        return " ".join(f"{item.answers[0]}." for item in self._lesson.items)

    @property
    def counts(self) -> bool:
        """Whether a question that a number answers is waiting."""
        return self.asking and self._question.numeric

    def hear(self, said: str) -> str:
        """Handle the user's turn -> what to say; "" if it is not about the lesson: the language model replies."""
        self._free = bool(self._tutoring.polite.search(said) or self._tutoring.free.search(said))
        if not self.asking:
            return self._invited(said)
        tutoring, say = self._tutoring, self._say
        if tutoring.leave.search(said) or tutoring.turn.search(said):
            self.leave()
            return "" if tutoring.turn.search(said) else say.leave
        if tutoring.repeat.search(said):
            return f"{say.again} {self._item.question}"
        return self._judged(said)

    def leave(self) -> None:
        """Suspend the lesson if it is offered or a question is waiting."""
        if self._phase in (Phase.OFFERED, Phase.ASKING):
            self._enter(Phase.LEFT)

    async def guided(self, deltas: AsyncIterator[str]) -> AsyncIterator[str]:
        """Pass on the deltas of the language model's reply; the first reply to a learner who has nothing else
        in mind ends with the offer of the lesson."""
        async with closing(deltas) as stream:
            async for delta in stream:
                yield delta
        if self._phase is Phase.NEW and self._free:
            self._enter(Phase.OFFERED)
            yield f" {self._say.offer.format(title=self._lesson.title)}"

    @property
    def progress(self) -> AvatarProgress:
        """The learner's progress."""
        items, goals = self._lesson.items, self._lesson.goals
        reached = tuple(
            goal
            for number, goal in enumerate(goals, 1)
            if all(place in self._solved for place, item in enumerate(items) if item.goal == number)
        )
        counts = (self._place, len(items), len(self._solved))
        return AvatarProgress(self._lesson.title, *counts, self._right, reached, self.over)

    def state(self) -> Json:
        """The state as JSON, for `restore`."""
        own = {"hints": self._hints, "right": self._right, "solved": sorted(self._solved)}
        return {"phase": self._phase.name, "place": self._place, **own}

    def restore(self, state: Json) -> None:
        """Continue from the `state` of another session; start anew if the lesson's file has changed so that it no
        longer fits."""
        items = self._lesson.items
        if state["place"] + (state["phase"] != Phase.OVER.name) > len(items):
            return
        if state["place"] < len(items) and state["hints"] > len(items[state["place"]].hints):
            return
        self._phase, self._place, self._hints = Phase[state["phase"]], state["place"], state["hints"]
        self._right, self._solved = state["right"], set(state["solved"])

    @property
    def _item(self) -> Item:
        return self._lesson.items[self._place]

    @property
    def _question(self) -> Question:
        return self._questions[self._place]

    def _invited(self, said: str) -> str:
        """What to say to a learner who is not in the lesson: if they want it, its first question, or the one where they
        left; else ""."""
        tutoring = self._tutoring
        offered = self._phase is Phase.OFFERED
        wished = self._back.search(said) or self._named.search(said) and tutoring.subject.search(said)
        if wished and not tutoring.refuse.search(said) or offered and tutoring.accept.search(said):
            begun = self._phase is Phase.LEFT and (self._place or self._hints)
            if self.over:
                self._place, self._solved = 0, set()
            self._enter(Phase.ASKING)
            return f"{self._say.back if begun else self._say.begin} {self._item.question}"
        self.leave()  # an offer holds for one turn
        return ""

    def _judged(self, said: str) -> str:
        """What to say to the learner's words while a question is waiting; "" if they are not about it."""
        say, heard = self._say, self._question.judge(said)
        if heard is Heard.WRONG and not self._question.numeric and self._tutoring.help.search(said):
            heard = Heard.ASIDE  # "too hard" is short enough to be a name
        match heard:
            case Heard.RIGHT:
                self._solved.add(self._place)
                return self._go_on(say.right[len(self._solved) % len(say.right)], True)
            case Heard.WRONG:
                return self._hinted(say.wrong, judged=True)
            case Heard.UNHEARD:
                return f"{say.unheard} {self._item.question}"
            case Heard.POLITE:
                return f"{say.again} {self._item.question}"
            case _:
                return self._hinted(say.help, judged=False) if self._tutoring.help.search(said) else ""

    def _hinted(self, comment: str, judged: bool) -> str:
        """``comment`` and the next hint, with the question again unless an answer was ``judged``; after the last hint
        the solution and the next question."""
        hints = self._item.hints
        if self._hints == len(hints):
            return self._go_on(self._say.solved.format(solution=self._item.solution), False)
        self._hints += 1
        if not judged:
            return f"{comment} {hints[self._hints - 1]} {self._item.question}"
        self._report(False)
        return f"{comment} {hints[self._hints - 1]}"

    def _go_on(self, comment: str, right: bool) -> str:
        self._place, self._hints = self._place + 1, 0
        if self._place == len(self._lesson.items):
            self._enter(Phase.OVER)
        self._report(right)
        return f"{comment} {self._say.over if self.over else self._item.question}"

    def _report(self, right: bool) -> None:
        self._right = right
        self._tell(self.progress)

    def _enter(self, phase: Phase) -> None:
        self._phase = following(FOLLOWS, self._phase, phase)


class Lessons:
    """Tutors one user through ``lessons`` (by name), one at a time; ``tutoring`` is by language, ``tell`` as in
    `Tutor`."""

    def __init__(
        self, lessons: Mapping[str, Lesson], tutoring: Mapping[str, Tutoring], tell: Callable[[AvatarProgress], None]
    ) -> None:
        self._lessons, self._tutoring, self._tell = lessons, tutoring, tell
        self._name = ""
        self._tutor: Tutor | None = None

    def tutor(self, name: str) -> Tutor | None:
        """The tutor of the lesson ``name``; None for "" or an unknown lesson. A name other than the last one starts
        that lesson anew."""
        if name != self._name:
            lesson = self._lessons.get(name)
            self._name = name
            self._tutor = Tutor(lesson, self._tutoring[lesson.language], self._tell) if lesson else None
        return self._tutor

    @property
    def progress(self) -> AvatarProgress | None:
        """The progress in the current lesson; None if there is none."""
        return self._tutor.progress if self._tutor else None

    def state(self) -> Json:
        """The state as JSON, for `restore`."""
        return {"name": self._name, "tutor": self._tutor.state() if self._tutor else None}

    def restore(self, state: Json) -> None:
        """Continue from the `state` of another session."""
        tutor = self.tutor(state["name"])
        if tutor and state["tutor"]:
            tutor.restore(state["tutor"])
