"""Connections before they have a session: limits on their number and on the time each may take to send its request.

When there are too many, an idle connection, with no request in progress, is closed for a new one, so that silent
connections cannot block the server. Built on uvicorn's protocols.
"""

import asyncio
import socket
from typing import Any, cast

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

try:
    import resource
except ImportError:  # not on Windows
    resource = None

HEADERS_S = 10.0  # s that the head of a request may take
REQUEST_S = 180.0  # s that a request may take in all, from its body to the end of the response
LOOK_S = 1.0  # s between two checks of these limits
BACKLOG = 64  # connections that the system accepts before the server handles any of them
LITTLE = 16 * 1024  # bytes that wait below the outbox: at 1 Mbit/s they are sent in 0.13 s
OWN_DESCRIPTORS = 64  # file descriptors for files, databases and the event loop itself
LINE = "vasari.line"  # key of the websocket's `Line` among the extensions of its ASGI scope


class Door:
    """Limits connections: at most ``most`` in all (fewer if file descriptors are scarce), and ``each`` per address."""

    def __init__(self, most: int, each: int) -> None:
        self._most, self._each = min(most, _descriptors() - BACKLOG - OWN_DESCRIPTORS), each
        self._inside: dict[asyncio.Transport, str] = {}  # connection -> address, oldest first

    def enter(self, transport: asyncio.Transport) -> None:
        """Add a new connection. If there are now too many, the oldest idle one is closed; that may be the new one."""
        self._inside = {other: address for other, address in self._inside.items() if not other.is_closing()}
        peer: Any = transport.get_extra_info("peername")
        address = str(peer[0]) if peer else ""
        self._inside[transport] = address
        beside = [other for other, its in self._inside.items() if its == address]
        if len(beside) > self._each:
            _send_one_away(beside)
        elif len(self._inside) > self._most:
            _send_one_away(list(self._inside))


class Knock(H11Protocol):
    """A connection that speaks HTTP, until it is upgraded to a `Line`. ``door`` is that of its server. It is closed
    when a request takes longer than `HEADERS_S` or `REQUEST_S`."""

    door: Door

    @property
    def waiting(self) -> bool:
        """Whether it is idle: no request is being answered."""
        return self.cycle is None or self.cycle.response_complete  # pyright: ignore[reportUnnecessaryComparison]

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        super().connection_made(transport)
        self._doing, self._since = (self.cycle, True), self.loop.time()
        self.door.enter(transport)
        self._look()

    def _look(self) -> None:
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            return
        doing, now = (self.cycle, self.waiting), self.loop.time()
        if doing != self._doing:
            self._doing, self._since = doing, now
        if now - self._since > (HEADERS_S if self.waiting else REQUEST_S):
            self.transport.abort()
        else:
            self.loop.call_later(LOOK_S, self._look)


class Line(WebSocketsSansIOProtocol):
    """A websocket that can be checked for a live client: clients answer pings automatically."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        _hold_little(transport)
        self.answered = asyncio.Event()  # set once a pong has come since the last ping
        self.answered.set()

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if not self.handshake_complete:
            cast(Any, self.scope)["extensions"][LINE] = self

    def send_keepalive_ping(self) -> None:
        self.answered.clear()
        super().send_keepalive_ping()

    def handle_pong(self, event: Any) -> None:
        super().handle_pong(event)
        if self.pending_ping_payload is None:
            self.answered.set()

    def ask(self) -> None:
        """Send a ping now, unless a pong is awaited already; ``answered`` is set when it comes."""
        if self.ping_timer is not None:
            self.ping_timer.cancel()
            self.send_keepalive_ping()

    def drop(self) -> None:
        """Abort the connection without a close frame, because the client is gone."""
        self.transport.abort()


def knocks_at(door: Door) -> type[Knock]:
    """The HTTP protocol class for a server with this ``door``, as uvicorn takes it."""
    return cast(type[Knock], type("KnockHere", (Knock,), {"door": door}))


def _send_one_away(connections: list[asyncio.Transport]) -> None:
    for transport in connections:
        protocol = transport.get_protocol()
        if isinstance(protocol, Knock) and protocol.waiting:
            transport.abort()
            return


def _hold_little(transport: asyncio.BaseTransport) -> None:
    """What a slow network does not take yet waits in the outbox, which drops old frames, and not in buffers of the
    system, from which it would come seconds late."""
    cast(asyncio.Transport, transport).set_write_buffer_limits(LITTLE)
    line: socket.socket | None = transport.get_extra_info("socket")
    if line is not None and hasattr(socket, "TCP_NOTSENT_LOWAT"):
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, LITTLE)


def _descriptors() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] if resource else 1024
