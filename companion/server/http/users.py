"""Which user a request is about."""

from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response

from companion.server.http.failures import failed
from companion.session.client.visitor import Visitor

HEADER = "vasari-user"  # names the user, where the key or this machine speaks for all of them
ENCODING_PREFIX = "UTF-8''"  # before a name that is percent-encoded


def user_of(request: Request, visitor: Visitor) -> str | Response:
    """The user whom the header names, else the visitor's own, else ""; or why the visitor may not act for them."""
    user = _named(request.headers.get(HEADER, "")) or visitor.user or ""
    if user and not visitor.may_be(user):
        return failed(403, "forbidden_user", "Your client secret was not made for this user.")
    return user


def _named(header: str) -> str:
    """The user that the header names. Starlette reads headers as Latin-1: this decodes UTF-8 where it is valid, and RFC
    8187 (``UTF-8''J%C3%BCrgen``) for clients that can send ASCII only; else it stays Latin-1."""
    if header[: len(ENCODING_PREFIX)].upper() == ENCODING_PREFIX:
        return unquote(header[len(ENCODING_PREFIX) :])
    try:
        return header.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return header
