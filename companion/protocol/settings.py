"""What a client may set about its session, in OpenAI's shape (``session.update``) with Azure's ``avatar``."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Annotated, Any, Literal, cast

from pydantic import Field, TypeAdapter, ValidationError

from animator.control import Control, Emotion
from companion.config import Turns
from companion.protocol.codec import WireError, invalid
from companion.protocol.events import Amplitude, Angle, Articulation, Gaze, Json, Unit
from companion.stages.protocols import SPEAK_RATE

CODECS = ("h264", "vp8", "jpeg")  # best first
OWN = ("id", "object", "model", "disclosure", "expires_at")  # what the server says of a session beside its settings
NOTHING = (None, "", "inf", "auto", 1, [], {})  # values by which OpenAI's clients ask for nothing in particular
MOST_NAMED = 10  # unknown fields of an update that are named
LONGEST_NAME = 60  # characters of one

Codec = Literal["h264", "vp8", "jpeg"]


@dataclass(frozen=True, slots=True)
class InputFormat:
    type: Literal["audio/pcm"] = "audio/pcm"
    rate: Literal[16000, 24000] = 24000


@dataclass(frozen=True, slots=True)
class OutputFormat:
    type: Literal["audio/pcm"] = "audio/pcm"
    rate: Literal[24000] = SPEAK_RATE


@dataclass(frozen=True, slots=True)
class TurnDetection:
    type: Literal["server_vad", "semantic_vad"] = "server_vad"
    threshold: Annotated[float, Field(ge=0.0, le=1.0)] = 0.5
    prefix_padding_ms: Annotated[int, Field(ge=0, le=2000)] = 300
    silence_duration_ms: Annotated[int, Field(ge=100, le=5000)] = 500
    create_response: bool = True
    interrupt_response: bool = True
    eagerness: Literal["low", "medium", "high", "auto"] = "auto"  # of semantic_vad
    idle_timeout_ms: Annotated[int, Field(ge=5000, le=30000)] | None = None  # of silence after which the face goes on


@dataclass(frozen=True, slots=True)
class Transcription:
    model: str = ""
    language: str | None = None


@dataclass(frozen=True, slots=True)
class AudioInput:
    format: InputFormat = InputFormat()
    turn_detection: TurnDetection | None = TurnDetection()
    transcription: Transcription | None = None


@dataclass(frozen=True, slots=True)
class AudioOutput:
    format: OutputFormat = OutputFormat()
    voice: str = "default"


@dataclass(frozen=True, slots=True)
class Audio:
    input: AudioInput = AudioInput()
    output: AudioOutput = AudioOutput()


@dataclass(frozen=True, slots=True)
class Resolution:
    width: int = 512
    height: int = 512


@dataclass(frozen=True, slots=True)
class Video:
    """``codec`` is the one in use. A client may list in ``codecs`` what it decodes; the best of them is taken."""

    codec: Codec = "h264"
    codecs: tuple[str, ...] = CODECS
    bitrate: Annotated[int, Field(ge=100_000, le=8_000_000)] = 1_000_000
    resolution: Resolution = Resolution()
    fps: int = 25
    container: Literal["none"] = "none"


@dataclass(frozen=True, slots=True)
class Scene:
    """Azure's names: ``rotation_x`` nods, ``rotation_y`` turns, ``rotation_z`` leans, in degrees."""

    zoom: Annotated[float, Field(ge=0.7, le=1.4)] = 1.0
    position_x: Unit = 0.0
    position_y: Unit = 0.0
    rotation_x: Angle = 0.0
    rotation_y: Angle = 0.0
    rotation_z: Angle = 0.0
    amplitude: Amplitude = 1.0
    articulation: Articulation = 1.0


@dataclass(frozen=True, slots=True)
class Avatar:
    type: Literal["photo-avatar"] = "photo-avatar"
    model: str = "vasari-1"
    character: str = ""
    output_protocol: Literal["websocket"] = "websocket"
    video: Video = Video()
    scene: Scene = Scene()
    gaze: Gaze = Gaze()
    emotion: Emotion = "neutral"

    def control(self) -> Control:
        """The wishes that ``scene``, ``gaze`` and ``emotion`` express."""
        return Control(
            emotion=self.emotion,
            gaze_yaw_deg=self.gaze.yaw_deg,
            gaze_pitch_deg=self.gaze.pitch_deg,
            distance=1.0 / self.scene.zoom,
            yaw_deg=self.scene.rotation_y,
            pitch_deg=self.scene.rotation_x,
            roll_deg=self.scene.rotation_z,
            x=self.scene.position_x,
            y=self.scene.position_y,
            amplitude=self.scene.amplitude,
            articulation=self.scene.articulation,
        )


@dataclass(frozen=True, slots=True)
class Remembering:
    """Nothing is stored or recalled unless ``consent`` is true. A client secret may have settled the ``user``."""

    user: Annotated[str, Field(max_length=200)] = ""
    consent: bool = False


@dataclass(frozen=True, slots=True)
class User:
    """What is to be known of the user to take care: where helplines are looked for (ISO 3166), and whether it is a
    child or a teenager."""

    country: Annotated[str, Field(pattern="^([A-Za-z]{2})?$")] = ""
    minor: bool = False


@dataclass(frozen=True, slots=True)
class Tool:
    """A function of the client's. ``parameters`` is a JSON schema."""

    name: Annotated[str, Field(pattern="^[a-zA-Z0-9_-]{1,64}$")]
    type: Literal["function"] = "function"
    description: Annotated[str, Field(max_length=4000)] = ""
    parameters: Json = field(default_factory=Json)


@dataclass(frozen=True, slots=True)
class Settings:
    """The effective configuration of a session. ``instructions`` are the client's own: a persona's, which hold where
    there are none, are not the client's to read. ``avatar`` None means sound without a face."""

    persona: str
    instructions: Annotated[str, Field(max_length=100_000)] = ""
    type: Literal["realtime"] = "realtime"
    output_modalities: tuple[Literal["audio", "text"], ...] = ("audio",)
    audio: Audio = Audio()
    avatar: Avatar | None = None
    memory: Remembering | None = None
    safety: User = User()
    tools: tuple[Tool, ...] = ()
    tool_choice: Literal["auto", "none"] = "auto"

    def to_json(self, session_id: str) -> Json:
        """The settings as ``session.created`` and ``session.updated`` report them."""
        own = {"id": session_id, "object": "realtime.session", "model": "vasari"}
        return own | {"max_output_tokens": "inf"} | _json(asdict(self))


_SETTINGS = TypeAdapter(Settings)


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
    return replace(new, avatar=_negotiate(new.avatar, change)) if new.avatar else new


def unknown(change: Json) -> list[str]:
    """The fields of a `session.update` that say something which is not known here, as paths; at most `MOST_NAMED`.
    What asks for nothing ("speed": 1, null), and what the server itself says of a session, says nothing."""
    shape = Settings("", audio=Audio(AudioInput(transcription=Transcription())), avatar=Avatar(), memory=Remembering())
    return list(itertools.islice(_unknown(change, asdict(shape), "session"), MOST_NAMED))


def _unknown(change: Mapping[str, Any], shape: Json, path: str) -> Iterator[str]:
    for key, value in change.items():
        known = shape.get(key)
        if key in shape:
            if isinstance(known, dict) and isinstance(value, Mapping):
                yield from _unknown(cast(Mapping[str, Any], value), cast(Json, known), f"{path}.{key}")
        elif key not in OWN and (value is True or value not in NOTHING):
            yield f"{path}.{key[:LONGEST_NAME]}"


def detection(turns: Turns) -> TurnDetection:
    """The defaults for a client that asks for nothing."""
    return TurnDetection(
        type=turns.detection,
        threshold=turns.threshold,
        prefix_padding_ms=turns.prefix_padding_ms,
        silence_duration_ms=turns.silence_duration_ms,
    )


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


def _json(value: Any) -> Any:
    """Tuples as lists, as JSON has them."""
    if isinstance(value, dict):
        return {key: _json(item) for key, item in cast(Json, value).items()}
    return [_json(item) for item in cast(list[Any], value)] if isinstance(value, list | tuple) else value
