"""How long a minor may talk: in one go and on one day, by the operator's configuration."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime

from companion.config import Care
from companion.protocol.events import Json
from companion.safety.policy import Breaks

MOST_USERS = 100_000  # of whom it is known how long they have talked; the one who was here longest ago goes first
LONGEST_STEP_S = 10.0  # s that count between two looks at the clock: a machine that slept was not talked to
LATEST_S = 60.0  # s in which somebody has stopped speaking, or the end comes without a farewell


@dataclass(slots=True)
class Talked:
    """``day``: the date of the last time, ``at``: when that was, Unix time in s; ``day_s`` on this day, and ``run_s``
    without a pause, in s."""

    day: str = ""
    at: float = 0.0
    day_s: float = 0.0
    run_s: float = 0.0


class Allowance:
    """What ``care`` allows, and what users have had of it while this process lives. Days are those of this machine.
    ``now`` gives Unix time in seconds."""

    def __init__(self, care: Care, now: Callable[[], float] = time.time) -> None:
        self._care, self._now = care, now
        self._users: OrderedDict[str, Talked] = OrderedDict()

    def of(self, user: str) -> Talked:
        """What ``user`` has had, in all conversations; nothing yet for "", who is nobody that is known."""
        if not user:
            return Talked()
        talked = self._users.setdefault(user, Talked())
        self._users.move_to_end(user)
        while len(self._users) > MOST_USERS:
            self._users.popitem(last=False)
        return talked

    def told(self, user: str) -> Json | None:
        """What is known of ``user``."""
        return asdict(self._users[user]) if user in self._users else None

    def forget(self, user: str) -> int:
        """Delete it -> how many users that were."""
        return int(self._users.pop(user, None) is not None)

    def spend(self, talked: Talked, seconds: float) -> None:
        """They have talked on, after a pause or another night perhaps."""
        now = self._now()
        day = datetime.fromtimestamp(now).date().isoformat()
        if day != talked.day:
            talked.day, talked.day_s = day, 0.0
        if now - talked.at >= max(LONGEST_STEP_S, 60 * self._care.minors_pause_minutes):
            talked.run_s = 0.0
        talked.at = now
        talked.run_s += seconds
        talked.day_s += seconds

    def left_s(self, talked: Talked) -> float:
        """Seconds that they may still talk now."""
        limits = (self._care.minors_minutes, talked.run_s), (self._care.minors_day_minutes, talked.day_s)
        return min((60 * minutes - spent for minutes, spent in limits if minutes), default=float("inf"))


class Stay:
    """One conversation's. ``minor`` tells whether its user is one, and ``user`` who that is, or ""; ``clock`` gives
    seconds."""

    def __init__(
        self,
        allowance: Allowance,
        breaks: Breaks,
        clock: Callable[[], float],
        minor: Callable[[], bool],
        user: Callable[[], str],
    ) -> None:
        self._allowance, self._breaks = allowance, breaks
        self._clock, self._minor, self._user = clock, minor, user
        self._last = clock()
        self._name, self._talked = "", Talked()
        self._warned = self._parted = False
        self._over_at: float | None = None  # by the clock

    def tick(self) -> None:
        """Time goes on. Called several times a second."""
        now = self._clock()
        step, self._last = min(now - self._last, LONGEST_STEP_S), now
        if not self._minor() or self._over_at is not None:
            return
        if (user := self._user()) != self._name:
            self._name, self._talked = user, self._allowance.of(user)
        self._allowance.spend(self._talked, step)
        if self._allowance.left_s(self._talked) <= 0:
            self._over_at = now

    def word(self) -> str:
        """What is to be said of it now, each once: that the end is near, and a farewell; else ""."""
        if self._over_at is not None and not self._parted:
            self._parted = True
            return self._breaks.over
        near = self._allowance.left_s(self._talked) <= 60 * self._breaks.soon_minutes
        if self._over_at is None and near and not self._warned:
            self._warned = True
            return self._breaks.soon
        return ""

    def ended(self, speaking: bool) -> bool:
        """Whether the conversation is to be closed; ``speaking``: something is being said."""
        if self._over_at is None:
            return False
        return (self._parted and not speaking) or self._clock() - self._over_at > LATEST_S

    def state(self) -> Json:
        """As `restore` takes it."""
        return {"name": self._name, "talked": asdict(self._talked)}

    def restore(self, state: Json) -> None:
        """Go on where another session's was: of a user who is known the longer count holds."""
        before = Talked(**state["talked"])
        self._name, self._talked = state["name"], self._allowance.of(state["name"])
        if before.at > self._talked.at:
            for name, value in asdict(before).items():
                setattr(self._talked, name, value)
