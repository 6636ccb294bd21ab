"""The ASGI application: the websocket `/v1/realtime`, the HTTP routes beside it, and the web client's files."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from companion import resources
from companion.avatar.faces.consent import Consents
from companion.avatar.faces.liveness import Liveness
from companion.avatar.portraits import Portraits
from companion.config import Server
from companion.dialogue.personas.personas import Persona
from companion.engine import Engine
from companion.filming.films import Films
from companion.memory.resumables import Resumables
from companion.metrics import Metrics
from companion.protocol import codec
from companion.protocol.events import Problem
from companion.protocol.ids import new_id
from companion.safety.allowance import Allowance
from companion.server.connection import Caller, Opens, converse, refuse
from companion.server.entry.access import FORBIDDEN_ORIGIN, Access, Refusal
from companion.server.entry.admission import Guest, Line, Places
from companion.server.entry.comebacks import Comebacks, token_of
from companion.server.entry.handshake import LINE
from companion.server.entry.logs import REQUEST, admitted
from companion.server.http.belongings import Belongings
from companion.server.http.bodies import SlowError
from companion.server.http.catalogue import Catalogue
from companion.server.http.client_secrets import Secrets
from companion.server.http.failures import failed
from companion.server.http.figures import Figures
from companion.server.http.memories import Memories
from companion.server.http.recordings import Recordings
from companion.server.http.sound import Sound
from companion.server.http.uploads import Uploads
from companion.server.load import Load
from companion.server.readiness import Readiness
from companion.server.transport.signalling import Calls, Desk
from companion.server.transport.websocket_wire import WebSocketWire
from companion.server.transport.wire import Wire
from companion.server.warm_up import WarmUp
from companion.session.client.visitor import Visitor
from companion.session.session import Session
from companion.stages.protocols import ASR, TTS, Memory

log = logging.getLogger(__name__)

METHODS = ["GET", "POST", "PUT", "DELETE"]


class Headers:
    """Middleware: gives each request an id, and adds security headers to every response. Browsers then guess no content
    type and send no referrer; the content security ``policy`` limits which pages may embed this one."""

    def __init__(self, app: ASGIApp, policy: str) -> None:
        self._app = app
        self._headers = {
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Content-Security-Policy": policy,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = new_id("req")
        REQUEST.set(request)  # for the task that answers the request, and all tasks that it starts

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers | {"X-Request-ID": request})
            await send(message)

        await self._app(scope, receive, tell if scope["type"] == "http" else send)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the routes need.

    ``persona`` is the id of the default persona, ``character`` returns the name of the default portrait. ``opens``
    makes a session, ``opens_for_tracks`` one whose client gets media tracks; ``warm`` prepares the default face;
    ``read`` has the language model read the persona of an id; ``turn`` runs a short turn through all stages; ``close``
    closes the stages.
    """

    config: Server
    persona: str
    personas: Mapping[str, Persona]
    character: Callable[[], str]
    portraits: Portraits
    asr: ASR
    tts: TTS
    memory: Memory
    resumables: Resumables | None
    allowance: Allowance
    films: Films | None
    metrics: Metrics
    opens: Opens
    opens_for_tracks: Opens
    ice_servers: tuple[str, ...]
    warm: Callable[[], Awaitable[None]]
    read: Callable[[str], Coroutine[Any, Any, None]]
    turn: Callable[[], Awaitable[None]]
    close: Callable[[], Awaitable[None]]


class App:
    """The routes, and the state of the server that they share."""

    def __init__(self, parts: Parts) -> None:
        config = parts.config
        self._parts = parts
        self.access = Access(config.api_key, config.allowed_origins)
        self.sessions = 0
        self.draining = False  # new conversations are refused
        self.load = Load(parts.metrics)
        self._readiness = Readiness(parts.turn, parts.metrics, time.monotonic)
        self._warm_up = WarmUp(parts.warm, parts.read, self._personas)
        self._places = Places(config.max_sessions, config.max_sessions_per_user)
        self._comebacks = Comebacks(parts.resumables)
        desk = Desk(visitor=self._visitor, admit=self._admit, leave=self._places.leave, converse=self._converse)
        self._calls = Calls(desk, parts.ice_servers)

    def starlette(self) -> Starlette:
        """The application with its routes, middleware and background tasks."""
        parts = self._parts
        origins, largest = parts.config.allowed_origins, parts.config.max_picture_bytes
        cors = Middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=METHODS,
            allow_headers=["*"],
            expose_headers=["Location"],
        )
        # Any page may load the web component; it explains to the authors of a page that may not connect what to do.
        client = CORSMiddleware(StaticFiles(directory=resources.folder("clients/web"), html=True), allow_origins=["*"])
        consents = Consents()
        kept = Belongings(parts.memory, consents, parts.resumables, parts.portraits, parts.allowance, parts.films)
        headers = Middleware(Headers, policy=f"frame-ancestors 'self' {' '.join(origins)}".strip())
        return Starlette(
            middleware=[headers, cors],
            routes=[
                WebSocketRoute("/v1/realtime", self.realtime),
                *self._calls.routes(),
                *Secrets(new=self.access.secret, visitor=self._visitor).routes(),
                *self._catalogue().routes(),
                *self._uploads(consents, largest).routes(),
                *Sound(asr=parts.asr, tts=parts.tts, visitor=self._visitor).routes(),
                *Memories(kept, self._visitor).routes(),
                *Recordings(parts.films, self._visitor).routes(),
                Route("/health", self.health),
                Route("/ready", self.ready),
                *Figures(parts.metrics, self._visitor).routes(),
                Mount("/", client),
            ],
            exception_handlers={SlowError: _too_slow, ClientDisconnect: _gone},
            lifespan=self._lifespan,
        )

    def _uploads(self, consents: Consents, largest: int) -> Uploads:
        parts = self._parts
        liveness = Liveness(consents.policy, parts.asr)
        return Uploads(
            portraits=parts.portraits, consents=consents, liveness=liveness, largest=largest, visitor=self._visitor
        )

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncGenerator[None]:
        beside = {"warm": self._warm_up.run(), "load": self.load.watch(), "comebacks": self._comebacks.watch()}
        running = [asyncio.create_task(work, name=name) for name, work in beside.items()]
        yield
        await self._calls.end()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self._parts.close()

    async def realtime(self, websocket: WebSocket) -> None:
        """Admit or refuse a websocket, and run its conversation until it ends. The query parameter ``persona`` and the
        offered subprotocols choose the persona, the encoding and a conversation to resume."""
        visitor = self.access.visitor(websocket)
        if isinstance(visitor, Refusal):
            await websocket.send_denial_response(self._refused(websocket, visitor))
            return
        offered: list[str] = websocket.scope.get("subprotocols", [])
        subprotocol = next((p for p in codec.SUBPROTOCOLS if p in offered), None)
        await websocket.accept(subprotocol)
        encode = codec.Encoder(binary=subprotocol == "realtime.binary", request=REQUEST.get())
        wire = WebSocketWire(websocket, encode)
        guest = await self._admit(websocket, visitor, token_of(offered), websocket.scope["extensions"].get(LINE))
        if isinstance(guest, Problem):
            await refuse(wire, guest)
        else:
            await self._converse(websocket, wire, guest)

    async def _admit(
        self, who: HTTPConnection, visitor: Visitor, token: str, line: Line | None = None
    ) -> Guest | Problem:
        """Give a place to a client with these rights, which resumes the conversation of ``token``, or say why not."""
        earlier = self._comebacks.place(token, visitor)
        if self._persona(who) not in self._parts.personas:
            known = ", ".join(self._parts.personas)
            return Problem("unknown_persona", f"There is no such persona; there are {known}.")
        if (why := self._closed()) and (self.draining or not earlier):
            return self._turned_away(who, Problem(*why))
        if place := await self._places.take(visitor.user or "", line, earlier):
            return Guest(visitor, place, token)
        message = f"All {self._parts.config.max_sessions} conversations of this server are taken. Try again later."
        return self._turned_away(who, Problem("session_limit_reached", message))

    def _persona(self, who: HTTPConnection) -> str:
        return who.query_params.get("persona") or self._parts.persona

    def _closed(self) -> tuple[str, str] | None:
        """Why no new conversation is accepted from anybody, as (code, sentence); None if they are accepted."""
        if self.draining:
            return "server_draining", "This server is about to stop. Try again in a minute."
        if self.sessions and self.load.high:
            return "server_busy", "This server is too busy for another conversation. Try again later."
        return None

    def _turned_away(self, who: HTTPConnection, problem: Problem) -> Problem:
        self._parts.metrics.refused.labels(problem.code).inc()
        log.warning("turned away %s: %s", _address(who), problem.code)
        return problem

    async def _converse(self, who: HTTPConnection, wire: Wire, guest: Guest) -> None:
        parts, config = self._parts, self._parts.config
        admitted(_address(who), guest.visitor, self.sessions + 1)
        self.sessions += 1
        self._warm_up.pause()
        parts.metrics.sessions.set(self.sessions)
        try:
            opens = parts.opens_for_tracks if wire.tracks else parts.opens
            caller = Caller(wire, guest, (config.first_message_s, config.idle_s))
            await converse(caller, self._persona(who), opens=opens, comebacks=self._comebacks, metrics=parts.metrics)
        finally:
            self._places.leave(guest.place)
            self.sessions -= 1
            if not self.sessions:
                self._warm_up.go_on()
            parts.metrics.sessions.set(self.sessions)

    async def health(self, request: Request) -> Response:
        """Whether the process is alive: always 200, with the number of running conversations and its limit."""
        return JSONResponse(
            {"status": "ok", "sessions": self.sessions, "max_sessions": self._parts.config.max_sessions}
        )

    async def ready(self, request: Request) -> Response:
        """Whether a user who connects now would be answered: 200, or 503 with the reason as a code in ``why``."""
        why = await self._unready()
        return JSONResponse({"ready": not why} | ({"why": why} if why else {}), 503 if why else 200)

    async def _unready(self) -> str:
        if closed := self._closed():
            return closed[0]
        if self.sessions >= self._parts.config.max_sessions:
            return "session_limit_reached"
        if not self._warm_up.face:
            return "starting" if self._warm_up.face is None else "face_failed"
        return "" if await self._readiness.works(idle=not self.sessions) else "turn_failed"

    def _catalogue(self) -> Catalogue:
        parts = self._parts
        personas = self._personas()
        return Catalogue(portraits=parts.portraits, default=parts.character, personas=personas, tts=parts.tts)

    def _personas(self) -> list[Persona]:
        """All personas, the default one first."""
        default = self._parts.persona
        return sorted(self._parts.personas.values(), key=lambda p: (p.id != default, p.id))

    def _visitor(self, request: Request) -> Visitor | Response:
        visitor = self.access.visitor(request)
        return self._refused(request, visitor) if isinstance(visitor, Refusal) else visitor

    def _refused(self, who: HTTPConnection, refusal: Refusal) -> Response:
        log.warning("refused %s: %s", _address(who), refusal.code)
        self._parts.metrics.refused.labels(refusal.code).inc()
        response = failed(refusal.status, refusal.code, refusal.message)
        if refusal.code == FORBIDDEN_ORIGIN:  # without it the page could not read the reason
            response.headers["Access-Control-Allow-Origin"] = "*"
        return response


def create_app(engine: Engine) -> Starlette:
    """Make the application, which any ASGI server can run, from a loaded ``engine``."""
    parts = Parts(
        config=engine.config.server,
        persona=engine.config.session.persona,
        personas=engine.prompts.personas,
        character=lambda: engine.default_character,
        portraits=engine.portraits,
        asr=engine.asr,
        tts=engine.tts,
        memory=engine.memory,
        resumables=engine.resumables,
        allowance=engine.safety.allowance,
        films=engine.films,
        metrics=engine.metrics,
        opens=partial(Session, engine),
        opens_for_tracks=partial(Session, replace(engine, tracks=True)),
        ice_servers=engine.config.webrtc.servers,
        warm=lambda: engine.looks.warm(),
        read=partial(engine.rehearsal.read, engine.tts),
        turn=lambda: engine.rehearsal.turn(engine.asr, engine.tts),
        close=engine.close,
    )
    app = App(parts)
    made = app.starlette()
    made.state.app = app
    return made


async def _too_slow(request: Request, error: Exception) -> Response:
    return failed(408, "request_timeout", "The rest of the request did not come in time. Send it again.")


async def _gone(request: Request, error: Exception) -> Response:
    """The client has disconnected; nobody reads this response."""
    return Response(status_code=400)


def _address(who: HTTPConnection) -> str:
    return who.client.host if who.client else "somebody"
