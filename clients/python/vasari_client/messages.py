"""Event <-> websocket message of the subprotocol ``realtime.binary``: a text message is an event as JSON; a binary one
is an event without its media as a line of JSON, ``\\n``, and the raw bytes."""

import json
from dataclasses import MISSING, fields
from typing import Any, cast

from vasari_client import events
from vasari_client.events import Event, Json, Problem, ServerEvent, Unknown

SUBPROTOCOL = "realtime.binary"

_KINDS: dict[str, type[ServerEvent]] = {
    kind.type: kind
    for kind in vars(events).values()
    if isinstance(kind, type) and issubclass(kind, ServerEvent) and "type" in vars(kind)
}


def decode(message: str | bytes) -> Event:
    """A server's message as an event; `Unknown` where it is of no known kind, or lacks a field of its kind. Fields
    that are not known are left out. Raises ValueError for what is no event."""
    head, _, media = message.partition(b"\n") if isinstance(message, bytes) else (message, b"", b"")
    data: Any = json.loads(head)
    if not isinstance(data, dict) or not isinstance(cast(Json, data).get("type"), str):
        raise ValueError("a message that is no event")
    payload = cast(Json, data)
    if isinstance(message, bytes):
        payload["delta"] = media
    kind = _KINDS.get(payload["type"])
    if kind is None or not _complete(kind, payload):
        return Unknown(payload["type"], payload)
    return _made(kind, payload)


def encode(event: Json, media: bytes | None = None) -> str | bytes:
    """An event of ours as a message; with ``media``, of which it has no field."""
    head = json.dumps(event, separators=(",", ":"))
    return head if media is None else head.encode() + b"\n" + media


def _complete(kind: type[Any], payload: Json) -> bool:
    needed = [f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING]
    return all(name in payload for name in needed)


def _made(kind: type[Any], payload: Json) -> Any:
    known = {f.name: payload[f.name] for f in fields(kind) if f.name in payload}
    if isinstance(goals := known.get("goals"), list):
        known["goals"] = tuple(cast(list[str], goals))
    if isinstance(error := known.get("error"), dict):
        if not _complete(Problem, cast(Json, error)):
            return Unknown(payload["type"], payload)
        known["error"] = _made(Problem, cast(Json, error))
    return kind(**known)
