"""What `conversation.item.create` and `response.create` ask for, checked. Pure."""

import base64
import binascii
from dataclasses import replace
from typing import Any, cast

from companion.conversation.items import LONGEST_TURN, Conversation, Item, Role
from companion.conversation.response import Wishes
from companion.protocol.changes import tool_choice
from companion.protocol.codec import WireError
from companion.protocol.events import Json
from companion.protocol.ids import new_id
from companion.stages.protocols import Message

MOST_GIVEN = 100  # items of `response.input`
SPEAKERS = ("user", "assistant", "system")
TEXT_PARTS = ("input_text", "output_text", "text")


def item(payload: Json) -> Item:
    """OpenAI's item -> Item. Raises WireError for what is not a text message."""
    kind = payload.get("type")
    if kind == "function_call_output":
        return _result(payload)
    if kind != "message":
        raise WireError(
            "unsupported", f"Only items of type `message` are supported, not {str(kind)[:40]!r}.", "item.type"
        )
    role = payload.get("role")
    if role not in SPEAKERS:
        raise WireError("invalid_value", "`item.role` is user, assistant or system.", "item.role")
    return Item(_id(payload), cast(Role, role), _text(payload.get("content")))


def sound(payload: Json) -> bytes:
    """The sound of a user's message of one part, in the session's input format; b"" where it has words. Raises
    WireError."""
    parts: Any = payload.get("content")
    first: Any = parts[0] if isinstance(parts, list) and parts else None
    if payload.get("role") != "user" or not isinstance(first, dict) or cast(Json, first).get("type") != "input_audio":
        return b""
    audio = cast(Json, first).get("audio") if len(cast(list[Any], parts)) == 1 else None
    try:
        data = base64.b64decode(audio, validate=True) if isinstance(audio, str) else b""
    except (binascii.Error, ValueError):
        data = b""
    if not data:
        message = "A part with sound stands alone, and has it as base64 in `audio`."
        raise WireError("invalid_value", message, "item.content.0.audio")
    return data


def spoken(payload: Json) -> Item:
    """A user's message with `sound`, whose words are not known yet, unless it brings a ``transcript``."""
    transcript = payload["content"][0].get("transcript")
    return Item(_id(payload), "user", transcript[:LONGEST_TURN] if isinstance(transcript, str) else None, sound=True)


def _result(payload: Json) -> Item:
    """What a tool of the client returned."""
    call_id, output = payload.get("call_id"), payload.get("output")
    if not isinstance(call_id, str) or not isinstance(output, str) or len(output) > LONGEST_TURN:
        message = f"A result has a `call_id` and an `output` of at most {LONGEST_TURN} characters."
        raise WireError("invalid_value", message, "item.output")
    return Item(_id(payload), "tool", output, call_id=call_id)


def _id(payload: Json) -> str:
    given = payload.get("id")
    if given is not None and not (isinstance(given, str) and 0 < len(given) <= 64):
        raise WireError("invalid_value", "`item.id` is a string of at most 64 characters.", "item.id")
    return given or new_id("item")


def _text(content: Any, param: str = "item.content") -> str:
    if not isinstance(content, list) or not content:
        raise WireError("invalid_value", f"`{param}` is a list of parts with text.", param)
    texts: list[str] = []
    for i, part in enumerate(cast(list[Any], content)):
        kind = cast(Json, part).get("type") if isinstance(part, dict) else None
        if kind not in TEXT_PARTS:
            message = "Messages are text, or one part `input_audio` of a user."
            raise WireError("unsupported", message, f"{param}.{i}.type")
        text = cast(Json, part).get("text")
        if not isinstance(text, str):
            raise WireError("invalid_value", "A part has a `text`.", f"{param}.{i}.text")
        texts.append(text)
    joined = " ".join(texts)
    if len(joined) > LONGEST_TURN:
        raise WireError("invalid_value", f"A message has at most {LONGEST_TURN} characters.", param)
    return joined


def wishes(payload: Json | None, modality: str, conversation: Conversation) -> Wishes:
    """The ``response`` of a `response.create` -> Wishes; ``modality`` is the session's. Raises WireError, and KeyError
    for an item that is not in the ``conversation``."""
    asked = payload or {}
    for key in ("tools", "prompt"):
        if asked.get(key):
            raise WireError("unsupported", f"`response.{key}` is not supported by this server.", f"response.{key}")
    if asked.get("conversation", "auto") not in ("auto", "none"):
        raise WireError("invalid_value", "`response.conversation` is auto or none.", "response.conversation")
    instructions, modalities = asked.get("instructions"), asked.get("output_modalities", [modality])
    if instructions is not None and not isinstance(instructions, str):
        raise WireError("invalid_value", "`response.instructions` is text.", "response.instructions")
    if modalities not in (["audio"], ["text"]):
        param = "response.output_modalities"
        raise WireError("invalid_value", "`output_modalities` is either ['audio'] or ['text'].", param)
    metadata = asked.get("metadata")
    if metadata is not None and not _is_metadata(metadata):
        raise WireError("invalid_value", "`response.metadata` is up to 16 short texts by name.", "response.metadata")
    return Wishes(
        instructions,
        modalities == ["audio"],
        metadata,
        asked=True,
        aside=asked.get("conversation") == "none",
        context=None if asked.get("input") is None else _context(asked["input"], conversation),
        tool=tool_choice(asked["tool_choice"], "response.tool_choice") if asked.get("tool_choice") else None,
    )


def _context(given: Any, conversation: Conversation) -> tuple[Message, ...]:
    """``response.input``: items, or references to items of the ``conversation``."""
    if not isinstance(given, list) or len(cast(list[Any], given)) > MOST_GIVEN:
        message = f"`response.input` is a list of at most {MOST_GIVEN} items."
        raise WireError("invalid_value", message, "response.input")
    apart = Conversation()
    for payload in cast(list[Any], given):
        if not isinstance(payload, dict):
            raise WireError("invalid_value", "`response.input` is a list of items.", "response.input")
        told = cast(Json, payload)
        known = conversation[str(told.get("id"))] if told.get("type") == "item_reference" else item(told)
        apart.add(replace(known, id=new_id("item")))
    return tuple(apart.history())


def given(payload: Json | None) -> str:
    """What a `response.create` wants to be said word for word, "" for nothing: Azure's
    ``pre_generated_assistant_message``."""
    message = (payload or {}).get("pre_generated_assistant_message")
    if message is None:
        return ""
    content = cast(Json, message).get("content") if isinstance(message, dict) else None
    return _text(content, "response.pre_generated_assistant_message.content")


def _is_metadata(value: Any) -> bool:
    if not isinstance(value, dict) or len(cast(Json, value)) > 16:
        return False
    return all(isinstance(text, str) and len(text) <= 512 for text in cast(Json, value).values())
