"""The session settings that a client may change, in OpenAI's format with Azure's ``avatar``. Updates are merged in
`companion.protocol.changes`.

Docstrings of the classes are copied into docs/asyncapi.json.
"""

from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Literal, cast

from pydantic import Field

from animator.control import Control, Emotion
from companion.config import Turns
from companion.protocol.events import Amplitude, Angle, Articulation, Gaze, Json, Unit
from companion.stages.protocols import SPEAK_RATE

CODECS = ("h264", "vp8", "jpeg")  # best first
MOST_CODECS = 16  # most codecs that a client may list
MOST_TOOLS = 128  # most functions that a client may offer

Codec = Literal["h264", "vp8", "jpeg"]
TRACK_CODEC: Codec = "vp8"  # of pictures as a media track
Name = Annotated[str, Field(max_length=200)]


@dataclass(frozen=True, slots=True)
class SoundFormat:
    """Mono PCM16, little endian, or mu-law, which always has 8000 samples/s."""

    type: Literal["audio/pcm", "audio/pcmu"] = "audio/pcm"
    rate: Literal[8000, 16000, 24000, 48000] = SPEAK_RATE


@dataclass(frozen=True, slots=True)
class TurnDetection:
    type: Literal["server_vad", "semantic_vad"] = "server_vad"
    threshold: Annotated[float, Field(ge=0.0, le=1.0)] = 0.5
    prefix_padding_ms: Annotated[int, Field(ge=0, le=2000)] = 300
    silence_duration_ms: Annotated[int, Field(ge=100, le=5000)] = 500
    create_response: bool = True
    interrupt_response: bool = True
    eagerness: Literal["low", "medium", "high", "auto"] = "auto"  # of semantic_vad
    idle_timeout_ms: Annotated[int, Field(ge=5000, le=30000)] | None = (
        None  # ms of silence after which the face speaks on its own
    )


@dataclass(frozen=True, slots=True)
class Transcription:
    model: Name = ""
    language: Name | None = None


@dataclass(frozen=True, slots=True)
class AudioInput:
    format: SoundFormat = SoundFormat()
    turn_detection: TurnDetection | None = TurnDetection()
    transcription: Transcription | None = None


@dataclass(frozen=True, slots=True)
class AudioOutput:
    format: SoundFormat = SoundFormat()
    voice: Name = "default"


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
    """``codec`` is the one in use. A client lists in ``codecs`` what it can decode; the server takes the best of
    them."""

    codec: Codec = "h264"
    codecs: Annotated[tuple[Name, ...], Field(max_length=MOST_CODECS)] = CODECS
    bitrate: Annotated[int, Field(ge=100_000, le=8_000_000)] = 1_000_000
    resolution: Resolution = Resolution()
    fps: int = 25
    container: Literal["none"] = "none"


@dataclass(frozen=True, slots=True)
class Scene:
    """Azure's names: ``rotation_x`` is pitch, ``rotation_y`` yaw, ``rotation_z`` roll, in degrees."""

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
    model: Name = "vasari-1"
    character: Name = ""
    output_protocol: Literal["websocket", "webrtc"] = "websocket"  # the connection's, whichever is asked for
    video: Video = Video()
    scene: Scene = Scene()
    gaze: Gaze = Gaze()
    emotion: Emotion = "neutral"

    def control(self) -> Control:
        """``scene``, ``gaze`` and ``emotion`` as the animator's `Control`; angles in degrees."""
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
    """Nothing is stored or recalled unless ``consent`` is true. A client secret may already determine the ``user``."""

    user: Annotated[str, Field(max_length=200)] = ""
    consent: bool = False


@dataclass(frozen=True, slots=True)
class Filming:
    """Nothing is recorded unless ``consent`` is true. Setting it to false later deletes the session's recording; if it
    is left out, the recording ends and is kept. With ``log``, events are recorded, too, for `companion replay`."""

    consent: bool = False
    log: bool = False


@dataclass(frozen=True, slots=True)
class User:
    """What safety needs to know about the user: the country whose helplines are offered (ISO 3166), and whether they
    are a child or a teenager."""

    country: Annotated[str, Field(pattern="^([A-Za-z]{2})?$")] = ""
    minor: bool = False


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the client offers. ``parameters`` is a JSON schema."""

    name: Annotated[str, Field(pattern="^[a-zA-Z0-9_-]{1,64}$")]
    type: Literal["function"] = "function"
    description: Annotated[str, Field(max_length=4000)] = ""
    parameters: Json = field(default_factory=Json)


@dataclass(frozen=True, slots=True)
class NamedTool:
    """The function that a reply must call."""

    name: Name
    type: Literal["function"] = "function"


ToolChoice = Literal["auto", "none", "required"] | NamedTool


@dataclass(frozen=True, slots=True)
class Settings:
    """The effective settings of a session.

    ``instructions`` are the client's own; if it sets none, the persona's apply, which clients cannot read. ``avatar``
    None means sound without a face.
    """

    persona: Name
    instructions: Annotated[str, Field(max_length=100_000)] = ""
    type: Literal["realtime"] = "realtime"
    output_modalities: tuple[Literal["audio", "text"], ...] = ("audio",)
    audio: Audio = Audio()
    avatar: Avatar | None = None
    memory: Remembering | None = None
    recording: Filming | None = None
    safety: User = User()
    tools: Annotated[tuple[Tool, ...], Field(max_length=MOST_TOOLS)] = ()
    tool_choice: ToolChoice = "auto"

    def whose(self, visitor: str | None) -> str:
        """The user of the conversation: whom the client names, else the ``visitor``; "" if neither has a name."""
        return (self.memory and self.memory.user) or visitor or ""

    def to_json(self, session_id: str) -> Json:
        """The settings as ``session.created`` and ``session.updated`` report them."""
        own = {"id": session_id, "object": "realtime.session", "model": "vasari"}
        return own | {"max_output_tokens": "inf"} | _json(asdict(self))


def detection(turns: Turns) -> TurnDetection:
    """The turn detection for clients that set none, from the configuration's ``turns``."""
    return TurnDetection(
        type=turns.detection,
        threshold=turns.threshold,
        prefix_padding_ms=turns.prefix_padding_ms,
        silence_duration_ms=turns.silence_duration_ms,
    )


def _json(value: Any) -> Any:
    """``value`` with tuples as lists, as in JSON."""
    if isinstance(value, dict):
        return {key: _json(item) for key, item in cast(Json, value).items()}
    return [_json(item) for item in cast(list[Any], value)] if isinstance(value, list | tuple) else value
