"""Merges a `session.update` into the settings, field by field; only fields that cannot be used are left out."""

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
    "resume",
    "expires_at",
)  # what the server says of a session beside its settings
EMPTY_VALUES = (None, "", "inf", "auto", 1, [], {})  # values by which OpenAI's clients ask for nothing in particular
MOST_NAMED = 10  # unknown fields of an update that are named
LONGEST_NAME = 60  # characters of one
INDIVISIBLE_FIELDS = ("memory", "recording")  # taken as they are or not at all: nobody agrees for somebody else

_SETTINGS = TypeAdapter(Settings)
_CHOICES: TypeAdapter[ToolChoice] = TypeAdapter(ToolChoice)


def update(settings: Settings, change: Json, defaults: Settings) -> Settings:
    """``settings`` with what a ``session.update`` names; what was switched off comes back as in ``defaults``.

    Raises WireError naming the field that cannot be used.
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
    """Raises WireError naming ``param``."""
    try:
        return _CHOICES.validate_python(value)
    except ValidationError as error:
        message = f"`{param}` is auto, none, required, or a function by name."
        raise WireError("invalid_value", message, param) from error


def _at_its_rate(audio: Audio) -> Audio:
    """Mu-law has one rate, whatever was asked for before."""

    def narrowed(format: SoundFormat) -> SoundFormat:
        return replace(format, rate=8000) if format.type == "audio/pcmu" else format

    heard, said = (replace(one, format=narrowed(one.format)) for one in (audio.input, audio.output))
    return Audio(cast(AudioInput, heard), cast(AudioOutput, said))


def unknown(change: Json) -> list[str]:
    """The fields of a `session.update` that say something which is not known here, as paths; at most `MOST_NAMED`.
    What asks for nothing ("speed": 1, null), and what the server itself says of a session, says nothing."""
    shape = Settings("", audio=Audio(AudioInput(transcription=Transcription())), avatar=Avatar(), memory=Remembering())
    shape = replace(shape, recording=Filming())
    return list(itertools.islice(_unknown(change, asdict(shape), "session"), MOST_NAMED))


def without(change: Json, param: str | None, settings: Settings) -> Json:
    """``change`` without the field ``param`` ("session.audio.output.voice"). What ``settings`` do not have yet, such as
    a face, comes whole or not at all, and so does a list. The same where ``change`` does not name the field."""
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
    """A codec asked for by name is taken; otherwise the best of those listed."""
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
