"""A session's settings where they need what the server has: personas, characters, voices."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from animator.units import FPS
from companion.avatar.device import Animator
from companion.avatar.portraits import Portraits
from companion.config import Turns
from companion.dialogue.personas.personas import Persona
from companion.protocol.changes import update, without
from companion.protocol.codec import WireError
from companion.protocol.events import Json
from companion.protocol.settings import (
    TRACK_CODEC,
    Audio,
    AudioInput,
    AudioOutput,
    Avatar,
    Resolution,
    Settings,
    SoundFormat,
    Transcription,
    detection,
)
from companion.session.client.visitor import Visitor
from companion.stages.protocols import ASR, LLM, TTS, abilities, has_voice, language_told, own_voice

LARGEST_UPDATE = 500_000  # characters of an update as JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """What a session's settings may choose from. ``character`` is shown where neither the client nor the persona names
    one; ``records``: whether conversations may be recorded; ``tracks``: sound and pictures go as media tracks."""

    personas: Mapping[str, Persona]
    asr: ASR
    llm: LLM
    tts: TTS
    animator: Animator
    portraits: Portraits
    character: str
    records: bool = False
    tracks: bool = False


def defaults(persona: str, *, personas: Mapping[str, Persona], tts: TTS, turns: Turns) -> Settings:
    """What a session starts with. Raises KeyError for an unknown persona."""
    voice = own_voice(tts, personas[persona].voice)
    audio = Audio(AudioInput(turn_detection=detection(turns)), AudioOutput(voice=voice))
    return Settings(persona=persona, audio=audio)


def remembered(new: Settings, visitor: Visitor) -> Settings:
    """As who the client may be remembered. Raises WireError."""
    if new.memory is None or not (new.memory.consent or new.memory.user):
        return new
    memory = new.memory if new.memory.user else replace(new.memory, user=visitor.user or "")
    if not memory.user:
        message = "`session.memory` needs a `user`, or a client secret that was made for one."
        raise WireError("invalid_value", message, "session.memory.user")
    if not visitor.may_be(memory.user):
        message = "Your client secret was not made for this user."
        raise WireError("forbidden_user", message, "session.memory.user")
    return replace(new, memory=memory)


def resumed(settings: Settings, offered: Offered) -> Settings:
    """Those of an earlier session, as far as this server can still keep them: an uploaded picture may be gone. Raises
    WireError."""
    bare = replace(settings, avatar=None)
    if settings.avatar and not offered.portraits.has(settings.avatar.character):
        settings = replace(settings, avatar=replace(settings.avatar, character=""))
    settings = settings if offered.records else replace(settings, recording=None)
    return check(settings, bare, {"instructions": ""}, offered)


def uncovered(settings: Settings, offered: Offered) -> Settings | None:
    """Those of a session whose picture is gone, as when consent to it was withdrawn, with the persona's face or the
    default one; None where it is still there."""
    avatar = settings.avatar
    if avatar is None or avatar.character == offered.character or offered.portraits.has(avatar.character):
        return None
    own = offered.personas[settings.persona].character
    character = own if own and offered.portraits.has(own) else offered.character
    return replace(settings, avatar=replace(avatar, character=character))


@dataclass(frozen=True, slots=True)
class Changed:
    """The ``settings`` after as much of a ``change`` as can be kept, and why the rest of it is ``refused``. Where that
    is all of it, ``change`` is empty."""

    settings: Settings
    change: Json
    refused: tuple[WireError, ...] = ()


def changed(before: Settings, change: Json, initial: Settings, visitor: Visitor, offered: Offered) -> Changed:
    """``before`` with what ``change`` asks for, whose fields are refused one by one; ``initial`` as in `update`.

    Raises WireError for more than `LARGEST_UPDATE`, and where what is wrong is no field of ``change``.
    """
    if len(json.dumps(change)) > LARGEST_UPDATE:
        raise WireError("invalid_value", f"A `session.update` has at most {LARGEST_UPDATE} characters.", "session")
    refused: list[WireError] = []
    while True:
        try:
            wanted = remembered(update(before, change, initial), visitor)
            return Changed(check(wanted, before, change, offered), change, tuple(refused))
        except WireError as error:
            left = without(change, error.param, before)
            if left == change:
                raise
            refused.append(error)
            change = left if left.keys() - {"type"} else {}


def _voiced(new: Settings, before: Settings, change: Json, offered: Offered) -> Settings:
    """A persona brings its voice, unless ``change`` names another. In place of a voice that does not exist ("": of none
    of one's own) the persona's is used, since stock clients ask for OpenAI's; the client is told which one it is."""
    if not abilities(offered.tts).voices:
        return new
    own, wanted = own_voice(offered.tts, offered.personas[new.persona].voice), new.audio.output.voice
    if new.persona != before.persona and not _names(change, "audio", "output", "voice"):
        wanted = own
    voice = wanted if has_voice(offered.tts, wanted) else own
    return replace(new, audio=replace(new.audio, output=replace(new.audio.output, voice=voice)))


def _understood(new: Settings, offered: Offered) -> Settings:
    """In which language the user is heard; the model is the server's, whichever a stock client asks for. Raises
    WireError."""
    asked = new.audio.input.transcription
    if asked is None:
        return new
    try:
        language = language_told(offered.asr, asked.language or "") or None
    except LookupError as error:
        raise WireError("unsupported", str(error), "session.audio.input.transcription.language") from error
    transcription = Transcription(abilities(offered.asr).model, language)
    return replace(new, audio=replace(new.audio, input=replace(new.audio.input, transcription=transcription)))


def _carried(new: Settings, offered: Offered) -> Settings:
    """How sound and pictures travel, which is the connection's to say; SDP has settled the formats of media tracks."""
    avatar = new.avatar and replace(new.avatar, output_protocol="webrtc" if offered.tracks else "websocket")
    if not offered.tracks:
        return replace(new, avatar=avatar)
    heard, said = (replace(one, format=SoundFormat()) for one in (new.audio.input, new.audio.output))
    if avatar:
        avatar = replace(avatar, video=replace(avatar.video, codec=TRACK_CODEC, codecs=(TRACK_CODEC,)))
    return replace(new, audio=Audio(cast(AudioInput, heard), cast(AudioOutput, said)), avatar=avatar)


def _face(avatar: Avatar, new: Settings, before: Settings, change: Json, offered: Offered) -> str:
    """A persona brings its face, unless ``change`` names another, and takes it along when it goes."""
    personas = offered.personas
    own, worn = personas[new.persona].character, avatar.character
    if new.persona != before.persona and not _names(change, "avatar", "character"):
        worn = own or ("" if worn == personas[before.persona].character else worn)
    return worn or own or offered.character


def _names(change: Json, *path: str) -> bool:
    """Whether a change names the field at ``path``."""
    found: Any = change
    for key in path:
        if not isinstance(found, dict) or key not in found:
            return False
        found = cast(Json, found)[key]
    return True


def check(new: Settings, before: Settings, change: Json, offered: Offered) -> Settings:
    """``new`` as this server can keep it: with the face and the voice that a persona brings, and without what a client
    told the persona before. Raises WireError."""
    if new.tools and not abilities(offered.llm).calls_tools:
        message = "The language model of this server cannot call functions; [llm] of its config can name one that does."
        raise WireError("unsupported", message, "session.tools")
    if new.recording and new.recording.consent and not offered.records:
        message = "This server keeps no recordings; [recording] of its config can name a folder for them."
        raise WireError("unsupported", message, "session.recording")
    personas = offered.personas
    if new.persona not in personas:
        message = f"There is no such persona; there are {', '.join(personas)}."
        raise WireError("unknown_persona", message, "session.persona")
    if new.persona != before.persona and "instructions" not in change:
        new = replace(new, instructions="")
    new = _carried(_understood(_voiced(new, before, change, offered), offered), offered)
    if new.avatar is None:
        return new
    character = _face(new.avatar, new, before, change, offered)
    worn = before.avatar is not None and before.avatar.character == character  # which needs no asking
    if not worn and not offered.portraits.has(character):
        message = "There is no such character or uploaded picture; GET /v1/characters lists the characters."
        raise WireError("unknown_character", message, "session.avatar.character")
    video = replace(new.avatar.video, resolution=Resolution(offered.animator.size, offered.animator.size), fps=FPS)
    return replace(new, avatar=replace(new.avatar, character=character, video=video))
