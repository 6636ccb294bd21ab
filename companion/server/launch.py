"""Runs the application: loads everything, listens, and drains conversations before it stops."""

import logging
import signal
import socket
import time
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

import uvicorn
from rich.console import Console
from starlette.applications import Starlette

from companion import engine as engines
from companion.config import Config, ConfigError, Server
from companion.engine import Engine
from companion.server.app import App, create_app
from companion.server.entry.access import is_loopback
from companion.server.entry.handshake import BACKLOG, Door, Line, knocks_at
from companion.server.entry.logs import AUDIT, brief

if TYPE_CHECKING:
    from companion.server.telemetry import Exporter

LARGEST_MESSAGE = 4_000_000  # bytes of one websocket message: about 60 s of PCM16 at 24 kHz as base64


def server(engine: Engine, ready: Callable[[], None]) -> uvicorn.Server:
    """The uvicorn server of the application, not yet running; ``ready`` is called once it listens."""
    return _Server(create_app(engine), engine.config.server, ready)


def serve(config: Config, host: str | None = None, port: int | None = None) -> None:
    """Load everything, listen, and print which page to open. Blocks until interrupted.

    ``host`` and ``port`` replace those of ``config`` where they are given. Raises ConfigError when the address cannot
    be used, and whatever the stages' constructors raise.
    """
    console = Console()
    host, port = host or config.server.host, config.server.port if port is None else port
    if not config.server.api_key and not is_loopback(host):
        message = f"{host} can be reached by others: set a key in VASARI_API_KEY, or listen on 127.0.0.1."
        raise ConfigError(message)
    listener = _listen(host, port)
    exporter = _exporter(config) if config.server.otlp_endpoint else None
    with console.status("Loading the models"):
        engine = engines.build(config)
    if exporter:
        engine.metrics.told.append(exporter)
    port = listener.getsockname()[1]
    page = f"http://{'localhost' if is_loopback(host) else host}:{port}/"
    ready = f"Ready. Open [bold]{page}[/bold] and talk. Ctrl-C ends."
    try:
        server(engine, lambda: console.print(ready)).run([listener])
    finally:
        if exporter:
            exporter.close()


class _Server(uvicorn.Server):
    """A uvicorn server with our limits, which reports when it listens and can drain conversations."""

    def __init__(self, app: Starlette, limits: Server, ready: Any) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=knocks_at(Door(limits.max_connections, limits.max_connections_per_address)),
                ws=Line,
                backlog=BACKLOG,
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
        """At the first SIGTERM, let running conversations go on for ``drain_s`` seconds, if that is configured."""
        if sig != signal.SIGTERM or not self._drain_s or self._app.draining:
            return super().handle_exit(sig, frame)
        self._app.draining, self._until = True, time.monotonic() + self._drain_s
        return None

    async def on_tick(self, counter: int) -> bool:
        if self._app.draining and (not self._app.sessions or time.monotonic() > self._until):
            self.should_exit = True
        return await super().on_tick(counter)


def _exporter(config: Config) -> "Exporter":
    try:
        from companion.server.telemetry import Exporter
    except ImportError as error:
        message = "server.otlp_endpoint needs OpenTelemetry: install it with `pip install 'vasari[otel]'`."
        raise ConfigError(f"{config.path}: {message}") from error
    return Exporter(config.server.otlp_endpoint)


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
