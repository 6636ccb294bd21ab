"""What `conversation.item.create` and `response.create` ask for, checked. Pure."""

from typing import Any, cast

from companion.conversation.items import LONGEST_TURN, Item, Role
from companion.conversation.response import Wishes
from companion.protocol.codec import WireError
from companion.protocol.events import Json
from companion.protocol.ids import new_id

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
            message = "Messages are text here; send sound with `input_audio_buffer.append`."
            raise WireError("unsupported", message, f"{param}.{i}.type")
        text = cast(Json, part).get("text")
        if not isinstance(text, str):
            raise WireError("invalid_value", "A part has a `text`.", f"{param}.{i}.text")
        texts.append(text)
    joined = " ".join(texts)
    if len(joined) > LONGEST_TURN:
        raise WireError("invalid_value", f"A message has at most {LONGEST_TURN} characters.", param)
    return joined


def wishes(payload: Json | None, modality: str) -> Wishes:
    """The ``response`` of a `response.create` -> Wishes; ``modality`` is the session's."""
    asked = payload or {}
    for key in ("input", "tools", "prompt"):
        if asked.get(key):
            raise WireError("unsupported", f"`response.{key}` is not supported by this server.", f"response.{key}")
    if asked.get("conversation", "auto") != "auto":
        param = "response.conversation"
        raise WireError("unsupported", "Responses outside the conversation are not supported.", param)
    instructions, modalities = asked.get("instructions"), asked.get("output_modalities", [modality])
    if instructions is not None and not isinstance(instructions, str):
        raise WireError("invalid_value", "`response.instructions` is text.", "response.instructions")
    if modalities not in (["audio"], ["text"]):
        param = "response.output_modalities"
        raise WireError("invalid_value", "`output_modalities` is either ['audio'] or ['text'].", param)
    metadata = asked.get("metadata")
    if metadata is not None and not _is_metadata(metadata):
        raise WireError("invalid_value", "`response.metadata` is up to 16 short texts by name.", "response.metadata")
    return Wishes(instructions, modalities == ["audio"], metadata, asked=True)


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
