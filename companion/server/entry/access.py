"""Who may use the server: keys, short-lived client secrets, and the origin of web pages."""

import hmac
import ipaddress
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from companion.session.client.visitor import NOBODY, Visitor

KEY_PROTOCOL = "openai-insecure-api-key."
SECRET_SECONDS = 600
MOST_SECRETS = 1000
SECRET_PREFIX = "ek_"  # how a client secret begins
FORBIDDEN_ORIGIN = "forbidden_origin"
PROXY_HEADERS = (
    "forwarded",
    "via",
    "x-forwarded-",
    "x-real-ip",
    "x-client-ip",
    "true-client-ip",
    "cf-",
)  # what proxies add begins so
OLD_HTTP = "1.0"  # spoken by proxies that add nothing (nginx as it comes), and hardly by anybody else
LONGEST_ORIGIN = 200  # characters of one that are repeated


@dataclass(frozen=True, slots=True)
class Refusal:
    """``status`` is HTTP's; ``code`` is stable."""

    status: int
    code: str
    message: str


class Access:
    """With a ``key``, whoever presents it (or a secret made with it) may enter. Without one, the server must be bound
    to loopback, and only pages that it serves itself, pages of ``origins`` and programs may: a foreign page in the
    user's browser could otherwise talk to it, also through a name that it lets point to this machine."""

    def __init__(self, key: str, origins: tuple[str, ...], clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._origins = {origin.rstrip("/").lower() for origin in origins}
        self._clock = clock
        self._secrets: dict[str, tuple[float, Visitor]] = {}  # -> when it expires, and who comes with it

    def visitor(self, connection: HTTPConnection) -> Visitor | Refusal:
        """Who comes with this request or websocket, or why it may not go on. Decided once, by what the clock says now:
        a secret counts until it expires, and then for nothing. Whoever has the key speaks for all users, and so does
        this machine's user where there is none."""
        keys, now = _keys(connection), self._clock()
        secrets = [self._secrets[key] for key in keys if key in self._secrets]
        valid = [who for expires, who in secrets if expires > now]
        if self._key and not valid and not any(self._is_key(key) for key in keys):
            message = "A valid key is needed: `Authorization: Bearer KEY`, or the key as the client's API key."
            return Refusal(401, "invalid_api_key", message)
        if not self._key and (refusal := self._foreign(connection)):
            return refusal
        if valid:
            return valid[0]
        expired = not self._key and any(key.startswith(SECRET_PREFIX) for key in keys)
        return NOBODY if expired else Visitor()

    def secret(self, user: str = "") -> tuple[str, int]:
        """A new client secret, for ``user`` or for nobody in particular -> it, and the Unix time at which it
        expires."""
        now = self._clock()
        self._secrets = {s: (t, who) for s, (t, who) in self._secrets.items() if t > now}
        while len(self._secrets) >= MOST_SECRETS:
            del self._secrets[next(iter(self._secrets))]
        secret, expires = f"{SECRET_PREFIX}{secrets.token_urlsafe(24)}", int(now + SECRET_SECONDS)
        self._secrets[secret] = (expires, Visitor(user))
        return secret, expires

    def _is_key(self, key: str) -> bool:
        return hmac.compare_digest(key.encode(), self._key.encode())

    def _foreign(self, connection: HTTPConnection) -> Refusal | None:
        host, origin = connection.headers.get("host", ""), connection.headers.get("origin")
        try:
            name, page = urlsplit(f"//{host}").hostname or "", urlsplit(origin or "").netloc
        except ValueError:
            return Refusal(400, "invalid_value", "The header `Host` or `Origin` is not a valid address.")
        if not is_loopback(name):
            message = "Without a key the server answers on this machine only: open it as http://127.0.0.1 or localhost."
            return Refusal(403, "forbidden_host", message)
        old = connection.scope.get("http_version") == OLD_HTTP
        if old or any(header.startswith(PROXY_HEADERS) for header in connection.headers):
            message = "This came through a proxy: set a key in VASARI_API_KEY before others are let in by one."
            return Refusal(403, "forbidden_proxy", message)
        if origin is None or origin.lower() in self._origins or page.lower() == host.lower():
            return None
        where = origin[:LONGEST_ORIGIN]
        how = f'Whoever runs it can let them in: allowed_origins = ["{where}"] under [server] of its configuration.'
        return Refusal(403, FORBIDDEN_ORIGIN, f"This server does not let in pages of {where}. {how}")


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine and cannot mean another."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _keys(connection: HTTPConnection) -> list[str]:
    """Every key that the client presents, as OpenAI's or as Azure's clients do."""
    scheme, _, bearer = connection.headers.get("authorization", "").partition(" ")
    keys = [bearer.strip()] if scheme.lower() == "bearer" else []
    keys += [connection.headers["api-key"]] if "api-key" in connection.headers else []
    protocols = connection.headers.get("sec-websocket-protocol", "").split(",")
    return keys + [p.strip().removeprefix(KEY_PROTOCOL) for p in protocols if p.strip().startswith(KEY_PROTOCOL)]
