"""The interface of a client's line, whatever carries it, and how lines end."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from companion.protocol.events import ClientEvent, Problem, ServerEvent

NORMAL_CLOSE, POLICY_CLOSE, INTERNAL_CLOSE, LATER_CLOSE = 1000, 1008, 1011, 1013  # close codes of websockets
FINAL_CLOSE = 4000  # tells the client not to reconnect by itself
GOODBYE_S = 2.0  # s that a closing handshake may take


@dataclass(frozen=True, slots=True)
class End:
    """How the server ends a line: a websocket's close code, and the error event to send before it."""

    code: int
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Left:
    """The client has gone; ``for_good``: it said so, and will not resume the conversation."""

    for_good: bool = False


class GoneError(Exception):
    """An event cannot be sent, because the line is closed."""


class Wire(Protocol):
    """One client's line. ``tracks``: sound and pictures travel as media tracks, in formats that are settled already.
    ``dropped`` is set by its owner, and called with the number of video frames that were lost on the way: the next
    frame must be a keyframe."""

    tracks: bool
    dropped: Callable[[int], None]

    async def receive(self) -> str | bytes | ClientEvent | Left:
        """Wait for what the client sends: a message as `codec.decode` takes it, an event that came by another way, or
        at last that it left."""
        ...

    async def send(self, event: ServerEvent) -> None:
        """Send an event; waits while the client is slow. Raises GoneError."""
        ...

    async def close(self, end: End) -> None:
        """Say why, and close. Does nothing if the client has gone; takes `GOODBYE_S` at most."""
        ...
