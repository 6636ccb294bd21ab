"""What care does from verdict to verdict: it hands over, asks once, listens, and calms down again."""

import re
from dataclasses import dataclass, field, fields
from typing import Literal, NamedTuple

from companion.protocol.events import Json
from companion.safety.detect import Verdict
from companion.safety.policy import Crisis

CALM_TURNS = 2  # turns of ordinary talk after which nobody is in danger any more
PLAIN_WORDS = 3  # words from which a turn is one of ordinary talk: "Hm." says nothing
HARMED = frozenset({"suicide", "medical", "eating"})  # kinds of danger of which each may be the other's sign
BELIEVED_TURNS = 10  # turns in which one who said no is not asked about the same again

Does = Literal["act", "ask", "listen", "relief", "believe", "concern", ""]


class Step(NamedTuple):
    """``does``: "act" hands over; "ask" asks; "listen" stays with somebody who may be in danger; "relief" and
    "believe" come to rest, after a hand-off and after a question; "concern" leaves it to the model with a note."""

    does: Does
    about: str = ""


@dataclass(slots=True)
class Watch:
    """One session's. ``about`` is the danger in which the user may be, "" in calm."""

    policy: Crisis
    about: str = ""
    _asked: str = ""
    _calm: int = 0
    _turn: int = 0
    _denied: dict[str, int] = field(default_factory=dict[str, int])

    def step(self, said: str, verdict: Verdict) -> Step:
        self._turn += 1
        asked, self._asked = self._asked, ""
        if verdict.level == "crisis":
            return self.act(verdict.about)
        fine = bool(self.policy.fine.search(said))
        if asked:
            return self._answered(asked, said, verdict, fine)
        if self.about:
            return self._go_on(said, verdict, fine)
        if verdict.level == "ask":
            return self._ask(verdict.about)
        return Step("concern" if verdict.level == "concern" else "", verdict.about)

    def state(self) -> Json:
        """As `restore` takes it."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "policy"}

    def restore(self, state: Json) -> None:
        """Go on where another session's was."""
        for name, value in state.items():
            setattr(self, name, value)

    def act(self, about: str) -> Step:
        self.about, self._calm = about, 0
        return Step("act", about)

    def _ask(self, about: str) -> Step:
        if self._turn - self._denied.get(about, -BELIEVED_TURNS) < BELIEVED_TURNS:
            return Step("concern", about)
        self._asked = about
        return Step("ask", about)

    def _answered(self, asked: str, said: str, verdict: Verdict, fine: bool) -> Step:
        """The user was asked whether they are in danger, and this is their answer."""
        if fine and not _also(self.policy.serious, said):
            self._denied[asked] = self._turn
            return Step("believe", asked)
        if verdict.level == "ask" and _alike(verdict.about, asked):
            return self.act(verdict.about)
        if self.policy.serious.search(said):
            return self.act(asked)
        self._denied[asked] = self._turn
        return self._ask(verdict.about) if verdict.level == "ask" else Step("concern", asked)

    def _go_on(self, said: str, verdict: Verdict, fine: bool) -> Step:
        if verdict.level == "ask":
            return self.act(verdict.about)
        if fine and verdict.level == "none" and not _also(self.policy.serious, said):
            return self._rest("relief")
        self._calm += verdict.level == "none" and len(said.split()) >= PLAIN_WORDS
        return self._rest("") if self._calm >= CALM_TURNS else Step("listen", self.about)

    def _rest(self, does: Does) -> Step:
        about, self.about, self._calm = self.about, "", 0
        self._denied[about] = self._turn
        return Step(does, about)


def _alike(one: str, other: str) -> bool:
    """Whether what is near to the ``one`` danger bears out the ``other``: two of different kinds are no surer than
    one."""
    return one == other or {one, other} <= HARMED


def _also(serious: re.Pattern[str], said: str) -> bool:
    """Whether a "no" is taken back, as in "No, but please help me"."""
    found = serious.search(said)
    return bool(found and found.start() > 0)
