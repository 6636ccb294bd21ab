"""Who may use the server: keys, short-lived client secrets, and the origin of web pages."""

import hmac
import ipaddress
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

KEY_PROTOCOL = "openai-insecure-api-key."
SECRET_SECONDS = 600
MOST_SECRETS = 1000
FORBIDDEN_ORIGIN = "forbidden_origin"
LONGEST_ORIGIN = 200  # characters of one that are repeated


@dataclass(frozen=True, slots=True)
class Refusal:
    """``status`` is HTTP's; ``code`` is stable."""

    status: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whose memories this visitor may see: ``user``'s alone; nobody's if it is empty; anyone's if it is None."""

    user: str | None = None

    def may_be(self, user: str) -> bool:
        return self.user is None or self.user == user != ""


class Access:
    """With a ``key``, whoever presents it (or a secret made with it) may enter. Without one, the server must be bound
    to loopback, and only pages that it serves itself, pages of ``origins`` and programs may: a foreign page in the
    user's browser could otherwise talk to it, also through a name that it lets point to this machine."""

    def __init__(self, key: str, origins: tuple[str, ...], clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._origins = {origin.rstrip("/").lower() for origin in origins}
        self._clock = clock
        self._secrets: dict[str, tuple[float, Visitor]] = {}  # -> when it expires, and who comes with it

    def refusal(self, connection: HTTPConnection) -> Refusal | None:
        """Why this request or websocket may not go on, or None."""
        if self._key:
            if any(self._opens(key) for key in _keys(connection)):
                return None
            message = "A valid key is needed: `Authorization: Bearer KEY`, or the key as the client's API key."
            return Refusal(401, "invalid_api_key", message)
        return self._foreign(connection)

    def visitor(self, connection: HTTPConnection) -> Visitor:
        """Who comes, once there is no refusal. Whoever has the key speaks for all users, and so does this machine's
        user where there is none."""
        for key in _keys(connection):
            if key in self._secrets and not self._is_key(key):
                return self._secrets[key][1]
        return Visitor()

    def secret(self, user: str = "") -> tuple[str, int]:
        """A new client secret, for ``user`` or for nobody in particular -> it, and the Unix time at which it
        expires."""
        now = self._clock()
        self._secrets = {s: (t, who) for s, (t, who) in self._secrets.items() if t > now}
        while len(self._secrets) >= MOST_SECRETS:
            del self._secrets[next(iter(self._secrets))]
        secret, expires = f"ek_{secrets.token_urlsafe(24)}", int(now + SECRET_SECONDS)
        self._secrets[secret] = (expires, Visitor(user))
        return secret, expires

    def _opens(self, key: str) -> bool:
        return self._is_key(key) or key in self._secrets and self._secrets[key][0] > self._clock()

    def _is_key(self, key: str) -> bool:
        return hmac.compare_digest(key.encode(), self._key.encode())

    def _foreign(self, connection: HTTPConnection) -> Refusal | None:
        host, origin = connection.headers.get("host", ""), connection.headers.get("origin")
        if not is_loopback(urlsplit(f"//{host}").hostname or ""):
            message = "Without a key the server answers on this machine only: open it as http://127.0.0.1 or localhost."
            return Refusal(403, "forbidden_host", message)
        if origin is None or origin.lower() in self._origins or urlsplit(origin).netloc.lower() == host.lower():
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
    """Every key that the client presents, in OpenAI's and Azure's ways."""
    scheme, _, bearer = connection.headers.get("authorization", "").partition(" ")
    keys = [bearer.strip()] if scheme.lower() == "bearer" else []
    keys += [connection.headers["api-key"]] if "api-key" in connection.headers else []
    protocols = connection.headers.get("sec-websocket-protocol", "").split(",")
    return keys + [p.strip().removeprefix(KEY_PROTOCOL) for p in protocols if p.strip().startswith(KEY_PROTOCOL)]
