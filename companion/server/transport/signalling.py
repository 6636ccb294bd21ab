"""Calls over WebRTC, with OpenAI's endpoints: ``/v1/realtime/calls``. They need the extra ``webrtc``."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from companion.protocol import codec
from companion.protocol.events import Problem, SessionUpdate
from companion.protocol.ids import new_id
from companion.server.entry.admission import Guest, Place
from companion.server.entry.logs import REQUEST
from companion.server.http.bodies import body_of
from companion.server.http.failures import failed
from companion.server.http.uploads import form_of
from companion.server.transport.wire import LATER_CLOSE, End, Wire
from companion.session.client.visitor import Visitor

if TYPE_CHECKING:
    from companion.server.transport.peer import Peer

LARGEST_OFFER = 200_000  # bytes of an offer, with its session
CONNECT_S = 20.0  # s that a client has from the answer until its data channel is open
TOKEN = "vasari-resume"  # header with the token of a conversation to resume; unlike a query, a header is in no log


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Admits callers. ``visitor`` returns who sent a request, or the response to somebody who may not enter; ``admit``
    admits the sender of a request with these rights and the token of a conversation to resume, or says why not;
    ``leave`` frees a place again; ``converse`` runs a guest's conversation."""

    visitor: Callable[[Request], Visitor | Response]
    admit: Callable[[Request, Visitor, str], Awaitable[Guest | Problem]]
    leave: Callable[[Place], None]
    converse: Callable[[Request, Wire, Guest], Awaitable[None]]


class Calls:
    """The routes. ``servers`` are the STUN and TURN servers of the configuration."""

    def __init__(self, desk: Desk, servers: Sequence[str]) -> None:
        self._desk, self._servers = desk, servers
        self._open: dict[str, tuple[Visitor, Peer]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def routes(self) -> list[Route]:
        return [
            Route("/v1/realtime/calls", self.create, methods=["POST"]),
            Route("/v1/realtime/calls/{id}/hangup", self.hang_up, methods=["POST"]),
        ]

    async def create(self, request: Request) -> Response:
        """Answer an SDP offer, the body or ``sdp`` of a form beside ``session``; the conversation begins once the
        client's data channel is open."""
        visitor = self._desk.visitor(request)
        if isinstance(visitor, Response):
            return visitor
        if find_spec("aiortc") is None:
            return failed(501, "webrtc_missing", "This server speaks WebSocket only: `pip install 'vasari[webrtc]'`.")
        asked = await _asked(request)
        if isinstance(asked, Problem):
            return failed(400, asked.code, asked.message)
        guest = await self._desk.admit(request, visitor, request.headers.get(TOKEN, ""))
        if isinstance(guest, Problem):
            return failed(404 if guest.code == "unknown_persona" else 503, guest.code, guest.message)
        return await self._begin(request, guest, *asked)

    async def hang_up(self, request: Request) -> Response:
        """End a call for good: its conversation will not be resumed."""
        visitor = self._desk.visitor(request)
        if isinstance(visitor, Response):
            return visitor
        whose, peer = self._open.get(request.path_params["id"], (None, None))
        if peer is None or whose != visitor:
            return failed(404, "call_not_found", "There is no such call.")
        peer.leave(for_good=True)
        return Response()

    async def end(self) -> None:
        """End all calls, because the server stops; their conversations can be resumed."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _begin(self, request: Request, guest: Guest, offer: str, first: SessionUpdate | None) -> Response:
        from companion.server.transport.peer import OfferError, Peer, connection

        peer = Peer(connection(self._servers), codec.Encoder(binary=False, request=REQUEST.get()))
        try:
            answer = await peer.answer(offer)
        except BaseException as error:
            self._desk.leave(guest.place)
            await peer.close(End(LATER_CLOSE))
            if isinstance(error, OfferError):
                return failed(400, "invalid_offer", str(error))
            raise
        guest.place.line = peer
        if first:
            peer.begin(first)
        id = new_id("rtc")
        self._open[id] = guest.visitor, peer
        task = asyncio.create_task(self._run(request, id, guest), name=id)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return Response(answer, 201, {"Location": f"/v1/realtime/calls/{id}"}, "application/sdp")

    async def _run(self, request: Request, id: str, guest: Guest) -> None:
        peer = self._open[id][1]
        try:
            if await peer.connected(CONNECT_S):
                await self._desk.converse(request, peer, guest)
        finally:
            del self._open[id]
            self._desk.leave(guest.place)
            await peer.close(End(LATER_CLOSE))


async def _asked(request: Request) -> tuple[str, SessionUpdate | None] | Problem:
    """The offer of a request, and what its ``session`` asks for."""
    body = await body_of(request, LARGEST_OFFER) or b""
    parts: Mapping[str, bytes | None] | None = {"sdp": body}
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        parts = await form_of(request, body, ("sdp", "session"))
    try:
        offer, session = (parts or {}).get("sdp") or b"", (parts or {}).get("session")
        wish: Any = codec.parse(session) if session else {}
        if offer and isinstance(wish, dict):
            return offer.decode(), SessionUpdate(cast(dict[str, Any], wish)) if wish else None
    except ValueError:
        pass
    return Problem("invalid_offer", "Send an SDP offer as application/sdp, or `sdp` and `session` (JSON) as a form.")
