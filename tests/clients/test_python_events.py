"""The Python client's events are the server's."""

import inspect
import json
import typing
from dataclasses import MISSING, asdict, fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
from vasari_client import Unknown
from vasari_client import events as theirs
from vasari_client.messages import decode

from companion.protocol import codec
from companion.protocol import events as ours
from scripts.python_events import module

KINDS = [
    kind
    for kind in vars(ours).values()
    if inspect.isclass(kind) and issubclass(kind, ours.ServerEvent) and "type" in vars(kind)
]
VALUES: dict[Any, Any] = {str: "word", bytes: b"\n\x00\xff", int: 3, float: 0.5, bool: True, ours.Json: {"a": [1]}}


def shape(kind: Any) -> dict[str, tuple[str, bool]]:
    """Name -> type and whether it may be left out, of each field."""
    hints = typing.get_type_hints(kind)
    return {
        f.name: (
            hints[f.name].__name__ if is_dataclass(hints[f.name]) else str(hints[f.name]),
            f.default is MISSING and f.default_factory is MISSING,
        )
        for f in fields(kind)
    }


def value(hint: Any) -> Any:
    if is_dataclass(hint):
        return example(hint)
    inner = typing.get_args(hint)
    if typing.get_origin(hint) is typing.Literal:
        return inner[0]
    if typing.get_origin(hint) in (list, tuple):
        return typing.get_origin(hint)([value(inner[0])] * 2)
    if hint == dict[str, float]:
        return {"first_audio": 612.5}
    return VALUES[hint] if hint in VALUES else value(inner[0])


def example(kind: Any) -> Any:
    return kind(
        **{
            name: value(hint)
            for name, hint in typing.get_type_hints(kind).items()
            if name != "type" or kind is ours.Problem
        }
    )


def test_the_module_is_the_one_that_is_written() -> None:
    assert Path(theirs.__file__).read_text("utf-8") == module(), (
        "python -m scripts.python_events > clients/python/vasari_client/events.py"
    )


def test_every_event_of_the_server_has_its_class_and_no_other() -> None:
    mine = [k for k in vars(theirs).values() if inspect.isclass(k) and issubclass(k, theirs.ServerEvent)]
    assert {k.type for k in mine if "type" in vars(k)} == {k.type for k in KINDS}
    assert shape(theirs.Problem) == shape(ours.Problem)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.type)
def test_an_event_is_typed_as_the_server_types_it(kind: type[ours.ServerEvent]) -> None:
    assert shape(getattr(theirs, kind.__name__)) == shape(kind)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.type)
def test_an_event_arrives_as_it_was_sent(kind: type[ours.ServerEvent]) -> None:
    sent = example(kind)
    came = decode(codec.Encoder(binary=True)(sent))
    assert type(came) is getattr(theirs, kind.__name__)
    assert asdict(came) == asdict(sent)


def test_what_is_not_known_passes_through() -> None:
    new = {"type": "avatar.dance", "event_id": "event_1", "style": "waltz"}
    assert decode(json.dumps(new)) == Unknown("avatar.dance", new)
    assert decode(json.dumps(new).encode() + b"\na\nb") == Unknown("avatar.dance", new | {"delta": b"a\nb"})
    other = {"type": "response.done", "answer": {}}
    assert decode(json.dumps(other)) == Unknown("response.done", other)
    bare = {"type": "error", "error": {"code": "x"}}
    assert decode(json.dumps(bare)) == Unknown("error", bare)


@pytest.mark.parametrize("message", ["", "[]", "1", '{"type": 1}', "{}", b"\n", b"{}\nabc", b"\xff\n"])
def test_what_is_no_event_is_refused(message: str | bytes) -> None:
    with pytest.raises(ValueError):
        decode(message)
