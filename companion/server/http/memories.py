"""What users may see and change of their own memories, over HTTP: ``/v1/memories``."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from companion.errors import StageError
from companion.protocol import codec
from companion.server.entry.access import Access, Refusal
from companion.server.http.bodies import body_of
from companion.server.http.failures import failed
from companion.stages.protocols import Keeps, Memory, keeps

HEADER = "vasari-user"  # names the user, where the key or this machine speaks for all of them
ENCODING_PREFIX = "UTF-8''"  # before a name that is percent-encoded
LARGEST_CORRECTION = 10_000  # bytes of a correction

Answer = Callable[[Request, Keeps, str], Awaitable[Response]]


class Memories:
    """The routes, over one memory. Whose memories they are is settled by the client secret, or by the header.
    ``forget`` deletes what else is kept of a user."""

    def __init__(self, memory: Memory, access: Access, forget: Callable[[str], Awaitable[int]]) -> None:
        self._memory, self._access, self._forget = memory, access, forget

    def routes(self) -> list[Route]:
        def route(path: str, method: str, answer: Answer) -> Route:
            async def respond(request: Request) -> Response:
                return await self._respond(request, answer)

            return Route(path, respond, methods=[method])

        one = "/v1/memories/{id}"
        return [
            route("/v1/memories", "GET", _list),
            route("/v1/memories", "DELETE", self._forget_all),
            route(one, "PUT", _change),
            route(one, "DELETE", _delete),
        ]

    async def _respond(self, request: Request, answer: Answer) -> Response:
        visitor = self._access.visitor(request)
        if isinstance(visitor, Refusal):
            return failed(visitor.status, visitor.code, visitor.message)
        if not keeps(self._memory):
            return failed(404, "no_memories", "This server's memory cannot be listed or changed.")
        user = _named(request.headers.get(HEADER, "")) or visitor.user or ""
        if not user:
            return failed(422, "invalid_value", "Which user? Send `Vasari-User`, or a client secret made for a user.")
        if not visitor.may_be(user):
            return failed(403, "forbidden_user", "Your client secret was not made for this user.")
        try:
            return await answer(request, self._memory, user)
        except StageError as error:
            return failed(422 if error.code == "memory_text" else 503, error.code, str(error))

    async def _forget_all(self, request: Request, memory: Keeps, user: str) -> Response:
        await self._forget(user)
        return JSONResponse({"deleted": await memory.forget(user)})


def _named(header: str) -> str:
    """The user that the header names. Starlette reads headers as Latin-1: this decodes UTF-8 where it is valid, and RFC
    8187 (``UTF-8''J%C3%BCrgen``) for clients that can send ASCII only; else it stays Latin-1."""
    if header[: len(ENCODING_PREFIX)].upper() == ENCODING_PREFIX:
        return unquote(header[len(ENCODING_PREFIX) :])
    try:
        return header.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return header


async def _list(request: Request, memory: Keeps, user: str) -> Response:
    kept = [asdict(k) | {"at": f"{k.at.isoformat(timespec='seconds')}Z"} for k in await memory.memories(user)]
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
    """That of the path; 0, which no memory has, for what cannot be one."""
    id: str = request.path_params["id"]
    return int(id) if id.isascii() and id.isdigit() and len(id) < 10 else 0  # those of PostgreSQL have 32 bits


def _text(body: bytes) -> str | None:
    try:
        sent: Any = codec.parse(body)
        return sent["text"] if isinstance(sent["text"], str) else None
    except (ValueError, KeyError, TypeError):
        return None


def _done(found: bool) -> Response:
    return Response(status_code=204) if found else failed(404, "memory_not_found", "This user has no such memory.")
