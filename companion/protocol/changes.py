"""Merges a `session.update` into the settings of a session, field by field, and finds the fields that are invalid or
unknown."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from companion.protocol.codec import WireError, invalid
from companion.protocol.events import Json
from companion.protocol.settings import (
    CODECS,
    Audio,
    AudioInput,
    AudioOutput,
    Avatar,
    Filming,
    Remembering,
    Settings,
    SoundFormat,
    ToolChoice,
    Transcription,
)

OWN_FIELDS = (
    "id",
    "object",
    "model",
    "disclosure",
    "recordable",
    "resume",
    "expires_at",
)  # fields that the server reports of a session beside its settings
EMPTY_VALUES = (None, "", "inf", "auto", 1, [], {})  # default values that OpenAI's clients send, without effect
MOST_NAMED = 10  # unknown fields of an update that are reported
LONGEST_NAME = 60  # characters of a field's name in that report
INDIVISIBLE_FIELDS = ("memory", "recording")  # taken whole or not at all, lest a consent apply to another user

_SETTINGS = TypeAdapter(Settings)
_CHOICES: TypeAdapter[ToolChoice] = TypeAdapter(ToolChoice)


def update(settings: Settings, change: Json, defaults: Settings) -> Settings:
    """``settings`` with the fields that ``change``, a ``session.update``, sets.

    A part that is None in ``settings`` and is switched on again starts from ``defaults``. Raises WireError, which
    names the invalid field.
    """
    merged = _merge(asdict(settings), change, asdict(replace(defaults, avatar=Avatar())))
    try:
        new = _SETTINGS.validate_python(merged)
    except ValidationError as error:
        raise invalid(error, None, "session") from error
    if len(new.output_modalities) != 1:
        param = "session.output_modalities"
        raise WireError("invalid_value", "`output_modalities` is either ['audio'] or ['text'].", param)
    new = replace(new, audio=_at_its_rate(new.audio))
    return replace(new, avatar=_negotiate(new.avatar, change)) if new.avatar else new


def tool_choice(value: Any, param: str) -> ToolChoice:
    """Validate a tool choice. Raises WireError, which names ``param`` as the field."""
    try:
        return _CHOICES.validate_python(value)
    except ValidationError as error:
        message = f"`{param}` is auto, none, required, or a function by name."
        raise WireError("invalid_value", message, param) from error


def _at_its_rate(audio: Audio) -> Audio:
    """``audio`` with mu-law formats at 8000 Hz, their only rate, whichever was set before."""

    def narrowed(format: SoundFormat) -> SoundFormat:
        return replace(format, rate=8000) if format.type == "audio/pcmu" else format

    heard, said = (replace(one, format=narrowed(one.format)) for one in (audio.input, audio.output))
    return Audio(cast(AudioInput, heard), cast(AudioOutput, said))


def unknown(change: Json) -> list[str]:
    """The paths of fields in a `session.update` that are not supported here; at most `MOST_NAMED`. Fields without
    effect ("speed": 1, null) and those that the server itself reports of a session are not listed."""
    shape = Settings("", audio=Audio(AudioInput(transcription=Transcription())), avatar=Avatar(), memory=Remembering())
    shape = replace(shape, recording=Filming())
    return list(itertools.islice(_unknown(change, asdict(shape), "session"), MOST_NAMED))


def without(change: Json, param: str | None, settings: Settings) -> Json:
    """``change`` without the field with the path ``param`` (such as "session.audio.output.voice"); unchanged if it does
    not have it. A field within a list, or within a part that ``settings`` do not have yet, such as the avatar, is
    removed together with that list or part."""
    return _without(change, asdict(settings), (param or "").split(".")[1:])


def _without(change: Json, known: Json, path: list[str]) -> Json:
    key, *deeper = path or [""]
    inside, old = change.get(key), known.get(key)
    left: Json = {}
    if deeper and key not in INDIVISIBLE_FIELDS and isinstance(inside, dict) and isinstance(old, dict):
        left = _without(cast(Json, inside), cast(Json, old), deeper)
    rest = {name: value for name, value in change.items() if name != key}
    return rest | {key: left} if left else rest


def _unknown(change: Mapping[str, Any], shape: Json, path: str) -> Iterator[str]:
    for key, value in change.items():
        known = shape.get(key)
        if key in shape:
            if isinstance(known, dict) and isinstance(value, Mapping):
                yield from _unknown(cast(Mapping[str, Any], value), cast(Json, known), f"{path}.{key}")
        elif key not in OWN_FIELDS and (value is True or value not in EMPTY_VALUES):
            yield f"{path}.{key[:LONGEST_NAME]}"


def _negotiate(avatar: Avatar, change: Json) -> Avatar:
    """Choose the best of the video codecs that ``change`` lists; if it lists none, ``avatar`` is returned unchanged.
    Raises WireError ``unsupported_codec`` if none of them is known."""
    video: Any = change
    for key in ("avatar", "video"):
        video = cast(Mapping[str, Any], video).get(key) if isinstance(video, Mapping) else None
    if not isinstance(video, Mapping) or "codecs" not in video:
        return avatar
    for codec in CODECS:
        if codec in avatar.video.codecs:
            return replace(avatar, video=replace(avatar.video, codec=codec))
    known = ", ".join(CODECS)
    raise WireError("unsupported_codec", f"None of `codecs` is offered here: {known}.", "session.avatar.video.codecs")


def _merge(base: Json, change: Mapping[str, Any], defaults: Json) -> Json:
    result = dict(base)
    for key, value in change.items():
        default = defaults.get(key)
        if isinstance(value, Mapping):
            old = result.get(key)
            known = old if isinstance(old, dict) else default if isinstance(default, dict) else {}
            deeper = cast(Json, default) if isinstance(default, dict) else {}
            result[key] = _merge(cast(Json, known), cast(Mapping[str, Any], value), deeper)
        else:
            result[key] = value
    return result
