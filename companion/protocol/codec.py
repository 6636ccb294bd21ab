"""Encodes events as websocket messages and decodes them.

There are two subprotocols. ``realtime`` sends JSON text with media as base64. ``realtime.binary`` sends each media
event as one binary message: the event without its media as a line of JSON, ``\\n``, then the raw bytes. The server
accepts both forms from clients of either.
"""

import base64
import binascii
import dataclasses
import itertools
import json
import math
import re
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from companion.protocol.events import CLIENT_EVENTS, ClientEvent, Error, Json, ServerEvent

SUBPROTOCOLS = ("realtime.binary", "realtime")  # best first

MOST_LEVELS = 100  # maximum nesting depth of lists and objects
MOST_VALUES = 250_000  # commas and opening brackets in a text: reading many values holds the event loop
ACCEPTED_JSON = f"UTF-8, finite numbers, at most {MOST_LEVELS} levels deep, at most {MOST_VALUES} values"

_ADAPTERS = {name: TypeAdapter(kind) for name, kind in CLIENT_EVENTS.items()}
_HALF_CHARACTER = re.compile(r"\\u[dD][89a-fA-F]")  # an escaped UTF-16 surrogate
_MEDIA = {"input_audio_buffer.append": "audio"}  # client event -> its field of media, the bytes of a binary message


class WireError(Exception):
    """A message is invalid. ``code`` is stable; ``param`` is the path of the field at fault, ``event_id`` the client's
    id of the event; both are None if not known."""

    def __init__(self, code: str, message: str, param: str | None = None, event_id: str | None = None) -> None:
        super().__init__(message)
        self.code, self.param, self.event_id = code, param, event_id


class Encoder:
    """Encodes the server's events for one connection: called with an event, it returns the message.

    ``event_id`` counts them from 1. ``binary``: media events become binary messages instead of base64. ``request`` is
    the connection's id in the log, which error events repeat.
    """

    def __init__(self, binary: bool, request: str | None = None) -> None:
        self.binary, self._request = binary, request
        self._numbers = itertools.count(1)

    def __call__(self, event: ServerEvent) -> str | bytes:
        payload: Json = {"type": event.type, "event_id": f"event_{next(self._numbers)}"}
        payload |= {f.name: _plain(getattr(event, f.name)) for f in dataclasses.fields(event)}
        if self._request and isinstance(event, Error):
            payload["error"]["request_id"] = self._request
        media = payload.get("delta")
        if not isinstance(media, bytes):
            return json.dumps(payload, separators=(",", ":"))
        if self.binary:
            del payload["delta"]
            return json.dumps(payload, separators=(",", ":")).encode() + b"\n" + media
        payload["delta"] = base64.b64encode(media).decode("ascii")
        return json.dumps(payload, separators=(",", ":"))


def request(event: ClientEvent) -> str:
    """Encode a client's event as JSON text, of which `decode` makes the same event."""
    fields = {name: value for name, value in dataclasses.asdict(event).items() if value is not None}
    if (name := _MEDIA.get(event.type)) is not None:
        fields[name] = base64.b64encode(fields[name]).decode("ascii")
    return json.dumps({"type": event.type} | fields)


def decode(message: str | bytes) -> ClientEvent:
    """Decode a client's message, JSON text or binary. Unknown fields are ignored. Raises WireError for an invalid
    message, an unknown event or an invalid field."""
    head, media = (message, None) if isinstance(message, str) else _split(message)
    payload = _object(head)
    raw_id = payload.get("event_id")
    event_id = raw_id[:512] if isinstance(raw_id, str) else None
    kind = payload.get("type")
    if not isinstance(kind, str):
        raise WireError("missing_type", "The event has no `type`; every event is an object with one.", "type", event_id)
    if kind not in CLIENT_EVENTS:
        known = ", ".join(CLIENT_EVENTS)
        raise WireError("unknown_event", f"`{kind[:80]}` is not supported here. Supported: {known}.", "type", event_id)
    payload = {**payload, "event_id": event_id}
    if (name := _MEDIA.get(kind)) is not None:
        payload[name] = media if media is not None else _bytes(payload.get(name), name, event_id)
    try:
        return _ADAPTERS[kind].validate_python(payload)
    except ValidationError as error:
        raise invalid(error, event_id) from error


def parse(text: str | bytes) -> Any:
    """Parse untrusted JSON -> a value that can safely be encoded as JSON and UTF-8 again.

    Lone surrogates (of a client that cuts an emoji in two) become question marks. Raises ValueError for invalid JSON,
    NaN and infinities, a depth of more than `MOST_LEVELS`, or more than `MOST_VALUES`.
    """
    text = text if isinstance(text, str) else text.decode()
    if sum(map(text.count, ",[{")) > MOST_VALUES:
        raise ValueError("too many values")
    try:
        value = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    _check_depth(value)
    if _is_utf8(text) and not _HALF_CHARACTER.search(text):
        return value
    return json.loads(json.dumps(value, ensure_ascii=False).encode(errors="replace"))


def invalid(error: ValidationError, event_id: str | None, prefix: str = "") -> WireError:
    """Pydantic's first error as a WireError ``invalid_value`` that names the field; ``prefix`` precedes its path. The
    value is not repeated, since it may quote the user."""
    first = error.errors(include_input=False, include_url=False)[0]
    param = ".".join([*([prefix] if prefix else []), *(str(part) for part in first["loc"] if part != "function-plain")])
    return WireError("invalid_value", f"`{param}`: {first['msg']}.", param, event_id)


def _split(message: bytes) -> tuple[bytes, bytes]:
    head, separator, media = message.partition(b"\n")
    if not separator:
        raise WireError("invalid_message", "A binary message is a line of JSON, a newline and the raw bytes.")
    return head, media


def _object(head: str | bytes) -> Json:
    try:
        payload = parse(head)
    except ValueError as error:
        raise WireError("invalid_json", f"The message is not valid JSON ({ACCEPTED_JSON}).") from error
    if not isinstance(payload, dict):
        raise WireError("invalid_message", "The message is not a JSON object with a `type`.")
    return cast(Json, payload)


def _refuse(constant: str) -> None:
    """Reject NaN and the infinities, which are not JSON. Raises ValueError."""
    raise ValueError(constant)


def _finite(number: str) -> float:
    if not math.isfinite(value := float(number)):
        raise ValueError(number)
    return value


def _is_utf8(text: str) -> bool:
    """Whether ``text`` has no lone surrogate. Takes a few ms even for the longest message, unlike a regex."""
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False


def _check_depth(value: Any) -> None:
    layer: list[Any] = [value]
    for _ in range(MOST_LEVELS + 1):
        inside = [cast(Json, v).values() if isinstance(v, dict) else v for v in layer if isinstance(v, dict | list)]
        if not inside:
            return
        layer = list(itertools.chain.from_iterable(inside))
    raise ValueError("nested too deeply")


def _bytes(value: Any, name: str, event_id: str | None) -> bytes:
    if not isinstance(value, str):
        raise WireError("invalid_value", f"`{name}` should be base64 text.", name, event_id)
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise WireError("invalid_value", f"`{name}` is not valid base64.", name, event_id) from error


def _plain(value: Any) -> Any:
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) and not isinstance(value, type) else value
