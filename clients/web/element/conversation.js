// One conversation with the server: what is sent, what comes, and what of it was heard. No page in here, but for the
// player's canvas.
import { refusal } from "./access.js";
import { Asks } from "./asks.js";
import { Captions } from "./captions.js";
import { Connection } from "./connection.js";
import { AvatarError } from "./errors.js";
import { Player } from "./player.js";
import { StreamPlayer } from "./stream-player.js";
import { declared, run } from "./tools.js";

/** @typedef {import("../types/vasari.js").ClientEvent} ClientEvent */
/** @typedef {import("../types/vasari.js").Json} Json */
/** @typedef {import("../types/vasari.js").ServerEvent} ServerEvent */
/** @typedef {import("../types/vasari.js").State} State */
/** @typedef {import("../types/vasari.js").Status} Status */
/** @typedef {import("../types/vasari.js").StatusDetail} StatusDetail */

/**
 * @typedef {object} Owner
 * @property {(name: string, detail: unknown) => void} emit one of the element's events, without "vasari-"
 * @property {() => import("../types/vasari.js").Tool[]} tools
 * @property {() => Promise<Json>} settings what the session is asked for as it begins
 * @property {(fresh: boolean) => void} showFace whether what is drawn is the face that was asked for
 * @property {() => boolean} isWatched whether anybody sees the face
 * @property {() => void} loseFace the server does not have (any more) the face that was asked for
 */

const REPORT_EVERY = 200; // ms
const TRACK_DELAY = 250; // ms by which events overtake the sound of a track at most

/**
 * @param {import("../types/vasari.js").Tool[]} tools
 * @returns {ClientEvent}
 */
const toolsUpdate = (tools) => ({ type: "session.update", session: { type: "realtime", tools: declared(tools) } });

const newId = () => `item_${crypto.getRandomValues(new Uint32Array(3)).join("")}`.slice(0, 32);

export class Conversation {
  #owner;
  #canvas;
  /** @type {Connection | null} */
  #connection = null;
  #captions;
  #asks;
  /** @type {Map<string, string>} */
  #heard = new Map(); // item id -> what was heard of it
  /** @type {{ response: string, call: string, name: string, args: string }[]} */
  #calls = []; // of the page's functions, until their response is done
  #answering = false; // a response has begun and is not done
  /** @type {Map<string, { item: string, end: number }>} */
  #sounding = new Map(); // response id -> whose sound it is, and where it ends in ms
  /** @type {{ item: string | null, ms: number }} */
  #lostAt = { item: null, ms: 0 }; // what was heard when the line was lost
  #reporting = 0;
  #newest = 0; // pts in ms of the newest picture that came
  #agreed = false; // the server took the face that was asked for
  #aliveFrom = Infinity; // pts in ms from which pictures show the face that was asked for
  /** @type {Status} */
  status = "closed";
  /** @type {State} */
  state = "initializing";

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Owner} owner
   */
  constructor(canvas, owner) {
    this.#owner = owner;
    this.#canvas = canvas;
    /** @type {Player | StreamPlayer} */
    this.player = new Player(canvas);
    this.player.onDraw = (pts) => this.#drawn(pts);
    this.#captions = new Captions((line) => {
      if (line.role === "assistant") this.#heard.set(line.id, line.text);
      owner.emit("caption", line);
    });
    this.#asks = new Asks((item) => this.#heard.get(item) ?? "");
  }

  get isOpen() {
    return this.#connection?.isOpen ?? false;
  }

  /** Whether there is, or will be, a session. */
  get isWanted() {
    return this.#connection !== null;
  }

  /**
   * Open the session, and open it again whenever it is lost, until `close`.
   * @param {string} url
   * @param {string} key
   * @param {"websocket" | "webrtc"} transport
   */
  open(url, key, transport) {
    if (this.#connection) return;
    this.#playBy(transport);
    const connection = (this.#connection = new Connection(url, key, transport));
    connection.onStatus = (detail) => this.#statusChanged(detail, key);
    connection.onEvent = (event) => this.#received(event);
    connection.onMedia = (header, bytes) => this.#media(header, bytes);
    connection.onStream = (stream) => this.player instanceof StreamPlayer && this.player.show(stream);
    connection.open();
    this.player.start();
    this.#reporting = setInterval(() => this.#reportPlayback(), REPORT_EVERY);
  }

  /** @param {"websocket" | "webrtc"} transport */
  #playBy(transport) {
    const kind = transport === "webrtc" ? StreamPlayer : Player;
    if (this.player instanceof kind) return;
    const { volume, muted } = this.player;
    this.player = Object.assign(new kind(this.#canvas), { volume, muted, onDraw: (/** @type {number} */ pts) => this.#drawn(pts) });
  }

  /** Do not wait for the next attempt. */
  reopen() {
    if (this.status === "waiting" || this.status === "closed") this.#connection?.open();
  }

  rest() {
    this.#connection?.rest();
  }

  close() {
    clearInterval(this.#reporting);
    this.#connection?.close();
    this.#connection = null;
    this.player.stop();
  }

  /** @param {ClientEvent} event */
  send(event) {
    return this.#connection?.send(event) ?? false;
  }

  /** @param {Json} session changes */
  update(session) {
    return this.send({ type: "session.update", session: { type: "realtime", ...session } });
  }

  /** @param {ArrayBuffer} pcm */
  hear(pcm) {
    this.#connection?.sendMedia({ type: "input_audio_buffer.append" }, pcm);
  }

  /**
   * The microphone's track, or null while it is off, for a server that is sent tracks.
   * @param {MediaStreamTrack | null} track
   */
  lend(track) {
    this.#connection?.lend(track);
  }

  /** What was heard since the last turn is the user's turn. */
  async commit() {
    if (this.player instanceof StreamPlayer) await new Promise((resolve) => setTimeout(resolve, TRACK_DELAY));
    this.send({ type: "input_audio_buffer.commit" });
    this.send({ type: "response.create" });
  }

  /** @param {string} text */
  async ask(text) {
    const id = newId();
    const item = { id, type: "message", role: "user", content: [{ type: "input_text", text }] };
    this.interrupt();
    this.#mustSend({ type: "conversation.item.create", item });
    this.#captions.typed(id, text);
    return this.#respond(id, {});
  }

  /** @param {string} text */
  async say(text) {
    this.interrupt();
    const message = { type: "message", role: "assistant", content: [{ type: "text", text }] };
    return this.#respond(newId(), { pre_generated_assistant_message: message });
  }

  /** Make the face stop talking, now. */
  interrupt() {
    if (this.state === "speaking" || this.state === "thinking") this.send({ type: "response.cancel" });
    this.#forgetHeard();
    for (const response of [...this.#sounding.keys()]) this.#flush(response);
  }

  /** Another face is asked for: what is drawn until it appears is not that. */
  expectFace() {
    this.#owner.showFace(false);
    this.#aliveFrom = Infinity;
    this.#agreed = false;
  }

  /**
   * @param {string} id of what is asked
   * @param {Json} response
   */
  #respond(id, response) {
    this.#mustSend({ type: "response.create", event_id: id, response: { ...response, metadata: { ask: id } } });
    return this.#asks.wait(id);
  }

  /** @param {ClientEvent} event */
  #mustSend(event) {
    if (!this.send(event)) throw new AvatarError("not_connected", "Not sent: the server is away.");
  }

  /**
   * @param {StatusDetail} detail
   * @param {string} key
   */
  #statusChanged(detail, key) {
    this.status = detail.status;
    if (detail.status === "waiting" || detail.status === "closed") this.#lost();
    if (detail.status === "open" && detail.resumed) this.#tellHeard();
    if (detail.status === "open") this.#lostAt = { item: null, ms: 0 };
    this.#owner.emit("status", detail);
    if (detail.refused && !detail.reason) this.#explain(detail, key);
  }

  /** The server can only guess how much of its last words came over the line that was lost. */
  #tellHeard() {
    const { item, ms } = this.#lostAt;
    if (item) this.send({ type: "conversation.item.truncate", item_id: item, content_index: 0, audio_end_ms: Math.round(ms) });
  }

  #lost() {
    this.#forgetHeard();
    const { heard } = this.player;
    for (const { item } of this.#sounding.values()) {
      if (item !== heard.item) continue;
      this.#lostAt = heard;
      this.#breakOff(item, heard.ms);
    }
    this.player.reset();
    this.#sounding.clear();
    this.#calls = [];
    this.#answering = this.player.hushed = false;
    this.#newest = 0;
    this.expectFace();
    this.#setState("initializing");
    this.#asks.lose();
  }

  /**
   * Say why there is no session, if the server tells.
   * @param {StatusDetail} detail
   * @param {string} key
   */
  async #explain(detail, key) {
    const why = this.#connection && (await refusal(this.#connection.url, key));
    if (!why || this.status !== "waiting") return;
    console.warn(`<vasari-avatar>: ${why.message}`);
    this.#owner.emit("status", { ...detail, reason: why.message, code: why.code });
  }

  async #configure() {
    const connection = this.#connection;
    const session = await this.#owner.settings();
    connection?.send({ type: "session.update", session: { type: "realtime", ...session } });
    // By themselves: a server whose model calls no functions refuses the whole update, and the face with it.
    if (this.#owner.tools().length) connection?.send(toolsUpdate(this.#owner.tools()));
    if (!this.#owner.isWatched()) connection?.send({ type: "avatar.watch", watched: false });
  }

  /** @param {ServerEvent} event */
  #received(event) {
    this.#act(event);
    this.player.hushed = this.#answering && this.state === "listening"; // it pauses: somebody may begin to speak
    this.#captions.event(event);
    if (!this.#runCalls(event)) this.#asks.event(event);
    this.#owner.emit("event", event);
  }

  /** @param {ServerEvent} event */
  #act(event) {
    switch (event.type) {
      case "session.created":
        return this.#configure();
      case "session.updated":
        return (this.#agreed = true);
      case "avatar.state":
        return this.#stateTold(event.state);
      case "response.created":
        return (this.#answering = true);
      case "response.audio_timestamp.delta":
        return this.#worded(event);
      case "output_audio_buffer.stopped":
        return this.player instanceof StreamPlayer && this.#sounding.delete(event.response_id);
      case "response.function_call_arguments.done":
        return this.#called(event);
      case "output_audio_buffer.cleared":
        return this.#flush(event.response_id);
      case "response.done":
        return this.#done(event.response);
      case "error":
        return this.#refused(event.error);
      default:
        return undefined;
    }
  }

  /**
   * Where sound comes as a track, words tell how much of it is heard.
   * @param {import("../types/vasari.js").AudioTimestampDeltaEvent} event
   */
  #worded(event) {
    if (!(this.player instanceof StreamPlayer)) return;
    this.player.word(event);
    this.#sounding.set(event.response_id, { item: event.item_id, end: Infinity });
  }

  /** @param {Json} response */
  #done(response) {
    this.#answering = false;
    if (response.status === "cancelled") this.#flush(response.id);
  }

  /** @param {import("../types/vasari.js").CallArgumentsDoneEvent} event */
  #called({ response_id: response, call_id: call, name, arguments: args }) {
    if (this.#owner.tools().some((tool) => tool.name === name)) this.#calls.push({ response, call, name, args });
  }

  /**
   * A response that called functions of the page goes on when they have returned -> whether this is one.
   * @param {ServerEvent} event
   */
  #runCalls(event) {
    if (event.type !== "response.done") return false;
    const { id, status, metadata } = event.response;
    const mine = this.#calls.filter((call) => call.response === id);
    this.#calls = this.#calls.filter((call) => call.response !== id);
    if (!mine.length || status !== "completed") return false;
    this.#answerCalls(mine, metadata ?? null);
    return true;
  }

  /**
   * @param {{ call: string, name: string, args: string }[]} calls
   * @param {Json | null} metadata
   */
  async #answerCalls(calls, metadata) {
    const connection = this.#connection;
    for (const { call, name, args } of calls) {
      const tool = this.#owner.tools().find((one) => one.name === name);
      this.#owner.emit("tool", { name, arguments: JSON.parse(args || "{}") });
      const output = tool ? await run(tool, args) : '{"error": "This function is no longer there."}';
      if (this.#connection !== connection) return;
      this.send({ type: "conversation.item.create", item: { type: "function_call_output", call_id: call, output } });
    }
    this.send({ type: "response.create", event_id: metadata?.ask ?? null, response: { metadata } });
  }

  /**
   * The server says "initializing" from the moment it agrees to a face until that face's first picture.
   * @param {State} state
   */
  #stateTold(state) {
    if (state !== "initializing" && this.#agreed && this.#aliveFrom === Infinity) this.#aliveFrom = this.#newest + 1;
    this.#setState(state);
  }

  /** @param {import("../types/vasari.js").Problem} error */
  #refused(error) {
    if (error.code === "response_cancel_not_active") return; // it ended while our wish was on its way
    if (error.param === "session.avatar.character") {
      this.#aliveFrom = this.#newest + 1; // the face stays as it is
      this.#owner.loseFace();
    }
    this.#owner.emit("error", error);
  }

  /**
   * @param {Json} header
   * @param {Uint8Array} bytes
   */
  #media(header, bytes) {
    if (header.type === "response.video.delta") {
      this.#newest = header.pts_ms;
      this.player.frame(header, bytes);
    } else if (header.type === "response.output_audio.delta") {
      if (!this.#sounding.has(header.response_id)) this.#forgetHeard();
      const end = header.pts_ms + bytes.byteLength / 48; // PCM16 at 24 kHz
      this.#sounding.set(header.response_id, { item: header.item_id, end });
      this.player.sound(header, bytes);
    }
  }

  /** Responses that were heard to their end can no longer be interrupted. */
  #forgetHeard() {
    const position = this.player.position ?? 0;
    for (const [response, { end }] of this.#sounding) if (end <= position) this.#sounding.delete(response);
  }

  /**
   * Drop what was not heard of a response, and tell the server how much was.
   * @param {string} response
   */
  #flush(response) {
    const item = this.#sounding.get(response)?.item;
    const heard = this.player.heard;
    this.player.flush(response);
    if (item === undefined) return;
    this.#sounding.delete(response);
    const end = heard.item === item ? Math.round(heard.ms) : 0;
    this.#breakOff(item, end);
    this.send({ type: "conversation.item.truncate", item_id: item, content_index: 0, audio_end_ms: end });
  }

  /**
   * The words that are kept are those that the server is told of: a busy page may have drawn nothing since they began.
   * @param {string} item
   * @param {number} ms that were heard of it
   */
  #breakOff(item, ms) {
    this.#captions.progress(item, ms);
    this.#captions.interrupt(item);
  }

  /** @param {number} pts */
  #drawn(pts) {
    this.#newest = Math.max(this.#newest, pts);
    if (pts >= this.#aliveFrom) this.#owner.showFace(true);
    const { item, ms } = this.player.heard;
    if (item) this.#captions.progress(item, ms);
  }

  #reportPlayback() {
    const { position_ms, behind_ms, dropped_frames, av_offset_ms } = this.player.stats();
    if (position_ms === null) return;
    const played_ms = Math.max(0, Math.round(position_ms));
    this.send({ type: "avatar.playback", played_ms, buffered_ms: Math.max(0, Math.round(behind_ms ?? 0)), dropped_frames, av_offset_ms });
  }

  /** @param {State} state */
  #setState(state) {
    if (state === this.state) return;
    this.state = state;
    this.#owner.emit("state", { state });
  }
}
