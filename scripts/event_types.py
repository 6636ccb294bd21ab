"""Writes the protocol's events as TypeScript types, from `companion.protocol.events`:

python -m scripts.event_types > clients/web/types/events.d.ts
"""

import inspect
import sys
import types
import typing
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from companion.protocol import events

HEAD = """// Every event of the protocol: companion/protocol/events.py as types. Written by scripts/event_types.py.
// Media events travel as one binary message each on a `realtime.binary` connection, without `delta` or `audio`.

export type Json = Record<string, any>;
"""
PRIMITIVES = {str: "string", bytes: "string", int: "number", float: "number", bool: "boolean", type(None): "null"}


def main() -> None:
    sys.stdout.write(module())


def module() -> str:
    """The text of events.d.ts."""
    server = {kind.type: kind for kind in _subclasses(events.ServerEvent) if "type" in vars(kind)}
    client = events.CLIENT_EVENTS
    shapes = [_interface(shape) for shape in (events.Gaze, events.Problem)]
    shapes += [_interface(kind, own=name) for name, kind in (*client.items(), *server.items())]
    unions = (("Client", client), ("Server", server))
    shapes += [_union(f"{side}Event", [f"{kind.__name__}Event" for kind in kinds.values()]) for side, kinds in unions]
    return "\n".join([HEAD, *shapes])


def _subclasses(kind: type) -> list[type]:
    """Every class below ``kind``, as in the source."""
    found = [k for k in vars(events).values() if inspect.isclass(k) and issubclass(k, kind) and k is not kind]
    return sorted(found, key=lambda k: list(vars(events)).index(k.__name__))


def _interface(shape: type, own: str = "") -> str:
    """A dataclass as an interface; ``own`` is its event's name. What a client may leave out is optional."""
    doc = inspect.cleandoc(shape.__doc__ or "") if not (shape.__doc__ or "").startswith(shape.__name__) else ""
    sends = issubclass(shape, events.ClientEvent) or shape is events.Gaze
    hints = typing.get_type_hints(shape, include_extras=True)
    lines = [f'  type: "{own}";'] if own else []
    for field in fields(shape):
        optional = "?" if sends and _has_default(field) else ""
        lines.append(f"  {field.name}{optional}: {_typescript(hints[field.name])};")
    comment = f"/** {' '.join(doc.split()).replace('``', '`')} */\n" if doc else ""
    name = f"{shape.__name__}Event" if own else shape.__name__
    return f"{comment}export interface {name} {{\n" + "\n".join(lines) + "\n}\n"


def _has_default(field: "Field[Any]") -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


def _typescript(hint: Any) -> str:
    if hint in PRIMITIVES:
        return PRIMITIVES[hint]
    if is_dataclass(hint):
        return typing.cast(type, hint).__name__
    if hint == events.Json:
        return "Json"
    return _generic(get_origin(hint), get_args(hint))


def _generic(origin: Any, inner: tuple[Any, ...]) -> str:
    if origin is Annotated:
        return _typescript(inner[0])
    if origin is Literal:
        return " | ".join(f'"{value}"' for value in inner)
    if origin in (Union, types.UnionType):
        return " | ".join(map(_typescript, inner))
    if origin in (list, tuple):
        return f"{_typescript(inner[0])}[]"
    if origin is dict:
        return f"Record<{_typescript(inner[0])}, {_typescript(inner[1])}>"
    raise TypeError(f"no TypeScript for {origin}[{inner}]")


def _union(name: str, members: list[str]) -> str:
    return f"export type {name} =\n" + "\n".join(f"  | {member}" for member in members) + ";\n"


if __name__ == "__main__":
    main()
