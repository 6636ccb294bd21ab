"""Every event of the protocol, as frozen dataclasses. Names and fields are OpenAI Realtime's (GA), then Azure Voice
Live's, and only then our own (``avatar.``). Media travel as bytes here; `companion.protocol.codec` decides how they
are sent.

Times named ``_ms`` are milliseconds: ``pts_ms`` on the session's output clock, ``audio_start_ms`` and ``audio_end_ms``
of the input buffer in received samples, ``audio_offset_ms`` from the start of the item's sound.
"""

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from animator.control import Emotion

Json = dict[str, Any]
Unit = Annotated[float, Field(ge=-1.0, le=1.0)]
Amplitude = Annotated[float, Field(ge=0.0, le=1.5)]
Articulation = Annotated[float, Field(ge=0.5, le=1.5)]
Milliseconds = Annotated[float, Field(ge=0.0, le=1e12)]
Angle = Annotated[float, Field(ge=-30.0, le=30.0)]


@dataclass(frozen=True, slots=True)
class ClientEvent:
    type: ClassVar[str]
    event_id: str | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class SessionUpdate(ClientEvent):
    type: ClassVar[str] = "session.update"
    session: Json


@dataclass(frozen=True, slots=True)
class InputAudioBufferAppend(ClientEvent):
    type: ClassVar[str] = "input_audio_buffer.append"
    audio: bytes  # PCM16 little endian mono, at the session's input rate


@dataclass(frozen=True, slots=True)
class InputAudioBufferCommit(ClientEvent):
    type: ClassVar[str] = "input_audio_buffer.commit"


@dataclass(frozen=True, slots=True)
class InputAudioBufferClear(ClientEvent):
    type: ClassVar[str] = "input_audio_buffer.clear"


@dataclass(frozen=True, slots=True)
class OutputAudioBufferClear(ClientEvent):
    type: ClassVar[str] = "output_audio_buffer.clear"


@dataclass(frozen=True, slots=True)
class ConversationItemCreate(ClientEvent):
    type: ClassVar[str] = "conversation.item.create"
    item: Json
    previous_item_id: str | None = None


@dataclass(frozen=True, slots=True)
class ConversationItemRetrieve(ClientEvent):
    type: ClassVar[str] = "conversation.item.retrieve"
    item_id: str


@dataclass(frozen=True, slots=True)
class ConversationItemDelete(ClientEvent):
    type: ClassVar[str] = "conversation.item.delete"
    item_id: str


@dataclass(frozen=True, slots=True)
class ConversationItemTruncate(ClientEvent):
    type: ClassVar[str] = "conversation.item.truncate"
    item_id: str
    audio_end_ms: Annotated[int, Field(ge=0, le=10**9)]
    content_index: int = 0


@dataclass(frozen=True, slots=True)
class ResponseCreate(ClientEvent):
    type: ClassVar[str] = "response.create"
    response: Json | None = None


@dataclass(frozen=True, slots=True)
class ResponseCancel(ClientEvent):
    type: ClassVar[str] = "response.cancel"
    response_id: str | None = None


@dataclass(frozen=True, slots=True)
class Gaze:
    yaw_deg: Angle = 0.0
    pitch_deg: Angle = 0.0


@dataclass(frozen=True, slots=True)
class AvatarControl(ClientEvent):
    """Wishes from the next chunk on; what is left out stays as it is. Units and signs as in `animator.control`."""

    type: ClassVar[str] = "avatar.control"
    gaze: Gaze | None = None
    distance: Annotated[float, Field(ge=0.7, le=1.4)] | None = None
    emotion: Emotion | None = None
    emotion_strength: Amplitude | None = None
    amplitude: Amplitude | None = None
    articulation: Articulation | None = None
    yaw_deg: Angle | None = None
    pitch_deg: Angle | None = None
    roll_deg: Angle | None = None
    x: Unit | None = None
    y: Unit | None = None


@dataclass(frozen=True, slots=True)
class AvatarPlayback(ClientEvent):
    """What the client really does. ``played_ms`` is the pts of the sound that is being heard."""

    type: ClassVar[str] = "avatar.playback"
    played_ms: Milliseconds
    buffered_ms: Milliseconds = 0.0
    dropped_frames: Annotated[int, Field(ge=0)] = 0
    av_offset_ms: float | None = None


@dataclass(frozen=True, slots=True)
class AvatarWatch(ClientEvent):
    """Whether anybody sees the face, as in a tab that is hidden nobody does: if not it is neither drawn nor sent."""

    type: ClassVar[str] = "avatar.watch"
    watched: bool


CLIENT_EVENTS: dict[str, type[ClientEvent]] = {
    kind.type: kind
    for kind in (
        SessionUpdate,
        InputAudioBufferAppend,
        InputAudioBufferCommit,
        InputAudioBufferClear,
        OutputAudioBufferClear,
        ConversationItemCreate,
        ConversationItemRetrieve,
        ConversationItemDelete,
        ConversationItemTruncate,
        ResponseCreate,
        ResponseCancel,
        AvatarControl,
        AvatarPlayback,
        AvatarWatch,
    )
}


@dataclass(frozen=True, slots=True)
class ServerEvent:
    type: ClassVar[str]


@dataclass(frozen=True, slots=True)
class Problem:
    """``type`` is ``invalid_request_error`` for the client's mistakes and ``server_error`` for ours; ``request_id`` is
    the connection's, as the server's log names it."""

    code: str
    message: str
    type: str = "invalid_request_error"
    param: str | None = None
    event_id: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Error(ServerEvent):
    type: ClassVar[str] = "error"
    error: Problem


@dataclass(frozen=True, slots=True)
class SessionCreated(ServerEvent):
    type: ClassVar[str] = "session.created"
    session: Json


@dataclass(frozen=True, slots=True)
class SessionUpdated(ServerEvent):
    type: ClassVar[str] = "session.updated"
    session: Json


@dataclass(frozen=True, slots=True)
class SpeechStarted(ServerEvent):
    type: ClassVar[str] = "input_audio_buffer.speech_started"
    audio_start_ms: int
    item_id: str


@dataclass(frozen=True, slots=True)
class SpeechStopped(ServerEvent):
    type: ClassVar[str] = "input_audio_buffer.speech_stopped"
    audio_end_ms: int
    item_id: str


@dataclass(frozen=True, slots=True)
class InputAudioBufferCommitted(ServerEvent):
    type: ClassVar[str] = "input_audio_buffer.committed"
    item_id: str
    previous_item_id: str | None


@dataclass(frozen=True, slots=True)
class InputAudioBufferTimeoutTriggered(ServerEvent):
    """Nobody has spoken since the last response was played, for as long as ``turn_detection.idle_timeout_ms``."""

    type: ClassVar[str] = "input_audio_buffer.timeout_triggered"
    audio_start_ms: int
    audio_end_ms: int
    item_id: str


@dataclass(frozen=True, slots=True)
class InputAudioBufferCleared(ServerEvent):
    type: ClassVar[str] = "input_audio_buffer.cleared"


@dataclass(frozen=True, slots=True)
class ItemAdded(ServerEvent):
    type: ClassVar[str] = "conversation.item.added"
    item: Json
    previous_item_id: str | None


@dataclass(frozen=True, slots=True)
class ItemDone(ServerEvent):
    type: ClassVar[str] = "conversation.item.done"
    item: Json
    previous_item_id: str | None


@dataclass(frozen=True, slots=True)
class ItemRetrieved(ServerEvent):
    type: ClassVar[str] = "conversation.item.retrieved"
    item: Json


@dataclass(frozen=True, slots=True)
class ItemDeleted(ServerEvent):
    type: ClassVar[str] = "conversation.item.deleted"
    item_id: str


@dataclass(frozen=True, slots=True)
class ItemTruncated(ServerEvent):
    type: ClassVar[str] = "conversation.item.truncated"
    item_id: str
    audio_end_ms: int
    content_index: int = 0


@dataclass(frozen=True, slots=True)
class TranscriptionDelta(ServerEvent):
    type: ClassVar[str] = "conversation.item.input_audio_transcription.delta"
    item_id: str
    delta: str
    content_index: int = 0


@dataclass(frozen=True, slots=True)
class TranscriptionCompleted(ServerEvent):
    type: ClassVar[str] = "conversation.item.input_audio_transcription.completed"
    item_id: str
    transcript: str
    usage: Json
    content_index: int = 0


@dataclass(frozen=True, slots=True)
class TranscriptionFailed(ServerEvent):
    type: ClassVar[str] = "conversation.item.input_audio_transcription.failed"
    item_id: str
    error: Problem
    content_index: int = 0


@dataclass(frozen=True, slots=True)
class ResponseCreated(ServerEvent):
    type: ClassVar[str] = "response.created"
    response: Json


@dataclass(frozen=True, slots=True)
class ResponseDone(ServerEvent):
    type: ClassVar[str] = "response.done"
    response: Json


@dataclass(frozen=True, slots=True)
class OutputItemAdded(ServerEvent):
    type: ClassVar[str] = "response.output_item.added"
    response_id: str
    item: Json
    output_index: int = 0


@dataclass(frozen=True, slots=True)
class OutputItemDone(ServerEvent):
    type: ClassVar[str] = "response.output_item.done"
    response_id: str
    item: Json
    output_index: int = 0


@dataclass(frozen=True, slots=True)
class PartEvent(ServerEvent):
    """Which item and part of a response an event is about; there is one item with one part."""

    response_id: str
    item_id: str
    output_index: int = field(default=0, kw_only=True)
    content_index: int = field(default=0, kw_only=True)


@dataclass(frozen=True, slots=True)
class ContentPartAdded(PartEvent):
    type: ClassVar[str] = "response.content_part.added"
    part: Json


@dataclass(frozen=True, slots=True)
class ContentPartDone(PartEvent):
    type: ClassVar[str] = "response.content_part.done"
    part: Json


@dataclass(frozen=True, slots=True)
class TextDelta(PartEvent):
    type: ClassVar[str] = "response.output_text.delta"
    delta: str


@dataclass(frozen=True, slots=True)
class TextDone(PartEvent):
    type: ClassVar[str] = "response.output_text.done"
    text: str


@dataclass(frozen=True, slots=True)
class CallEvent(ServerEvent):
    """Which call of a response it is about."""

    response_id: str
    item_id: str
    call_id: str
    output_index: int


@dataclass(frozen=True, slots=True)
class CallArgumentsDelta(CallEvent):
    type: ClassVar[str] = "response.function_call_arguments.delta"
    delta: str


@dataclass(frozen=True, slots=True)
class CallArgumentsDone(CallEvent):
    type: ClassVar[str] = "response.function_call_arguments.done"
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class AudioDelta(PartEvent):
    type: ClassVar[str] = "response.output_audio.delta"
    delta: bytes  # PCM16 little endian mono, 24 kHz
    pts_ms: float


@dataclass(frozen=True, slots=True)
class AudioDone(PartEvent):
    type: ClassVar[str] = "response.output_audio.done"


@dataclass(frozen=True, slots=True)
class AudioTranscriptDelta(PartEvent):
    type: ClassVar[str] = "response.output_audio_transcript.delta"
    delta: str


@dataclass(frozen=True, slots=True)
class AudioTranscriptDone(PartEvent):
    type: ClassVar[str] = "response.output_audio_transcript.done"
    transcript: str


@dataclass(frozen=True, slots=True)
class AudioTimestampDelta(PartEvent):
    type: ClassVar[str] = "response.audio_timestamp.delta"
    text: str
    audio_offset_ms: int
    audio_duration_ms: int
    timestamp_type: Literal["word"] = "word"


@dataclass(frozen=True, slots=True)
class AudioTimestampDone(PartEvent):
    type: ClassVar[str] = "response.audio_timestamp.done"


@dataclass(frozen=True, slots=True)
class OutputAudioStarted(ServerEvent):
    type: ClassVar[str] = "output_audio_buffer.started"
    response_id: str


@dataclass(frozen=True, slots=True)
class OutputAudioStopped(ServerEvent):
    type: ClassVar[str] = "output_audio_buffer.stopped"
    response_id: str


@dataclass(frozen=True, slots=True)
class OutputAudioCleared(ServerEvent):
    type: ClassVar[str] = "output_audio_buffer.cleared"
    response_id: str


@dataclass(frozen=True, slots=True)
class VideoDelta(ServerEvent):
    """One encoded frame. ``response_id`` is null while the face idles or listens."""

    type: ClassVar[str] = "response.video.delta"
    delta: bytes
    codec: str
    codec_string: str  # for WebCodecs, e.g. "avc1.42E01F"
    pts_ms: float
    duration_ms: float
    keyframe: bool
    width: int
    height: int
    response_id: str | None


@dataclass(frozen=True, slots=True)
class VideoDone(ServerEvent):
    type: ClassVar[str] = "response.video.done"
    response_id: str


@dataclass(frozen=True, slots=True)
class SwitchToSpeaking(ServerEvent):
    type: ClassVar[str] = "session.avatar.switch_to_speaking"


@dataclass(frozen=True, slots=True)
class SwitchToIdle(ServerEvent):
    type: ClassVar[str] = "session.avatar.switch_to_idle"


@dataclass(frozen=True, slots=True)
class AvatarState(ServerEvent):
    type: ClassVar[str] = "avatar.state"
    state: Literal["initializing", "idle", "listening", "thinking", "speaking"]


@dataclass(frozen=True, slots=True)
class AvatarSafety(ServerEvent):
    """``crisis``: the user may be in danger, roles end, ``resources`` are to be shown; ``concern``: perhaps somebody
    is, and ``message`` asks whether; ``disclosure``: this is an AI; ``break``: it is time for one. ``message`` is for
    the user's eyes. ``about``: the danger, ``suicide``, ``medical``, ``abuse``, ``violence``, ``intruder``, ``child``,
    ``eating`` or ``psychosis``."""

    type: ClassVar[str] = "avatar.safety"
    kind: Literal["crisis", "concern", "disclosure", "break"]
    message: str
    resources: list[Json] = field(default_factory=list[Json])  # {"name", "call", "text", "url", "emergency", ...}
    note: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class AvatarProgress(ServerEvent):
    """After each attempt at a question of a lesson: ``item`` of ``items`` is the one that stands now (from 0),
    ``solved`` were answered rightly, ``goals`` are those reached, ``right`` is about the last attempt."""

    type: ClassVar[str] = "avatar.progress"
    lesson: str
    item: int
    items: int
    solved: int
    right: bool
    goals: tuple[str, ...]
    over: bool


@dataclass(frozen=True, slots=True)
class AvatarMetrics(ServerEvent):
    """Latencies of one turn in ms, each from the end of the user's speech (or from the request for typed text)."""

    type: ClassVar[str] = "avatar.metrics"
    response_id: str
    ms: dict[str, float]


@dataclass(frozen=True, slots=True)
class AvatarDelayed(ServerEvent):
    """The machine was too busy: from ``pts_ms`` on nothing is sent for ``delay_ms`` of the output clock. Who speaks
    goes on after it."""

    type: ClassVar[str] = "avatar.delayed"
    pts_ms: float
    delay_ms: float


SERVER_EVENTS: dict[str, type[ServerEvent]] = {
    kind.type: kind
    for kind in tuple(vars().values())
    if isinstance(kind, type) and issubclass(kind, ServerEvent) and "type" in vars(kind)
}
