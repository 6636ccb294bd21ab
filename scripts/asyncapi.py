"""Writes the protocol as AsyncAPI 3.0, from `companion.protocol.events`:

python -m scripts.asyncapi > docs/asyncapi.json
"""

import inspect
import json
import sys
from dataclasses import fields
from typing import Any

from pydantic import TypeAdapter

from companion.protocol import events
from companion.protocol.settings import Settings

Json = dict[str, Any]
REF = "#/components/schemas/{model}"


def main() -> None:
    sys.stdout.write(text())


def text() -> str:
    """The text of docs/asyncapi.json."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def document() -> Json:
    client, server = list(events.CLIENT_EVENTS.values()), list(events.SERVER_EVENTS.values())
    schemas: Json = {}
    schemas |= {kind.__name__: _schema(kind, schemas) for kind in (Settings, *client, *server)}
    messages = {kind.__name__: {"$ref": f"#/components/messages/{kind.__name__}"} for kind in client + server}
    channel = {"$ref": "#/channels/realtime"}
    kinds = {"receive": client, "send": server}  # as the server does
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Vasari",
            "version": "1.0.0",
            "description": "OpenAI's Realtime API with a face. docs/protocol.md explains it.",
        },
        "servers": {"local": {"host": "127.0.0.1:8765", "protocol": "ws"}},
        "channels": {"realtime": {"address": "/v1/realtime", "messages": messages}},
        "operations": {
            action: {
                "action": action,
                "channel": channel,
                "messages": [{"$ref": f"#/channels/realtime/messages/{kind.__name__}"} for kind in of],
            }
            for action, of in kinds.items()
        },
        "components": {
            "messages": {kind.__name__: _message(kind) for kind in client + server},
            "schemas": dict(sorted(schemas.items())),
        },
    }


def _message(kind: Any) -> Json:
    own = inspect.cleandoc(kind.__doc__ or "")
    described = {} if own.startswith(kind.__name__) else {"description": " ".join(own.split())}
    reference = {"payload": {"$ref": f"#/components/schemas/{kind.__name__}"}}
    return {"name": kind.type, "contentType": "application/json"} | described | reference


def _schema(kind: Any, shared: Json) -> Json:
    """A dataclass as JSON schema; those within it go into ``shared``."""
    mode = "validation" if kind is Settings or issubclass(kind, events.ClientEvent) else "serialization"
    schema = TypeAdapter(kind).json_schema(ref_template=REF, mode=mode)
    shared |= schema.pop("$defs", {})
    if kind is Settings:
        return schema
    properties = {name: _sent(value) for name, value in schema.get("properties", {}).items()}
    names = [field.name for field in fields(kind) if field.name in schema.get("required", [])]
    if mode == "serialization":  # the server numbers its events, and leaves nothing out
        properties["event_id"] = {"type": "string"}
        names = [name for name in properties if name != "event_id"] + ["event_id"]
    properties = {"type": {"const": kind.type}} | properties
    return {"type": "object", "title": kind.__name__, "properties": properties, "required": ["type", *names]}


def _sent(schema: Json) -> Json:
    """Bytes travel as base64."""
    return {"type": "string", "contentEncoding": "base64"} if schema.get("format") == "binary" else schema


if __name__ == "__main__":
    main()
