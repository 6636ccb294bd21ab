// The public face of `vasari-avatar`. tests/public.ts checks the code against it.
import type { AvatarControlEvent, ClientEvent, ServerEvent } from "./events.js";

export type * from "./events.js";

/** Of the connection. "waiting": there is none, and another attempt follows. */
export type Status = "connecting" | "open" | "waiting" | "closed";

/** What the face does. */
export type State = "initializing" | "idle" | "listening" | "thinking" | "speaking";

export type Emotion = NonNullable<AvatarControlEvent["emotion"]>;

/** Where the eyes look, in degrees from the camera, -30 to 30: to the viewer's right, and up. */
export interface Gaze {
  yaw_deg: number;
  pitch_deg: number;
}

/** As who the visitor agrees to be remembered. */
export interface Memory {
  user: string;
  consent: boolean;
}

/** Whose helplines are shown (ISO 3166), and whether the visitor is a child or a teenager. */
export interface Safety {
  country?: string;
  minor?: boolean;
}

/** A function that the face's language model may call. What `run` returns, or throws, is told to it as JSON. */
export interface Tool {
  name: string;
  description?: string;
  /** A JSON schema of the arguments. */
  parameters?: Record<string, unknown>;
  run(args: any): unknown;
}

/** Something that one of both sides said. */
export interface Line {
  id: string;
  role: "user" | "assistant";
  /** Empty in a `final` line: it is withdrawn. */
  text: string;
  final: boolean;
  interrupted: boolean;
  /** How many characters of `text` have been spoken so far. */
  heard: number;
}

/** What came of `ask` or `say`. `text` is what was really said. */
export interface Answer {
  text: string;
  status: "completed" | "cancelled" | "incomplete";
}

/** `message` is one plain sentence for the visitor. `code` is the server's, or "not_connected", "connection_lost", "no_sound",
 * "no_loudspeaker", or one of a `MicrophoneError`. */
export interface Trouble {
  code: string;
  message: string;
}

export interface StatusDetail {
  status: Status;
  /** Of "waiting": when the next attempt is, in ms. */
  retryIn?: number;
  /** Of "waiting" and "closed": the server's words, if it gave any. */
  reason?: string;
  code?: string;
  /** There was no session at all. */
  refused?: boolean;
  /** Of "open": the conversation that was going on when the line was lost goes on; else a new one begins. */
  resumed?: boolean;
}

export interface Devices {
  microphones: MediaDeviceInfo[];
  /** Empty where the browser does not let a page choose. */
  loudspeakers: MediaDeviceInfo[];
}

/** Figures of the session. */
export interface Stats {
  status: Status;
  state: State;
  listening: boolean;
  drawn: number;
  dropped_frames: number;
  /** How often media came after its moment. */
  late: number;
  codec: string;
  /** On the session's clock, as heard; null before any media. */
  position_ms: number | null;
  /** By how much what is heard and seen is older than what has come. */
  behind_ms: number | null;
  heard: { item: string | null; ms: number };
  buffered_ms: number;
  /** The picture's time less the sound's at the median; null until speech was heard. */
  av_offset_ms: number | null;
  av_offset_p95_ms: number | null;
  audio_peak: number;
  audio_running: boolean;
}

export interface VasariAvatarEventMap {
  "vasari-status": CustomEvent<StatusDetail>;
  "vasari-state": CustomEvent<{ state: State }>;
  "vasari-caption": CustomEvent<Line>;
  "vasari-microphone": CustomEvent<{ on: boolean }>;
  "vasari-press": CustomEvent<{ on: boolean }>;
  "vasari-devices": CustomEvent<Devices>;
  /** The dialog of `showSettings` was closed. */
  "vasari-settled": CustomEvent<null>;
  "vasari-tool": CustomEvent<{ name: string; arguments: any }>;
  "vasari-error": CustomEvent<Trouble>;
  "vasari-event": CustomEvent<ServerEvent>;
}

type Listener<E> = ((this: VasariAvatar, event: E) => unknown) | { handleEvent(event: E): unknown };

/** `<vasari-avatar>`: a face that hears and answers. */
export class VasariAvatar extends HTMLElement {
  /** Attribute: the server's websocket; with it, the element connects by itself. Default: /v1/realtime of the page's host. */
  src: string | null;
  /** Attribute: a name of GET /v1/characters, or the id of an uploaded picture. */
  character: string | null;
  /** Attribute: who answers, a name of GET /v1/personas. */
  persona: string | null;
  /** Attribute: a name of GET /v1/voices; without it, the persona's own. */
  voice: string | null;
  /** Attribute: a picture to show until the face moves. */
  poster: string | null;
  /** Attribute: how the server is reached, from the next `connect` on. "webrtc", for networks that lose packets, needs a server
   * with that extra. Default: "websocket". */
  transport: "websocket" | "webrtc";
  /** Attribute: a button to talk, a line to write, settings. */
  controls: boolean;
  /** Attribute: what is said, over the picture, word by word. */
  captions: boolean;
  /** Attribute: show the face in a `<video>` (`::part(video)`), with the browser's own menu for such. The voice stays the page's. */
  video: boolean;
  /** Attribute `push-to-talk`: the microphone is heard only while a button is held, or between `press` and `release`. */
  pushToTalk: boolean;
  /** Attribute. */
  emotion: Emotion;
  /** Attribute `gaze="YAW PITCH"`. */
  gaze: Gaze;
  /** Of the server, where it asks for one: better a short-lived client secret. */
  key: string;
  /** Take the place of the persona's, if given. */
  instructions: string;
  tools: Tool[];
  memory: Memory | null;
  /** To be recorded, on a server that keeps recordings; `consent: false` deletes what was recorded, null ends it. */
  recording: { consent: boolean; log?: boolean } | null;
  safety: Safety | null;
  /** 0 to 1. */
  volume: number;
  muted: boolean;
  /** Id of the microphone that is used while it is there; "" is the system's own choice. */
  microphone: string;
  /** The same for the loudspeaker, where the browser lets a page choose. */
  loudspeaker: string;
  readonly status: Status;
  readonly state: State;
  /** The face and, once sound is allowed, its voice, to show in a `<video>` of your own, to record or to send on. From the first
   * use on it also goes on while the page is hidden. Set `muted` where you play the voice yourself. */
  readonly stream: MediaStream;
  /** Whether the microphone is on. */
  readonly listening: boolean;
  /** Peak of the microphone's last 20 ms, 0 to 1. */
  readonly level: number;
  /** Between `press` and `release`. */
  readonly isPressed: boolean;

  /** Open the session, and open it again whenever it is lost, until `disconnect`. */
  connect(): void;
  /** Do not wait for the next attempt. */
  reconnect(): void;
  disconnect(): void;
  /** Listen to the microphone from now on. Call it in a gesture. Rejects with a MicrophoneError. */
  talk(): Promise<void>;
  /** Stop listening; the face goes on. */
  stop(): void;
  /** With `pushToTalk`: begin to speak, which interrupts the face. Rejects with a MicrophoneError. */
  press(): Promise<void>;
  /** With `pushToTalk`: it is the face's turn. */
  release(): void;
  /** Make the face stop talking, now. */
  interrupt(): void;
  /** Say something in writing, and wait for the answer. Rejects with an AvatarError. */
  ask(text: string): Promise<Answer>;
  /** Let the face say `text` word for word. Rejects with an AvatarError. */
  say(text: string): Promise<Answer>;
  /** Send any event of the protocol. False when there is no connection. */
  send(event: ClientEvent): boolean;
  /** What can be chosen; names are empty until the visitor has allowed the microphone. */
  devices(): Promise<Devices>;
  /** Show the dialog that chooses microphone, loudspeaker and how to talk. */
  showSettings(): void;
  /** Show the face in a small window above all others, where it goes on when the page is hidden; sets `video`. Call it in a
   * gesture. Rejects with an AvatarError "no_window" where pages may not open one (Firefox: its button on the video does). */
  pictureInPicture(): Promise<PictureInPictureWindow>;
  /** Allow sound; any click or key on the page does it too. */
  unlock(): Promise<void>;
  stats(): Stats;

  addEventListener<K extends keyof VasariAvatarEventMap>(
    type: K,
    listener: Listener<VasariAvatarEventMap[K]>,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener<K extends keyof HTMLElementEventMap>(
    type: K,
    listener: Listener<HTMLElementEventMap[K]>,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener(
    type: string,
    listener: Listener<any> | EventListenerOrEventListenerObject,
    options?: boolean | EventListenerOptions,
  ): void;
}

export class AvatarError extends Error {
  constructor(code: string, message: string);
  readonly code: string;
}

/** Why the microphone cannot be had, in one plain sentence that says what to do. `code`: "insecure", "embedded" (in a frame
 * without `allow="microphone"`), "dismissed", "refused", "system", "missing", "busy" or "failed". */
export class MicrophoneError extends AvatarError {}

/** "granted", "denied", "prompt", or "insecure" where the page may not ask at all. */
export function microphonePermission(): Promise<PermissionState | "insecure">;

declare global {
  interface HTMLElementTagNameMap {
    "vasari-avatar": VasariAvatar;
  }
}
