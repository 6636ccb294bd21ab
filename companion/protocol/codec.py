"""Event <-> websocket message.

Two subprotocols: ``realtime`` sends JSON text with media as base64; ``realtime.binary`` sends each media event as one
binary message, the event without its media as a line of JSON, ``\\n``, then the raw bytes. Both accept both.
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

MOST_LEVELS = 100  # lists and objects within each other
ACCEPTED_JSON = f"UTF-8, finite numbers, at most {MOST_LEVELS} levels deep"

_ADAPTERS = {name: TypeAdapter(kind) for name, kind in CLIENT_EVENTS.items()}
_HALF_CHARACTER = re.compile(r"\\u[dD][89a-fA-F]")  # a half of a character outside the basic plane, escaped
_MEDIA = {"input_audio_buffer.append": "audio"}  # the field that a client's binary message carries


class WireError(Exception):
    """A message cannot be understood. ``code`` is stable; ``param`` names the field, ``event_id`` is the client's."""

    def __init__(self, code: str, message: str, param: str | None = None, event_id: str | None = None) -> None:
        super().__init__(message)
        self.code, self.param, self.event_id = code, param, event_id


class Encoder:
    """Server events -> messages of one connection, numbered; ``request`` is its id, which errors tell."""

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
    """A client's event -> the text from which `decode` makes it again."""
    fields = {name: value for name, value in dataclasses.asdict(event).items() if value is not None}
    if (name := _MEDIA.get(event.type)) is not None:
        fields[name] = base64.b64encode(fields[name]).decode("ascii")
    return json.dumps({"type": event.type} | fields)


def decode(message: str | bytes) -> ClientEvent:
    """A client's message -> its event; fields that we do not know are ignored. Raises WireError."""
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
    """JSON from outside -> its value, which can be written as JSON and as UTF-8 again: numbers are finite, half
    characters (a client may cut an emoji in two) are question marks. Raises ValueError, also where it is nested deeper
    than `MOST_LEVELS`."""
    text = text if isinstance(text, str) else text.decode()
    try:
        value = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    _check_depth(value)
    if _is_utf8(text) and not _HALF_CHARACTER.search(text):
        return value
    return json.loads(json.dumps(value, ensure_ascii=False).encode(errors="replace"))


def invalid(error: ValidationError, event_id: str | None, prefix: str = "") -> WireError:
    """Pydantic's first complaint as an ``invalid_value`` that names the field. The value itself is not repeated."""
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
    """Refuses NaN and the infinities, which are not JSON."""
    raise ValueError(constant)


def _finite(number: str) -> float:
    if not math.isfinite(value := float(number)):
        raise ValueError(number)
    return value


def _is_utf8(text: str) -> bool:
    """Whether it has no half of a surrogate pair in it. In a few ms even for the longest message, unlike a pattern."""
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
