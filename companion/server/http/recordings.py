"""Users' access to the recordings of their conversations: ``/v1/recordings``."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from companion.filming.films import Films
from companion.server.http.failures import failed
from companion.server.http.users import user_of
from companion.session.client.visitor import Visitor

TYPES = {"mp4": "video/mp4", "vtt": "text/vtt", "jsonl": "application/x-ndjson"}


class Recordings:
    """The routes. ``films`` None: this server keeps none. The user is that of the client secret or of the header
    ``Vasari-User``; ``visitor`` returns who sent a request, or the response to somebody who may not enter."""

    def __init__(self, films: Films | None, visitor: Callable[[Request], Visitor | Response]) -> None:
        self._films, self._visitor = films, visitor

    def routes(self) -> list[Route]:
        return [
            Route("/v1/recordings", self.list, methods=["GET"]),
            Route("/v1/recordings/{id}.{kind}", self.file, methods=["GET"]),
            Route("/v1/recordings/{id}", self.delete, methods=["DELETE"]),
        ]

    async def list(self, request: Request) -> Response:
        """The recordings of a user, the oldest first."""
        user = self._user(request)
        if isinstance(user, Response):
            return user
        found = await asyncio.to_thread(self._films.of, user) if self._films else []
        return JSONResponse({"recordings": [asdict(one) for one in found]}, headers={"Cache-Control": "no-store"})

    async def file(self, request: Request) -> Response:
        """The video, the captions or the log of one."""
        user = self._user(request)
        if isinstance(user, Response):
            return user
        id, kind = request.path_params["id"], request.path_params["kind"]
        path = await asyncio.to_thread(self._films.file, user, id, kind) if self._films else None
        if path is None:
            return _unknown()
        return FileResponse(path, media_type=TYPES[kind], filename=path.name, headers={"Cache-Control": "no-store"})

    async def delete(self, request: Request) -> Response:
        """Delete one, also while it is being made."""
        user = self._user(request)
        if isinstance(user, Response):
            return user
        try:
            there = (
                await asyncio.to_thread(self._films.delete, user, request.path_params["id"]) if self._films else False
            )
        except OSError:
            return failed(503, "recordings_kept", "The recording cannot be deleted now. Try again later.")
        return Response(status_code=204) if there else _unknown()

    def _user(self, request: Request) -> str | Response:
        found = user_of(request, self._visitor)
        if isinstance(found, Response):
            return found
        return found[1] or failed(
            422, "invalid_value", "Which user? Send `Vasari-User`, or a client secret made for a user."
        )


def _unknown() -> Response:
    return failed(404, "recording_not_found", "This user has no such recording.")
