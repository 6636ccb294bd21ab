"""The state machine of safety over a conversation: from each verdict it decides whether to name help, ask, stay in
listening mode, or return to normal."""

import re
from dataclasses import dataclass, field, fields
from typing import Literal, NamedTuple

from companion.protocol.events import Json
from companion.safety.detect import Verdict
from companion.safety.policy import Crisis

CALM_TURNS = 2  # turns of ordinary talk after which the user counts as out of danger
PLAIN_WORDS = 3  # words from which on a turn counts as ordinary talk, unlike "Hm."
HARMED = frozenset({"suicide", "medical", "eating"})  # kinds of danger that confirm one another
BELIEVED_TURNS = 10  # turns for which a user who denied a danger is not asked about it again

Does = Literal["act", "ask", "listen", "relief", "believe", "concern", ""]


class Step(NamedTuple):
    """What to do now about which kind of danger. ``does``: "act" names help; "ask" asks the user; "listen" gives
    prepared answers to somebody who may be in danger; "relief" and "believe" return to normal, after help was named or
    after a question; "concern" lets the language model answer with a note; "" does nothing."""

    does: Does
    about: str = ""


@dataclass(slots=True)
class Watch:
    """The state of one session. ``about`` is the kind of danger that the user may be in, or ""."""

    policy: Crisis
    about: str = ""
    _asked: str = ""
    _calm: int = 0
    _turn: int = 0
    _denied: dict[str, int] = field(default_factory=dict[str, int])

    def step(self, said: str, verdict: Verdict) -> Step:
        """Advance by one message of the user, with its verdict -> what to do."""
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
        """The state as JSON, for `restore`."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "policy"}

    def restore(self, state: Json) -> None:
        """Continue from the `state` of another session."""
        for name, value in state.items():
            setattr(self, name, value)

    def act(self, about: str) -> Step:
        """Take the user to be in danger ``about`` from now on -> the step that names help."""
        self.about, self._calm = about, 0
        return Step("act", about)

    def _ask(self, about: str) -> Step:
        if self._turn - self._denied.get(about, -BELIEVED_TURNS) < BELIEVED_TURNS:
            return Step("concern", about)
        self._asked = about
        return Step("ask", about)

    def _answered(self, asked: str, said: str, verdict: Verdict, fine: bool) -> Step:
        """Handle the answer of a user who was asked whether they are in danger ``asked``."""
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
    """Whether signs of danger ``one`` confirm danger ``other``; those of unrelated kinds make neither more certain."""
    return one == other or {one, other} <= HARMED


def _also(serious: re.Pattern[str], said: str) -> bool:
    """Whether a denial is withdrawn in the same message, as in "No, but please help me"."""
    found = serious.search(said)
    return bool(found and found.start() > 0)
