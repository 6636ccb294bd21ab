"""Serves the measuring page to one browser, and takes its notes."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from companion.bench.syncing.clapper import described
from companion.call.caller import TalkError

PAGE = Path(__file__).parent / "page"
TYPES = {".html": "text/html", ".js": "text/javascript", ".json": "application/json"}


class Notebook:
    """Made by `notebook`. ``url``: of the page."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.url = ""
        self.noted: list[list[Any]] = []
        self._files = files
        self._done = asyncio.Event()

    async def done(self, seconds: float) -> None:
        """Wait until the page says that it is done. Raises TalkError if it has not within ``seconds``."""
        try:
            async with asyncio.timeout(seconds):
                await self._done.wait()
        except TimeoutError as error:
            kinds = sorted({kind for kind, *_ in self.noted})
            raise TalkError(f"The page did not come to its end. It noted: {', '.join(kinds) or 'nothing'}.") from error

    async def take(self, page: ServerConnection) -> None:
        """The page's notes, as they come."""
        try:
            async for message in page:
                self.noted += json.loads(message)
                if self.noted and self.noted[-1][0] == "done":
                    self._done.set()
        except ConnectionClosed:
            pass

    def answer(self, page: ServerConnection, request: Request) -> Response | None:
        """A file of the page; None for its channel."""
        path = urlsplit(request.path).path.removeprefix("/")
        if path == "notes":
            return None
        if path not in self._files:
            return Response(HTTPStatus.NOT_FOUND, "Not Found", Headers({"Content-Length": "0"}), b"")
        body = self._files[path]
        kind = TYPES.get(Path(path).suffix, "application/octet-stream")
        headers = Headers({"Content-Type": kind, "Content-Length": str(len(body)), "Connection": "close"})
        return Response(HTTPStatus.OK, "OK", headers, body)


@asynccontextmanager
async def notebook(voice: bytes) -> AsyncGenerator[Notebook]:
    """The page at a free port of this machine. ``voice``: the visitor's, float32 at 24 kHz."""
    files = {file.name: file.read_bytes() for file in PAGE.iterdir()}
    files |= {"voice": voice, "character.json": json.dumps(described()).encode()}
    made = Notebook(files)
    async with serve(made.take, "127.0.0.1", 0, process_request=made.answer, max_size=None) as server:
        made.url = f"http://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        yield made
