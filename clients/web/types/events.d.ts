// Every event of the protocol: companion/protocol/events.py as types. Written by scripts/event_types.py.
// Media events travel as one binary message each on a `realtime.binary` connection, without `delta` or `audio`.

export type Json = Record<string, any>;

export interface Gaze {
  yaw_deg?: number;
  pitch_deg?: number;
}

/** `type` is `invalid_request_error` for the client's mistakes and `server_error` for ours; `request_id` is the connection's, as the server's log names it. */
export interface Problem {
  code: string;
  message: string;
  type: string;
  param: string | null;
  event_id: string | null;
  request_id: string | null;
}

export interface SessionUpdateEvent {
  type: "session.update";
  event_id?: string | null;
  session: Json;
}

export interface InputAudioBufferAppendEvent {
  type: "input_audio_buffer.append";
  event_id?: string | null;
  audio: string;
}

export interface InputAudioBufferCommitEvent {
  type: "input_audio_buffer.commit";
  event_id?: string | null;
}

export interface InputAudioBufferClearEvent {
  type: "input_audio_buffer.clear";
  event_id?: string | null;
}

export interface OutputAudioBufferClearEvent {
  type: "output_audio_buffer.clear";
  event_id?: string | null;
}

export interface ConversationItemCreateEvent {
  type: "conversation.item.create";
  event_id?: string | null;
  item: Json;
  previous_item_id?: string | null;
}

export interface ConversationItemRetrieveEvent {
  type: "conversation.item.retrieve";
  event_id?: string | null;
  item_id: string;
}

export interface ConversationItemDeleteEvent {
  type: "conversation.item.delete";
  event_id?: string | null;
  item_id: string;
}

export interface ConversationItemTruncateEvent {
  type: "conversation.item.truncate";
  event_id?: string | null;
  item_id: string;
  audio_end_ms: number;
  content_index?: number;
}

export interface ResponseCreateEvent {
  type: "response.create";
  event_id?: string | null;
  response?: Json | null;
}

export interface ResponseCancelEvent {
  type: "response.cancel";
  event_id?: string | null;
  response_id?: string | null;
}

/** Wishes from the next chunk on; what is left out stays as it is. Units and signs as in `animator.control`. */
export interface AvatarControlEvent {
  type: "avatar.control";
  event_id?: string | null;
  gaze?: Gaze | null;
  distance?: number | null;
  emotion?: "neutral" | "happy" | "sad" | "angry" | "surprised" | "afraid" | "disgusted" | "tender" | "thoughtful" | null;
  emotion_strength?: number | null;
  amplitude?: number | null;
  articulation?: number | null;
  yaw_deg?: number | null;
  pitch_deg?: number | null;
  roll_deg?: number | null;
  x?: number | null;
  y?: number | null;
}

/** What the client really does. `played_ms` is the pts of the sound that is being heard. */
export interface AvatarPlaybackEvent {
  type: "avatar.playback";
  event_id?: string | null;
  played_ms: number;
  buffered_ms?: number;
  dropped_frames?: number;
  av_offset_ms?: number | null;
}

/** Whether anybody sees the face, as in a tab that is hidden nobody does: if not it is neither drawn nor sent. */
export interface AvatarWatchEvent {
  type: "avatar.watch";
  event_id?: string | null;
  watched: boolean;
}

export interface ErrorEvent {
  type: "error";
  error: Problem;
}

export interface SessionCreatedEvent {
  type: "session.created";
  session: Json;
}

export interface SessionUpdatedEvent {
  type: "session.updated";
  session: Json;
}

export interface SpeechStartedEvent {
  type: "input_audio_buffer.speech_started";
  audio_start_ms: number;
  item_id: string;
}

export interface SpeechStoppedEvent {
  type: "input_audio_buffer.speech_stopped";
  audio_end_ms: number;
  item_id: string;
}

export interface InputAudioBufferCommittedEvent {
  type: "input_audio_buffer.committed";
  item_id: string;
  previous_item_id: string | null;
}

/** Nobody has spoken since the last response was played, for as long as `turn_detection.idle_timeout_ms`. */
export interface InputAudioBufferTimeoutTriggeredEvent {
  type: "input_audio_buffer.timeout_triggered";
  audio_start_ms: number;
  audio_end_ms: number;
  item_id: string;
}

export interface InputAudioBufferClearedEvent {
  type: "input_audio_buffer.cleared";
}

export interface ItemAddedEvent {
  type: "conversation.item.added";
  item: Json;
  previous_item_id: string | null;
}

export interface ItemDoneEvent {
  type: "conversation.item.done";
  item: Json;
  previous_item_id: string | null;
}

export interface ItemRetrievedEvent {
  type: "conversation.item.retrieved";
  item: Json;
}

export interface ItemDeletedEvent {
  type: "conversation.item.deleted";
  item_id: string;
}

export interface ItemTruncatedEvent {
  type: "conversation.item.truncated";
  item_id: string;
  audio_end_ms: number;
  content_index: number;
}

export interface TranscriptionDeltaEvent {
  type: "conversation.item.input_audio_transcription.delta";
  item_id: string;
  delta: string;
  content_index: number;
}

export interface TranscriptionCompletedEvent {
  type: "conversation.item.input_audio_transcription.completed";
  item_id: string;
  transcript: string;
  usage: Json;
  content_index: number;
}

export interface TranscriptionFailedEvent {
  type: "conversation.item.input_audio_transcription.failed";
  item_id: string;
  error: Problem;
  content_index: number;
}

export interface ResponseCreatedEvent {
  type: "response.created";
  response: Json;
}

export interface ResponseDoneEvent {
  type: "response.done";
  response: Json;
}

export interface OutputItemAddedEvent {
  type: "response.output_item.added";
  response_id: string;
  item: Json;
  output_index: number;
}

export interface OutputItemDoneEvent {
  type: "response.output_item.done";
  response_id: string;
  item: Json;
  output_index: number;
}

export interface ContentPartAddedEvent {
  type: "response.content_part.added";
  response_id: string;
  item_id: string;
  output_index: number;
  content_index: number;
  part: Json;
}

export interface ContentPartDoneEvent {
  type: "response.content_part.done";
  response_id: string;
  item_id: string;
  output_index: number;
  content_index: number;
  part: Json;
}

export interface TextDeltaEvent {
  type: "response.output_text.delta";
  response_id: string;
  item_id: string;
  output_index: number;
  content_index: number;
  delta: string;
}

export interface TextDoneEvent {
  type: "response.output_text.done";
  response_id: string;
  item_id: string;
  output_index: number;
  content_index: number;
  text: string;
}

export interface CallArgumentsDeltaEvent {
  type: "response.function_call_arguments.delta";
  response_id: string;
  item_id: string;
  call_id: string;
  output_index: number;
  delta: string;
}

export interface CallArgumentsDoneEvent {
  type: "response.function_call_arguments.done";
  response_id: string;
  item_id: string;
  call_id: string;
  output_index: number;
  name: string;
  arguments: string;
}

export interface AudioDeltaEvent {
  type: "response.output_audio.delta";
  response_id: string;
  item_id: string;
  output_index: number;
  content_index: number;
  delta: string;
  pts_ms: number;
}

export interface AudioDoneEvent {
  type: "response.output_audio.done";
  response_id: string;
  item_id: string;
  output_index: number;
  content_index: number;
}

export interface AudioTranscriptDeltaEvent {
  type: "response.output_audio_transcript.delta";
  response_id: string;
  item_id: string;
  output_index: number;
  content_index: number;
  delta: string;
}

export interface AudioTranscriptDoneEvent {
  type: "response.output_audio_transcript.done";
  response_id: string;
  item_id: string;
  output_index: number;
  content_index: number;
  transcript: string;
}

export interface AudioTimestampDeltaEvent {
  type: "response.audio_timestamp.delta";
  response_id: string;
  item_id: string;
  output_index: number;
  content_index: number;
  text: string;
  audio_offset_ms: number;
  audio_duration_ms: number;
  timestamp_type: "word";
}

export interface AudioTimestampDoneEvent {
  type: "response.audio_timestamp.done";
  response_id: string;
  item_id: string;
  output_index: number;
  content_index: number;
}

export interface OutputAudioStartedEvent {
  type: "output_audio_buffer.started";
  response_id: string;
}

export interface OutputAudioStoppedEvent {
  type: "output_audio_buffer.stopped";
  response_id: string;
}

export interface OutputAudioClearedEvent {
  type: "output_audio_buffer.cleared";
  response_id: string;
}

/** One encoded frame. `response_id` is null while the face idles or listens. */
export interface VideoDeltaEvent {
  type: "response.video.delta";
  delta: string;
  codec: string;
  codec_string: string;
  pts_ms: number;
  duration_ms: number;
  keyframe: boolean;
  width: number;
  height: number;
  response_id: string | null;
}

export interface VideoDoneEvent {
  type: "response.video.done";
  response_id: string;
}

export interface SwitchToSpeakingEvent {
  type: "session.avatar.switch_to_speaking";
}

export interface SwitchToIdleEvent {
  type: "session.avatar.switch_to_idle";
}

export interface AvatarStateEvent {
  type: "avatar.state";
  state: "initializing" | "idle" | "listening" | "thinking" | "speaking";
}

/** `crisis`: the user may be in danger, roles end, `resources` are to be shown; `concern`: perhaps somebody is, and `message` asks whether; `disclosure`: this is an AI; `break`: it is time for one. `message` is for the user's eyes. `about`: the danger, `suicide`, `medical`, `abuse`, `violence`, `intruder`, `child`, `eating` or `psychosis`. */
export interface AvatarSafetyEvent {
  type: "avatar.safety";
  kind: "crisis" | "concern" | "disclosure" | "break";
  message: string;
  resources: Json[];
  note: string;
  about: string;
}

/** After each attempt at a question of a lesson: `item` of `items` is the one that stands now (from 0), `solved` were answered rightly, `goals` are those reached, `right` is about the last attempt. */
export interface AvatarProgressEvent {
  type: "avatar.progress";
  lesson: string;
  item: number;
  items: number;
  solved: number;
  right: boolean;
  goals: string[];
  over: boolean;
}

/** Latencies of one turn in ms, each from the end of the user's speech (or from the request for typed text). */
export interface AvatarMetricsEvent {
  type: "avatar.metrics";
  response_id: string;
  ms: Record<string, number>;
}

/** The machine was too busy: from `pts_ms` on nothing is sent for `delay_ms` of the output clock. Who speaks goes on after it. */
export interface AvatarDelayedEvent {
  type: "avatar.delayed";
  pts_ms: number;
  delay_ms: number;
}

export type ClientEvent =
  | SessionUpdateEvent
  | InputAudioBufferAppendEvent
  | InputAudioBufferCommitEvent
  | InputAudioBufferClearEvent
  | OutputAudioBufferClearEvent
  | ConversationItemCreateEvent
  | ConversationItemRetrieveEvent
  | ConversationItemDeleteEvent
  | ConversationItemTruncateEvent
  | ResponseCreateEvent
  | ResponseCancelEvent
  | AvatarControlEvent
  | AvatarPlaybackEvent
  | AvatarWatchEvent;

export type ServerEvent =
  | ErrorEvent
  | SessionCreatedEvent
  | SessionUpdatedEvent
  | SpeechStartedEvent
  | SpeechStoppedEvent
  | InputAudioBufferCommittedEvent
  | InputAudioBufferTimeoutTriggeredEvent
  | InputAudioBufferClearedEvent
  | ItemAddedEvent
  | ItemDoneEvent
  | ItemRetrievedEvent
  | ItemDeletedEvent
  | ItemTruncatedEvent
  | TranscriptionDeltaEvent
  | TranscriptionCompletedEvent
  | TranscriptionFailedEvent
  | ResponseCreatedEvent
  | ResponseDoneEvent
  | OutputItemAddedEvent
  | OutputItemDoneEvent
  | ContentPartAddedEvent
  | ContentPartDoneEvent
  | TextDeltaEvent
  | TextDoneEvent
  | CallArgumentsDeltaEvent
  | CallArgumentsDoneEvent
  | AudioDeltaEvent
  | AudioDoneEvent
  | AudioTranscriptDeltaEvent
  | AudioTranscriptDoneEvent
  | AudioTimestampDeltaEvent
  | AudioTimestampDoneEvent
  | OutputAudioStartedEvent
  | OutputAudioStoppedEvent
  | OutputAudioClearedEvent
  | VideoDeltaEvent
  | VideoDoneEvent
  | SwitchToSpeakingEvent
  | SwitchToIdleEvent
  | AvatarStateEvent
  | AvatarSafetyEvent
  | AvatarProgressEvent
  | AvatarMetricsEvent
  | AvatarDelayedEvent;
