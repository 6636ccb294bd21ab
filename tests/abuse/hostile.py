"""Messages that are nearly right, made from the protocol's own types: each field may be right, odd or absurd."""

import dataclasses
import json
from typing import Any

from hypothesis import strategies as st

from animator.control import Control
from companion.protocol.events import CLIENT_EVENTS
from companion.protocol.settings import Audio, AudioInput, Avatar, Remembering, Settings, Tool, Transcription

SHAPE = dataclasses.asdict(
    Settings(
        "companion",
        audio=Audio(AudioInput(transcription=Transcription())),
        avatar=Avatar(),
        memory=Remembering(),
        tools=(Tool("f"),),
    )
)


class Raw(str):
    """JSON as it is written, which `json.dumps` would not write."""


def nested(depth: int) -> Raw:
    return Raw('{"a":' * depth + "1" + "}" * depth)


ABSURD: list[Any] = [
    *(None, True, False, 0, -1, 1, 0.5, 2**31, 2**63, -(2**63)),
    *(Raw("NaN"), Raw("Infinity"), Raw("1e999"), Raw("9" * 4500)),
    *("", " ", "\0", "\ud83d", "\udc00\ud800", "🙂" * 20, "नमस्ते " * 300, "a" * 30_000),
    *("../../etc/passwd", "' OR 1=1 --", "AAAA", "!!", "root"),
    *([], [[]], [None], ["audio", "text"], ["x"] * 3000, {}, {"": ""}, {"type": None}),
    *(nested(60), nested(120), nested(970), Raw("[" * 970 + "]" * 970)),
    [{"type": "input_text", "text": "\ud83d"}],
    [{"type": "input_text"}],
    [{"type": "input_audio", "audio": "AAAA"}],
    {"user": "\ud83d", "consent": True},
    {"user": "x" * 300, "consent": True},
    {"user": "u", "consent": "yes"},
]
absurd = st.sampled_from(ABSURD)
words = st.sampled_from(["Hello.", "How are you?", "What is your name?", "Wait."])
message = st.fixed_dictionaries(
    {"type": st.just("message"), "role": st.sampled_from(["user", "assistant", "system"])},
    optional={"content": words.map(lambda text: [{"type": "input_text", "text": text}]), "id": words},
)


def _paths(shape: dict[str, Any], before: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = [(*before, key) for key in shape]
    return found + [
        path for key, value in shape.items() if isinstance(value, dict) for path in _paths(value, (*before, key))
    ]


def _put(path: tuple[str, ...], value: Any) -> Any:
    return value if not path else {path[0]: _put(path[1:], value)}


changes = st.one_of(
    st.builds(_put, st.sampled_from(_paths(SHAPE)), absurd),
    st.builds(lambda path: _put(path, _at(path)), st.sampled_from(_paths(SHAPE))),
    absurd,
)


def _at(path: tuple[str, ...]) -> Any:
    value: Any = SHAPE
    for key in path:
        value = value[key]
    return value


def _odd_item(item: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    return item | {name: value}


items = st.one_of(
    message,
    st.builds(
        _odd_item, message, st.sampled_from(["type", "id", "role", "content", "call_id", "output", "status"]), absurd
    ),
    absurd,
)
RESPONSE = (
    "instructions",
    "output_modalities",
    "metadata",
    "conversation",
    "input",
    "tools",
    "pre_generated_assistant_message",
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "session": changes,
    "item": items,
    "response": st.one_of(st.none(), st.builds(lambda key, value: {key: value}, st.sampled_from(RESPONSE), absurd)),
    "audio": st.one_of(absurd, st.sampled_from(["", "AAA=", "AAAA" * 400, "f38=", "fwB/" * 2000])),
}
FIELDS |= {name: st.one_of(absurd, st.floats(-2, 2)) for name in dataclasses.asdict(Control())}


@st.composite
def events(draw: st.DrawFn) -> str:
    """One event as JSON, of any type, any of whose fields may be missing or wrong."""
    kind = draw(st.sampled_from(list(CLIENT_EVENTS)))
    names = [f.name for f in dataclasses.fields(CLIENT_EVENTS[kind]) if draw(st.booleans()) or f.name in FIELDS]
    event = {name: draw(FIELDS.get(name, absurd)) for name in names}
    return written({"type": kind} | event)


garbage = st.one_of(
    st.text(max_size=50),
    st.binary(max_size=50),
    st.sampled_from(
        ["", "{", "[]", "null", '{"type":1}', "[" * 100_000, "9" * 5000, "\ufeff{}", b"\xff\n", b"{}\n" + bytes(961)]
    ),
)
hostile = st.one_of(events(), events(), events(), events(), garbage)


def written(value: Any) -> str:
    """As `json.dumps`, with the raw parts as they are."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{written(inside)}" for key, inside in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(written, value)) + "]"
    return json.dumps(value)
