"""Time limits for minors: how long they may talk without a pause and per day, by the operator's configuration."""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Protocol

from companion.config import Care
from companion.protocol.events import Json
from companion.safety.policy import Breaks

log = logging.getLogger(__name__)

MOST_USERS = 100_000  # users whose time is kept; the one seen longest ago is dropped first
STORED_EVERY_S = 5.0  # s of talk after which it is stored: at most so much is lost when the process is killed
RENEWED_AFTER_S = 86_400.0  # s without talk after which a row may be gone for being old
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


class Ledger(Protocol):
    """A store of what users have talked, as `companion.memory.talk_times.TalkTimes`, which says more. The methods raise
    StageError."""

    def name(self, user: str) -> str: ...
    def recent(self) -> dict[str, Json]: ...
    def keep(self, name: str, talked: Json, anew: bool) -> Future[bool]: ...
    def forget(self, name: str) -> int: ...


@dataclass(slots=True)
class _User:
    """``stored``: the ledger has a row. ``asked_at`` is the time of the last update that it was asked to store, and
    ``storing`` what became of that."""

    talked: Talked
    stored: bool = False
    asked_at: float = float("-inf")
    storing: Future[bool] | None = None


class Allowance:
    """The limits that ``care`` sets, and the time that users have used of them: as long as this process runs, and
    beyond it where there is a ``ledger``, which is read here and never again. Days are in this machine's time zone.
    ``now`` gives Unix time in seconds. Raises StageError."""

    def __init__(self, care: Care, now: Callable[[], float] = time.time, ledger: Ledger | None = None) -> None:
        self._care, self._now, self._ledger = care, now, ledger
        self._users: OrderedDict[str, _User] = OrderedDict()
        for name, stored in (ledger.recent() if ledger else {}).items():
            talked = Talked(**stored)
            self._users[name] = _User(talked, stored=True, asked_at=talked.at)

    def of(self, user: str) -> Talked:
        """The time that ``user`` has used in all conversations, to be updated by `spend`. An unknown user ("") starts
        from nothing each time."""
        if not user:
            return Talked()
        name = self._name(user)
        known = self._users.setdefault(name, _User(Talked()))
        self._users.move_to_end(name)
        while len(self._users) > MOST_USERS:
            self._users.popitem(last=False)
        return known.talked

    def told(self, user: str) -> Json | None:
        """What is kept of ``user``, as JSON; None for nothing."""
        known = self._users.get(self._name(user))
        return asdict(known.talked) if known else None

    def forget(self, user: str) -> int:
        """Delete what is kept of ``user`` -> 1, or 0 if there was nothing. Conversations under way go on counting, but
        what they count is kept no more. Blocks; raises StageError."""
        name = self._name(user)
        known = self._users.pop(name, None) is not None
        return int(known) | (self._ledger.forget(name) if self._ledger and user else 0)

    def store(self, user: str, talked: Talked) -> None:
        """Have the time of ``user`` stored, in the background and not more often than every `STORED_EVERY_S`, unless it
        was forgotten meanwhile."""
        name = self._name(user)
        known = self._users.get(name)
        if self._ledger is None or known is None or known.talked is not talked:
            return
        if talked.at - known.asked_at < STORED_EVERY_S or (known.storing and not known.storing.done()):
            return
        anew = not known.stored or talked.at - known.asked_at > RENEWED_AFTER_S
        known.asked_at = talked.at
        known.storing = self._ledger.keep(name, asdict(talked), anew)
        known.storing.add_done_callback(lambda done: self._after(name, known, done))

    def _after(self, name: str, known: "_User", done: Future[bool]) -> None:
        """Called in the ledger's thread. What another process has deleted is forgotten here, too."""
        if (error := done.exception()) is not None:
            log.warning("the time that a minor has talked could not be stored: %s", error)
        elif done.result():
            known.stored = True
        elif self._users.get(name) is known:
            del self._users[name]

    def _name(self, user: str) -> str:
        """By which ``user`` is known here and in the ledger."""
        return self._ledger.name(user) if self._ledger and user else user

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
        self._allowance.store(user, self._talked)
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
