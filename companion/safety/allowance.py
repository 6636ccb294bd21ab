"""Time limits for minors: how long they may talk without a pause and per day, by the operator's configuration."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime

from companion.config import Care
from companion.protocol.events import Json
from companion.safety.policy import Breaks

MOST_USERS = 100_000  # users whose time is kept; the one seen longest ago is dropped first
LONGEST_STEP_S = 10.0  # s that count at most between two ticks, so that a machine's sleep does not count as talk
LATEST_S = 60.0  # s after the limit at which a conversation ends, even if somebody still speaks


@dataclass(slots=True)
class Talked:
    """The time that a user has used. ``at`` is the Unix time of the last update in seconds, ``day`` its local date (ISO
    8601); ``day_s`` are the seconds talked on that day, ``run_s`` those since the last pause."""

    day: str = ""
    at: float = 0.0
    day_s: float = 0.0
    run_s: float = 0.0


class Allowance:
    """The limits that ``care`` sets, and the time that users have used of them, as long as this process runs. Days are
    in this machine's time zone. ``now`` gives Unix time in seconds."""

    def __init__(self, care: Care, now: Callable[[], float] = time.time) -> None:
        self._care, self._now = care, now
        self._users: OrderedDict[str, Talked] = OrderedDict()

    def of(self, user: str) -> Talked:
        """The time that ``user`` has used in all conversations, to be updated by `spend`. An unknown user ("") starts
        from nothing each time."""
        if not user:
            return Talked()
        talked = self._users.setdefault(user, Talked())
        self._users.move_to_end(user)
        while len(self._users) > MOST_USERS:
            self._users.popitem(last=False)
        return talked

    def told(self, user: str) -> Json | None:
        """What is stored of ``user``, as JSON; None for nothing."""
        return asdict(self._users[user]) if user in self._users else None

    def forget(self, user: str) -> int:
        """Delete what is stored of ``user`` -> 1, or 0 if there was nothing."""
        return int(self._users.pop(user, None) is not None)

    def spend(self, talked: Talked, seconds: float) -> None:
        """Add ``seconds`` of conversation to ``talked``, after resetting what a pause or a new day resets."""
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
        """Seconds that are left by the stricter limit: 0 or less when time is up, infinity where there is no limit."""
        limits = (self._care.minors_minutes, talked.run_s), (self._care.minors_day_minutes, talked.day_s)
        return min((60 * minutes - spent for minutes, spent in limits if minutes), default=float("inf"))


class Stay:
    """The time limit in one conversation. ``minor`` returns whether its user is a minor, ``user`` who that is, or "";
    ``clock`` gives seconds."""

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
        self._over_at: float | None = None  # when the time was up, by the clock

    def tick(self) -> None:
        """Count the time since the last call. To be called several times a second."""
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
        """The sentence to say now: once that the end is near, and once a farewell; else ""."""
        if self._over_at is not None and not self._parted:
            self._parted = True
            return self._breaks.over
        near = self._allowance.left_s(self._talked) <= 60 * self._breaks.soon_minutes
        if self._over_at is None and near and not self._warned:
            self._warned = True
            return self._breaks.soon
        return ""

    def ended(self, speaking: bool) -> bool:
        """Whether the conversation is to be closed now. ``speaking``: the companion is speaking, so that the farewell
        is waited for, at most `LATEST_S` seconds."""
        if self._over_at is None:
            return False
        return (self._parted and not speaking) or self._clock() - self._over_at > LATEST_S

    def state(self) -> Json:
        """The state as JSON, for `restore`."""
        return {"name": self._name, "talked": asdict(self._talked)}

    def restore(self, state: Json) -> None:
        """Continue from the `state` of another session. If this process has counted for the user since, the more recent
        count is kept."""
        before = Talked(**state["talked"])
        self._name, self._talked = state["name"], self._allowance.of(state["name"])
        if before.at > self._talked.at:
            for name, value in asdict(before).items():
                setattr(self._talked, name, value)
