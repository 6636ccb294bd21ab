"""The ASGI application: `/v1/realtime` and what a client needs beside it, and the page itself."""

import asyncio
import logging
import signal
import socket
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from types import FrameType
from typing import Any

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from rich.console import Console
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

from companion import engine as engines
from companion import resources
from companion.avatar.portraits import PictureError, Portraits
from companion.config import Config, ConfigError, Server
from companion.dialogue.personas.personas import Persona
from companion.engine import Engine
from companion.memory.resumables import Resumables
from companion.metrics import Metrics
from companion.protocol import codec
from companion.server.access import FORBIDDEN_ORIGIN, Access, Refusal, is_loopback
from companion.server.admission import Places
from companion.server.bodies import SlowError, body_of
from companion.server.comebacks import Comebacks, token_of
from companion.server.connection import Caller, Opens, converse, refuse
from companion.server.handshake import BURST, LINE, Door, Line, knocks_at
from companion.server.load import Load
from companion.server.logs import AUDIT, admitted, brief
from companion.server.memories import Memories
from companion.server.readiness import Readiness
from companion.server.uploads import Uploads
from companion.session.client.visitor import Visitor
from companion.session.session import Session
from companion.stages.protocols import Memory

log = logging.getLogger(__name__)

LARGEST_MESSAGE = 4_000_000  # bytes of one websocket message: 60 s of sound as base64
METHODS = ["GET", "POST", "PUT", "DELETE"]
LARGEST_JSON = 1_000_000  # bytes


class Headers:
    """Middleware: what every answer tells a browser. No type is guessed, no address passed on, and by the content
    ``policy`` only the server's own pages and allowed ones may show the page within theirs."""

    def __init__(self, app: ASGIApp, policy: str) -> None:
        self._app = app
        self._headers = {
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Content-Security-Policy": policy,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        await self._app(scope, receive, tell if scope["type"] == "http" else send)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the routes need. ``persona`` is the default of ``personas``, and ``character`` finds that of the portraits.
    ``opens`` makes a session; ``warm`` prepares the default face, ``read`` lets the language model read a persona,
    ``turn`` tries all that an answer needs."""

    config: Server
    persona: str
    personas: Mapping[str, Persona]
    character: Callable[[], str]
    portraits: Portraits
    memory: Memory
    resumables: Resumables | None
    metrics: Metrics
    opens: Opens
    warm: Callable[[], Awaitable[None]]
    read: Callable[[str], Coroutine[Any, Any, None]]
    turn: Callable[[], Awaitable[None]]


class App:
    """The routes."""

    def __init__(self, parts: Parts) -> None:
        config = parts.config
        self._parts = parts
        self.access = Access(config.api_key, config.allowed_origins)
        self.sessions = 0
        self.draining = False  # no conversation begins any more
        self.load = Load(parts.metrics)
        self._readiness = Readiness(parts.turn, parts.metrics, time.monotonic)
        self._face: bool | None = None  # whether the default one can be shown
        self._places = Places(config.max_sessions, config.max_sessions_per_user)
        self._comebacks = Comebacks(parts.resumables)
        self._alone, self._busy = asyncio.Event(), asyncio.Event()
        self._alone.set()

    def starlette(self) -> Starlette:
        parts = self._parts
        origins, largest = parts.config.allowed_origins, parts.config.max_picture_bytes
        cors = Middleware(CORSMiddleware, allow_origins=origins, allow_methods=METHODS, allow_headers=["*"])
        # Any page may load the web component, which tells a page that may not connect what to do.
        client = CORSMiddleware(StaticFiles(directory=resources.folder("clients/web"), html=True), allow_origins=["*"])
        headers = Middleware(Headers, policy=f"frame-ancestors 'self' {' '.join(origins)}".strip())
        return Starlette(
            middleware=[headers, cors],
            routes=[
                WebSocketRoute("/v1/realtime", self.realtime),
                Route("/v1/realtime/client_secrets", self.client_secrets, methods=["POST"]),
                Route("/v1/characters", self.characters),
                Route("/v1/characters/{name}/picture", self.picture),
                Route("/v1/personas", self.personas),
                *Uploads(portraits=parts.portraits, largest=largest, visitor=self._visitor).routes(),
                *Memories(parts.memory, self.access, self._comebacks.forget).routes(),
                Route("/health", self.health),
                Route("/ready", self.ready),
                Route("/metrics", self.metrics),
                Mount("/", client),
            ],
            exception_handlers={SlowError: _too_slow, ClientDisconnect: _gone},
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncGenerator[None]:
        beside = {"warm": self._warm(), "load": self.load.watch(), "comebacks": self._comebacks.watch()}
        running = [asyncio.create_task(work, name=name) for name, work in beside.items()]
        yield
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _warm(self) -> None:
        try:
            await self._parts.warm()
            self._face = True
        except Exception as error:  # a session will say what is wrong with the face
            self._face = False
            log.error("the default face cannot be prepared: %s", error)
        for persona in self._personas():
            while not await self._read(persona):
                await self._alone.wait()

    async def _read(self, persona: Persona) -> bool:
        """Let the language model read it, unless a session comes: that needs the model now -> whether it is read."""
        reading = asyncio.create_task(self._parts.read(persona.id), name="read a persona")
        busy = asyncio.create_task(self._busy.wait(), name="a session")
        try:
            await asyncio.wait([reading, busy], return_when=asyncio.FIRST_COMPLETED)
        finally:
            reading.cancel()
            busy.cancel()
            await asyncio.wait([reading])
        if reading.cancelled():
            return False
        if error := reading.exception():  # the first reply will say it, too
            log.error("a persona cannot be read: %s", type(error).__name__)
        return True

    async def realtime(self, websocket: WebSocket) -> None:
        visitor = self.access.visitor(websocket)
        if isinstance(visitor, Refusal):
            await websocket.send_denial_response(self._refused(websocket, visitor))
            return
        offered: list[str] = websocket.scope.get("subprotocols", [])
        subprotocol = next((p for p in codec.SUBPROTOCOLS if p in offered), None)
        await websocket.accept(subprotocol)
        encode = codec.Encoder(binary=subprotocol == "realtime.binary")
        parts, config = self._parts, self._parts.config
        persona = websocket.query_params.get("persona") or parts.persona
        token = token_of(offered)
        earlier = self._comebacks.place(token, visitor)
        line: Line | None = websocket.scope["extensions"].get(LINE)
        if persona not in parts.personas:
            known = ", ".join(parts.personas)
            await refuse(websocket, encode, "unknown_persona", f"There is no such persona; there are {known}.")
        elif (why := self._closed()) and (self.draining or not earlier):
            await self._turn_away(websocket, encode, *why)
        elif place := await self._places.take(visitor.user or "", line, earlier):
            patience = config.first_message_s, config.idle_s
            admitted(_address(websocket), visitor, self.sessions + 1)
            await self._converse(Caller(websocket, encode, visitor, place, patience, token), persona)
        else:
            message = f"All {config.max_sessions} conversations of this server are taken. Try again later."
            await self._turn_away(websocket, encode, "session_limit_reached", message)

    def _closed(self) -> tuple[str, str] | None:
        """Why no conversation may begin, whoever wants one: a code and a sentence."""
        if self.draining:
            return "server_draining", "This server is about to stop. Try again in a minute."
        if self.sessions and self.load.high:
            return "server_busy", "This server is too busy for another conversation. Try again later."
        return None

    async def _turn_away(self, websocket: WebSocket, encode: codec.Encoder, code: str, message: str) -> None:
        self._parts.metrics.refused.labels(code).inc()
        log.warning("turned away %s: %s", _address(websocket), code)
        await refuse(websocket, encode, code, message)

    async def _converse(self, caller: Caller, persona: str) -> None:
        self.sessions += 1
        self._alone.clear()
        self._busy.set()
        self._parts.metrics.sessions.set(self.sessions)
        try:
            parts = self._parts
            await converse(caller, persona, opens=parts.opens, comebacks=self._comebacks, metrics=parts.metrics)
        finally:
            self._places.leave(caller.place)
            self.sessions -= 1
            if not self.sessions:
                self._alone.set()
                self._busy.clear()
            self._parts.metrics.sessions.set(self.sessions)

    async def client_secrets(self, request: Request) -> Response:
        """OpenAI's: a short-lived key for a browser. Needs the real key, where one is configured. With
        ``session.memory.user`` it opens sessions of that user only; without, none that remember."""
        visitor = self.access.visitor(request)
        if isinstance(visitor, Refusal):
            return self._refused(request, visitor)
        if visitor != Visitor():
            return _error(403, "forbidden", "A client secret cannot create others; use the server's key.")
        body = await body_of(request, LARGEST_JSON)
        user = _user(body) if body is not None else None
        if user is None:
            return _error(422, "invalid_value", "`session.memory.user` is a text of at most 200 characters.")
        value, expires = self.access.secret(user)
        session = {"id": "sess_none", "object": "realtime.session", "type": "realtime", "model": "vasari"}
        return JSONResponse({"value": value, "expires_at": expires, "session": session})

    async def characters(self, request: Request) -> Response:
        cards = [
            {"name": c.name, "title": c.title, "credit": c.credit, "picture": f"/v1/characters/{c.name}/picture"}
            for c in self._parts.portraits.characters()
        ]
        cards.sort(key=lambda card: card["name"] != self._parts.character())
        return JSONResponse({"characters": cards})

    async def picture(self, request: Request) -> Response:
        try:
            data, kind = await asyncio.to_thread(self._parts.portraits.picture, request.path_params["name"])
        except PictureError as error:
            return _error(404, error.code, str(error))
        return Response(data, media_type=kind, headers={"Cache-Control": "max-age=3600"})

    async def personas(self, request: Request) -> Response:
        described = [{"id": p.id, "name": p.name, "summary": p.summary} for p in self._personas()]
        return JSONResponse({"personas": described})

    async def health(self, request: Request) -> Response:
        return JSONResponse(
            {"status": "ok", "sessions": self.sessions, "max_sessions": self._parts.config.max_sessions}
        )

    async def ready(self, request: Request) -> Response:
        """Whether somebody who comes now would be answered; where not, in one word why."""
        why = await self._unready()
        return JSONResponse({"ready": not why} | ({"why": why} if why else {}), 503 if why else 200)

    async def _unready(self) -> str:
        if closed := self._closed():
            return closed[0]
        if self.sessions >= self._parts.config.max_sessions:
            return "session_limit_reached"
        if not self._face:
            return "starting" if self._face is None else "face_failed"
        return "" if await self._readiness.works(idle=not self.sessions) else "turn_failed"

    async def metrics(self, request: Request) -> Response:
        visitor = self._visitor(request)
        if isinstance(visitor, Response):
            return visitor
        return Response(generate_latest(self._parts.metrics.registry), media_type=CONTENT_TYPE_LATEST)

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
        response = _error(refusal.status, refusal.code, refusal.message)
        if refusal.code == FORBIDDEN_ORIGIN:  # else the page could not read why
            response.headers["Access-Control-Allow-Origin"] = "*"
        return response


def create_app(engine: Engine) -> Starlette:
    """The application for any ASGI server. Make it inside a running event loop's thread."""
    parts = Parts(
        config=engine.config.server,
        persona=engine.config.session.persona,
        personas=engine.prompts.personas,
        character=lambda: engine.default_character,
        portraits=engine.portraits,
        memory=engine.memory,
        resumables=engine.resumables,
        metrics=engine.metrics,
        opens=partial(Session, engine),
        warm=lambda: engine.looks.warm(),
        read=partial(engine.rehearsal.read, engine.tts),
        turn=lambda: engine.rehearsal.turn(engine.asr, engine.tts),
    )
    app = App(parts)
    made = app.starlette()
    made.state.app = app
    return made


def server(engine: Engine, ready: Callable[[], None]) -> uvicorn.Server:
    """What serves the application; ``ready`` is called when it listens."""
    return _Server(create_app(engine), engine.config.server, ready)


def serve(config: Config, host: str | None = None, port: int | None = None) -> None:
    """Load everything, listen, and say which page to open; until interrupted.

    Raises ConfigError when the address cannot be used, and what the stages' constructors raise.
    """
    console = Console()
    host, port = host or config.server.host, config.server.port if port is None else port
    if not config.server.api_key and not is_loopback(host):
        message = f"{host} can be reached by others: set a key in VASARI_API_KEY, or listen on 127.0.0.1."
        raise ConfigError(message)
    listener = _listen(host, port)
    with console.status("Loading the models"):
        engine = engines.build(config)
    port = listener.getsockname()[1]
    page = f"http://{'localhost' if is_loopback(host) else host}:{port}/"
    ready = f"Ready. Open [bold]{page}[/bold] and talk. Ctrl-C ends."
    server(engine, lambda: console.print(ready)).run([listener])


class _Server(uvicorn.Server):
    """A server that says when it is listening."""

    def __init__(self, app: Starlette, limits: Server, ready: Any) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=knocks_at(Door(limits.max_connections, limits.max_connections_per_address)),
                ws=Line,
                backlog=BURST,
                log_config=None,
                log_level="warning",
                ws_max_size=LARGEST_MESSAGE,
                ws_per_message_deflate=False,  # media is compressed already
                timeout_graceful_shutdown=5,
                proxy_headers=bool(limits.trusted_proxies),
                forwarded_allow_ips=list(limits.trusted_proxies),
            )
        )
        self._app: App = app.state.app
        self._drain_s, self._until = limits.drain_s, 0.0
        self._say_ready = ready
        logging.getLogger("uvicorn.error").addFilter(brief)
        AUDIT.setLevel(logging.INFO)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._say_ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """At the first SIGTERM conversations may go on for a while, if the configuration says so."""
        if sig != signal.SIGTERM or not self._drain_s or self._app.draining:
            return super().handle_exit(sig, frame)
        self._app.draining, self._until = True, time.monotonic() + self._drain_s
        return None

    async def on_tick(self, counter: int) -> bool:
        if self._app.draining and (not self._app.sessions or time.monotonic() > self._until):
            self.should_exit = True
        return await super().on_tick(counter)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigError(f"Cannot listen on {host}:{port}: {error.strerror}. Choose another with --port.") from error
    return listener


def _user(body: bytes) -> str | None:
    """``session.memory.user`` of a request for a client secret; "" when it names nobody, None when it is malformed."""
    try:
        asked: Any = codec.parse(body or b"{}")
        for key in ("session", "memory", "user"):
            asked = asked.get(key, "" if key == "user" else {})
    except (ValueError, AttributeError):
        return None
    return asked if isinstance(asked, str) and len(asked) <= 200 else None


async def _too_slow(request: Request, error: Exception) -> Response:
    return _error(408, "request_timeout", "The rest of the request did not come in time. Send it again.")


async def _gone(request: Request, error: Exception) -> Response:
    """The client is gone: nobody reads this."""
    return Response(status_code=400)


def _address(who: HTTPConnection) -> str:
    return who.client.host if who.client else "somebody"


def _error(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"error": {"type": "invalid_request_error", "code": code, "message": message}}, status)
