"""The places for conversations on a server: who holds one, and who gets the next."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

from companion.server.entry.handshake import Line

ASK_S = 1.5  # s within which a living connection answers
REPLACED_MESSAGE = "You have come back on another line; the conversation on this one ends."


@dataclass(slots=True, eq=False)
class Place:
    """``user`` is whom a client secret was made for, else empty. ``line`` is None where the server does not show it.
    ``heard``: when its client last sent anything, on the loop's clock."""

    user: str
    line: Line | None
    heard: float = 0.0
    lost: asyncio.Event = field(default_factory=asyncio.Event)  # set when somebody else got it

    def hear(self) -> None:
        """The client has sent something."""
        self.heard = asyncio.get_running_loop().time()


class Places:
    """``most`` in all, ``each`` for one user."""

    def __init__(self, most: int, each: int) -> None:
        self._most, self._each = most, each
        self._taken: list[Place] = []

    async def take(self, user: str, line: Line | None, instead: Place | None = None) -> Place | None:
        """A place, or None if all are taken; ``instead`` of one that its client has left for this. A user who already
        has as many as one user may have, or any when all are taken, gets the one of their own that was heard from
        longest ago; anybody may get the place of a dead connection."""
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
        """The conversation at this place is over."""
        if place in self._taken:
            self._taken.remove(place)

    @property
    def _full(self) -> bool:
        return len(self._taken) >= self._most

    def _lose(self, place: Place) -> None:
        self.leave(place)
        place.lost.set()

    async def _ask_all(self) -> None:
        """Find dead connections: a phone in a tunnel does not say goodbye."""
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
