"""Who may use the server: API keys, short-lived client secrets, and the origin of web pages."""

import hmac
import ipaddress
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from companion.session.client.visitor import NOBODY, Visitor

KEY_PROTOCOL = "openai-insecure-api-key."  # prefix of a key that is offered as a websocket subprotocol
SECRET_SECONDS = 600  # s for which a client secret is valid
MOST_SECRETS = 1000  # valid client secrets at a time; the oldest go first
SECRET_PREFIX = "ek_"  # prefix of a client secret
FORBIDDEN_ORIGIN = "forbidden_origin"
PROXY_HEADERS = (
    "forwarded",
    "via",
    "x-forwarded-",
    "x-real-ip",
    "x-client-ip",
    "true-client-ip",
    "cf-",
)  # prefixes of the headers that proxies add
OLD_HTTP = "1.0"  # used by proxies that add no header (nginx by default), and hardly by anybody else
LONGEST_ORIGIN = 200  # characters of an origin that an error message repeats


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a client is refused: the HTTP ``status``, a stable ``code``, and a ``message`` for its developer."""

    status: int
    code: str
    message: str


class Access:
    """Decides who may enter. ``clock`` gives Unix time in seconds.

    With a ``key``, whoever presents it, or a client secret made with it, may enter. Without one, the server must be
    bound to loopback and admits only programs, its own pages and pages of ``origins``: otherwise a foreign page in the
    user's browser could use the server, even under a domain name that it has pointed at this machine (DNS rebinding).
    """

    def __init__(self, key: str, origins: tuple[str, ...], clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._origins = {origin.rstrip("/").lower() for origin in origins}
        self._clock = clock
        self._secrets: dict[str, tuple[float, Visitor]] = {}  # secret -> (Unix time of expiry, visitor)

    def visitor(self, connection: HTTPConnection) -> Visitor | Refusal:
        """The visitor behind a request or websocket, or why it is refused.

        This is decided once, at the beginning: a client secret that expires later does not end the connection. Whoever
        presents the key acts for all users; without a configured key, so does whoever is admitted, except with an
        expired secret, which gives access to no user's data.
        """
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
        """Make a client secret for ``user`` ("": for no particular user) -> the secret, and the Unix time in seconds at
        which it expires."""
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
    """Whether ``host``, a name or an IP address, always means this machine. Other names are not resolved: False."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _keys(connection: HTTPConnection) -> list[str]:
    """Every key that the client presents: as a bearer token, in Azure's ``api-key`` header, or as a subprotocol."""
    scheme, _, bearer = connection.headers.get("authorization", "").partition(" ")
    keys = [bearer.strip()] if scheme.lower() == "bearer" else []
    keys += [connection.headers["api-key"]] if "api-key" in connection.headers else []
    protocols = connection.headers.get("sec-websocket-protocol", "").split(",")
    return keys + [p.strip().removeprefix(KEY_PROTOCOL) for p in protocols if p.strip().startswith(KEY_PROTOCOL)]
