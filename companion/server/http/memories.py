"""Users' access to the data stored about them: ``/v1/memories`` and ``/v1/export``."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from companion.errors import StageError
from companion.protocol import codec
from companion.server.http.belongings import Belongings, plain
from companion.server.http.bodies import body_of
from companion.server.http.failures import failed
from companion.server.http.users import user_of
from companion.session.client.visitor import Visitor
from companion.stages.protocols import Keeps, keeps

LARGEST_CORRECTION = 10_000  # bytes of a correction

_STATUS = {"memory_text": 422, "no_memories": 404}

Answer = Callable[[Request, str], Awaitable[Response]]


class Memories:
    """The routes, over everything in ``belongings``. The user is that of the client secret or of the header
    ``Vasari-User``; ``visitor`` returns who sent a request, or the response to somebody who may not enter."""

    def __init__(self, belongings: Belongings, visitor: Callable[[Request], Visitor | Response]) -> None:
        self._belongings, self._visitor = belongings, visitor

    def routes(self) -> list[Route]:
        def route(path: str, method: str, answer: Answer) -> Route:
            async def respond(request: Request) -> Response:
                return await self._respond(request, answer)

            return Route(path, respond, methods=[method])

        one = "/v1/memories/{id}"
        return [
            route("/v1/export", "GET", self._export),
            route("/v1/memories", "GET", self._of_memory(_list)),
            route("/v1/memories", "DELETE", self._forget_all),
            route(one, "PUT", self._of_memory(_change)),
            route(one, "DELETE", self._of_memory(_delete)),
        ]

    async def _respond(self, request: Request, answer: Answer) -> Response:
        found = user_of(request, self._visitor)
        if isinstance(found, Response):
            return found
        _, user = found
        if not user:
            return failed(422, "invalid_value", "Which user? Send `Vasari-User`, or a client secret made for a user.")
        try:
            return await answer(request, user)
        except StageError as error:
            return failed(_STATUS.get(error.code, 503), error.code, str(error))

    def _of_memory(self, answer: Callable[[Request, Keeps, str], Awaitable[Response]]) -> Answer:
        """Wrap an ``answer`` that needs a memory stage whose users can see and change it."""

        async def respond(request: Request, user: str) -> Response:
            memory = self._belongings.memory
            if not keeps(memory):
                raise StageError("no_memories", "This server's memory cannot be listed or changed.")
            return await answer(request, memory, user)

        return respond

    async def _export(self, request: Request, user: str) -> Response:
        """All data stored about the user, as a JSON file to download."""
        text = json.dumps(await self._belongings.export(user), indent=2, ensure_ascii=False)
        headers = {"Cache-Control": "no-store", "Content-Disposition": 'attachment; filename="everything.json"'}
        return Response(text, media_type="application/json", headers=headers)

    async def _forget_all(self, request: Request, user: str) -> Response:
        return JSONResponse({"deleted": await self._belongings.forget(user)})


async def _list(request: Request, memory: Keeps, user: str) -> Response:
    kept = [plain(one) for one in await memory.memories(user)]
    return JSONResponse({"memories": kept}, headers={"Cache-Control": "no-store"})


async def _change(request: Request, memory: Keeps, user: str) -> Response:
    body = await body_of(request, LARGEST_CORRECTION)
    text = None if body is None else _text(body)
    if text is None:
        return failed(422, "invalid_value", "Send the corrected memory as JSON: `text`.")
    return _done(await memory.change(user, _id(request), text))


async def _delete(request: Request, memory: Keeps, user: str) -> Response:
    return _done(await memory.delete(user, _id(request)))


def _id(request: Request) -> int:
    """The memory id in the path; 0, which no memory has, if it is not a valid one."""
    id: str = request.path_params["id"]
    return int(id) if id.isascii() and id.isdigit() and len(id) < 10 else 0  # PostgreSQL's ids have 32 bits


def _text(body: bytes) -> str | None:
    try:
        sent: Any = codec.parse(body)
        return sent["text"] if isinstance(sent["text"], str) else None
    except (ValueError, KeyError, TypeError):
        return None


def _done(found: bool) -> Response:
    return Response(status_code=204) if found else failed(404, "memory_not_found", "This user has no such memory.")
