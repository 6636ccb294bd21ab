"""The limited places for conversations on a server: who holds one, and who gets the next."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from companion.session.client.visitor import Visitor

ASK_S = 1.5  # s within which a live connection answers a ping
REPLACED_MESSAGE = "You have come back on another line; the conversation on this one ends."


class Line(Protocol):
    """A connection that can be checked for a live client: `ask` sends a ping, ``answered`` is set once the client has
    answered, `drop` ends the connection without a goodbye."""

    answered: asyncio.Event

    def ask(self) -> None: ...
    def drop(self) -> None: ...


@dataclass(slots=True, eq=False)
class Place:
    """A place that a conversation holds. ``user`` is the user of its client secret, or ""; ``line`` is its connection,
    None where it cannot be checked; ``heard`` is when its client last sent anything, in seconds on the event loop's
    clock."""

    user: str
    line: Line | None
    heard: float = 0.0
    lost: asyncio.Event = field(default_factory=asyncio.Event)  # set when the place has been given to somebody else

    def hear(self) -> None:
        """Record that the client has just sent something."""
        self.heard = asyncio.get_running_loop().time()


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody who was admitted: their rights, their place, and the token of the conversation that they resume, or
    ""."""

    visitor: Visitor
    place: Place
    token: str = ""


class Places:
    """The places of one server: at most ``most`` in all, and ``each`` per user."""

    def __init__(self, most: int, each: int) -> None:
        self._most, self._each = most, each
        self._taken: list[Place] = []

    async def take(self, user: str, line: Line | None, instead: Place | None = None) -> Place | None:
        """Take a place for ``user`` -> the place, or None if all are taken.

        ``instead`` is the earlier place of the same client, which it gives up for this one. A user who holds as many
        places as allowed, or any when the server is full, loses the one that has been silent longest. When the server
        is still full, connections are pinged and the places of dead ones are freed, which takes up to `ASK_S` seconds.
        """
        place = Place(user, line)
        place.hear()
        if instead in self._taken:
            self._lose(instead)
        own = [taken for taken in self._taken if user and taken.user == user]
        if len(own) >= self._each or (own and self._full):
            self._lose(min(own, key=lambda taken: taken.heard))
        if self._full:
            await self._ask_all()
        if self._full:
            return None
        self._taken.append(place)
        return place

    def leave(self, place: Place) -> None:
        """Free a place whose conversation has ended; does nothing for a place that was lost."""
        if place in self._taken:
            self._taken.remove(place)

    @property
    def _full(self) -> bool:
        return len(self._taken) >= self._most

    def _lose(self, place: Place) -> None:
        self.leave(place)
        place.lost.set()

    async def _ask_all(self) -> None:
        """Ping all connections and free the places of the dead ones: a phone that loses its network closes nothing."""
        asked = [(place, place.line) for place in self._taken if place.line]
        for _, line in asked:
            line.ask()
        with suppress(TimeoutError):
            async with asyncio.timeout(ASK_S):
                for _, line in asked:
                    await line.answered.wait()
        for place, line in asked:
            if not line.answered.is_set() and place in self._taken:
                self._lose(place)
                line.drop()
