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
        self._secrets: dict[str, float] = {}  # -> when it expires

    def refusal(self, connection: HTTPConnection) -> Refusal | None:
        """Why this request or websocket may not go on, or None."""
        if self._key:
            if any(self._opens(key) for key in _keys(connection)):
                return None
            message = "A valid key is needed: `Authorization: Bearer KEY`, or the key as the client's API key."
            return Refusal(401, "invalid_api_key", message)
        return self._foreign(connection)

    def secret(self) -> tuple[str, int]:
        """A new client secret -> it, and the Unix time at which it expires."""
        now = self._clock()
        self._secrets = {s: t for s, t in self._secrets.items() if t > now}
        while len(self._secrets) >= MOST_SECRETS:
            del self._secrets[next(iter(self._secrets))]
        secret, expires = f"ek_{secrets.token_urlsafe(24)}", int(now + SECRET_SECONDS)
        self._secrets[secret] = expires
        return secret, expires

    def _opens(self, key: str) -> bool:
        if hmac.compare_digest(key.encode(), self._key.encode()):
            return True
        return self._secrets.get(key, 0.0) > self._clock()

    def _foreign(self, connection: HTTPConnection) -> Refusal | None:
        host, origin = connection.headers.get("host", ""), connection.headers.get("origin")
        if not is_loopback(urlsplit(f"//{host}").hostname or ""):
            message = "Without a key the server answers on this machine only: open it as http://127.0.0.1 or localhost."
            return Refusal(403, "forbidden_host", message)
        if origin is None or origin.lower() in self._origins or urlsplit(origin).netloc.lower() == host.lower():
            return None
        return Refusal(403, "forbidden_origin", "Pages of this origin may not connect; see server.allowed_origins.")


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
