"""Short-lived keys for browsers, as in OpenAI's API: ``/v1/realtime/client_secrets``."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from companion.protocol import codec
from companion.server.http.bodies import body_of
from companion.server.http.failures import failed
from companion.session.client.visitor import Visitor

LARGEST_JSON = 1_000_000  # bytes
LONGEST_USER = 200  # characters of a user's name


class Secrets:
    """The route. ``new`` makes a secret for a user -> (secret, Unix time of expiry); ``visitor`` returns who sent a
    request, or the response to somebody who may not enter."""

    def __init__(
        self, *, new: Callable[[str], tuple[str, int]], visitor: Callable[[Request], Visitor | Response]
    ) -> None:
        self._new, self._visitor = new, visitor

    def routes(self) -> list[Route]:
        return [Route("/v1/realtime/client_secrets", self.create, methods=["POST"])]

    async def create(self, request: Request) -> Response:
        """Make a secret; needs the server's own key, where one is configured.

        With ``session.memory.user`` in the body, the secret opens sessions of that user only; without it, sessions that
        have no access to any memory.
        """
        visitor = self._visitor(request)
        if isinstance(visitor, Response):
            return visitor
        if visitor != Visitor():
            return failed(403, "forbidden", "A client secret cannot create others; use the server's key.")
        body = await body_of(request, LARGEST_JSON)
        user = _user(body) if body is not None else None
        if user is None:
            message = f"`session.memory.user` is a text of at most {LONGEST_USER} characters."
            return failed(422, "invalid_value", message)
        value, expires = self._new(user)
        session = {"id": "sess_none", "object": "realtime.session", "type": "realtime", "model": "vasari"}
        return JSONResponse({"value": value, "expires_at": expires, "session": session})


def _user(body: bytes) -> str | None:
    """``session.memory.user`` in the body of a request; "" if it is absent, None if the body is malformed."""
    try:
        asked: Any = codec.parse(body or b"{}")
        for key in ("session", "memory", "user"):
            asked = asked.get(key, "" if key == "user" else {})
    except (ValueError, AttributeError):
        return None
    return asked if isinstance(asked, str) and len(asked) <= LONGEST_USER else None
