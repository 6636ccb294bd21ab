// One session's line: a websocket, or a WebRTC call. It opens itself again when the server was away, and goes on with the
// conversation if the server still has it, also after the page was loaded again.
import { Call } from "./call.js";
import { drop, keep, taken } from "./reload.js";
import { Socket } from "./socket.js";

const FIRST_WAIT = 500; // ms
const LONGEST_WAIT = 8000;
const LINES = { websocket: Socket, webrtc: Call };

/** @typedef {import("../types/vasari.js").ClientEvent} ClientEvent */
/** @typedef {import("../types/vasari.js").Json} Json */
/** @typedef {import("../types/vasari.js").ServerEvent} ServerEvent */
/** @typedef {import("../types/vasari.js").StatusDetail} StatusDetail */

export class Connection {
  #key;
  #transport;
  /** @type {Socket | Call | null} */
  #line = null;
  #wait = FIRST_WAIT;
  #retry = 0;
  #reason = ""; // what the server said instead of beginning a session
  #begun = false;
  #token = ""; // with which the next line goes on with the conversation

  /**
   * @param {string} url
   * @param {string} key
   * @param {"websocket" | "webrtc"} transport
   */
  constructor(url, key = "", transport = "websocket") {
    this.url = url;
    this.#key = key;
    this.#transport = transport;
  }

  /** @param {StatusDetail} _detail */
  onStatus = (_detail) => {};
  /** @param {ServerEvent} _event */
  onEvent = (_event) => {};
  /**
   * @param {Json} _header the event without its media
   * @param {Uint8Array} _bytes
   */
  onMedia = (_header, _bytes) => {};
  /** @param {MediaStream} _stream sound and pictures, where they come as tracks */
  onStream = (_stream) => {};

  get isOpen() {
    return this.#line?.isOpen ?? false;
  }

  open() {
    clearTimeout(this.#retry);
    this.#reason = "";
    this.#begun = false;
    this.onStatus({ status: "connecting" });
    this.#token ||= taken(this.url);
    const line = new LINES[this.#transport]({ url: this.url, key: this.#key, token: this.#token }, {
      event: (text) => this.#received(JSON.parse(text)),
      media: (header, bytes) => this.onMedia(header, bytes),
      stream: (stream) => this.onStream(stream),
      closed: (end) => this.#closed(line, end),
    });
    this.#line = line;
  }

  close() {
    clearTimeout(this.#retry);
    const line = this.#line;
    this.#line = null;
    line?.close(true);
    this.onStatus({ status: "closed" });
  }

  /** Let go of the line while the page is put away. Should the page come back, or be loaded again, it goes on. */
  rest() {
    if (this.#line && this.#token) keep(this.url, this.#token);
    this.#line?.close(false);
  }

  /**
   * False when there is no connection: nothing is kept for later.
   * @param {ClientEvent} event
   */
  send(event) {
    if (!this.#line || !this.isOpen) return false;
    this.#line.send(JSON.stringify(event));
    return true;
  }

  /**
   * @param {Json} header
   * @param {ArrayBuffer} bytes
   */
  sendMedia(header, bytes) {
    return this.#line && this.isOpen ? this.#line.sendMedia(header, bytes) : false;
  }

  /**
   * Have the microphone's track heard, where sound is sent as tracks.
   * @param {MediaStreamTrack | null} track
   */
  lend(track) {
    this.#line?.lend(track);
  }

  /** @param {ServerEvent} event */
  #received(event) {
    if (event.type === "session.created") {
      this.#begun = true;
      this.#wait = FIRST_WAIT;
      this.onStatus({ status: "open", resumed: this.#resume(event.session) });
    } else if (event.type === "error" && !this.#begun) this.#reason = event.error.message;
    this.onEvent(event);
  }

  /**
   * Keep the token to ourselves: what listens to events has no business with it -> whether the conversation goes on.
   * @param {Json} session
   */
  #resume(session) {
    const { token = "", resumed = false } = session.resume ?? {};
    delete session.resume;
    drop(this.url, this.#token);
    this.#token = token;
    return resumed;
  }

  /**
   * @param {Socket | Call} line
   * @param {{ reason: string, code?: string, final?: boolean }} end
   */
  #closed(line, { reason, code, final }) {
    if (line !== this.#line) return;
    this.#line = null;
    if (final) return this.onStatus({ status: "closed", reason });
    const wait = this.#wait * (0.8 + 0.4 * Math.random());
    this.#wait = Math.min(LONGEST_WAIT, this.#wait * 1.7);
    this.#retry = setTimeout(() => this.open(), wait);
    this.onStatus({ status: "waiting", retryIn: wait, reason: reason || this.#reason, code, refused: !this.#begun });
  }
}
