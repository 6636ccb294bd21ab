"""Determines which user an HTTP request is about."""

from collections.abc import Callable
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response

from companion.server.http.failures import failed
from companion.session.client.visitor import Visitor

HEADER = "vasari-user"  # names the user, for visitors who may act for all users
ENCODING_PREFIX = "UTF-8''"  # before a name that is percent-encoded


def user_of(request: Request, visitor_of: Callable[[Request], Visitor | Response]) -> tuple[Visitor, str] | Response:
    """The visitor and the user of a request: the user that the header names, else the visitor's own, else "".

    Returns an error response instead if the visitor may not enter (then that of ``visitor_of``), or may not act for
    that user (403).
    """
    visitor = visitor_of(request)
    if isinstance(visitor, Response):
        return visitor
    user = _named(request.headers.get(HEADER, "")) or visitor.user or ""
    if user and not visitor.may_be(user):
        return failed(403, "forbidden_user", "Your client secret was not made for this user.")
    return visitor, user


def _named(header: str) -> str:
    """The user named by the header. Starlette reads headers as Latin-1; this decodes UTF-8 where it is valid, and RFC
    8187 (``UTF-8''J%C3%BCrgen``) for clients that can send only ASCII; anything else stays Latin-1."""
    if header[: len(ENCODING_PREFIX)].upper() == ENCODING_PREFIX:
        return unquote(header[len(ENCODING_PREFIX) :])
    try:
        return header.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return header
