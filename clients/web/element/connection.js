// One session's websocket in the `realtime.binary` form: events are JSON text, media is a JSON header line, "\n" and
// the raw bytes. It opens itself again when the server was away, and goes on with the conversation if the server still
// has it, also after the page was loaded again.
import { drop, keep, taken } from "./reload.js";

const FIRST_WAIT = 500; // ms
const LONGEST_WAIT = 8000;
const MOST_WAITING = 500_000; // bytes not yet sent, about 10 s of sound: past it, more sound would only come too late
const FINAL = 4000; // close code: this conversation went on elsewhere, or nobody spoke; do not come back unasked
const SILENT = 20000; // ms without any message: a living server sends pictures all the time to who looks

/** @typedef {import("../types/vasari.js").ClientEvent} ClientEvent */
/** @typedef {import("../types/vasari.js").Json} Json */
/** @typedef {import("../types/vasari.js").ServerEvent} ServerEvent */
/** @typedef {import("../types/vasari.js").StatusDetail} StatusDetail */

export class Connection {
  #key;
  /** @type {WebSocket | null} */
  #socket = null;
  #wait = FIRST_WAIT;
  #retry = 0;
  #silence = 0;
  #reason = ""; // what the server said instead of beginning a session
  #begun = false;
  #token = ""; // with which the next line goes on with the conversation

  /**
   * @param {string} url
   * @param {string} key
   */
  constructor(url, key = "") {
    this.url = url;
    this.#key = key;
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

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  open() {
    this.#stopTimers();
    this.#reason = "";
    this.#begun = false;
    this.onStatus({ status: "connecting" });
    this.#token ||= taken(this.url);
    const protocols = ["realtime.binary"];
    if (this.#token) protocols.push(`vasari-resume.${this.#token}`);
    if (this.#key) protocols.push(`openai-insecure-api-key.${this.#key}`);
    const socket = new WebSocket(this.url, protocols);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#watch();
    socket.onmessage = ({ data }) => this.#received(data);
    socket.onclose = ({ code, reason }) => this.#closed(socket, reason, code);
    this.#socket = socket;
  }

  close() {
    this.#stopTimers();
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(1000);
    this.onStatus({ status: "closed" });
  }

  /** Let go of the line while the page is put away. Should the page come back, or be loaded again, it goes on. */
  rest() {
    if (this.#socket && this.#token) keep(this.url, this.#token);
    this.#socket?.close();
  }

  /**
   * False when there is no connection: nothing is kept for later.
   * @param {ClientEvent} event
   */
  send(event) {
    if (!this.#socket || !this.isOpen) return false;
    this.#socket.send(JSON.stringify(event));
    return true;
  }

  /**
   * @param {Json} header
   * @param {ArrayBuffer} bytes
   */
  sendMedia(header, bytes) {
    if (!this.#socket || !this.isOpen || this.#socket.bufferedAmount > MOST_WAITING) return false;
    const line = new TextEncoder().encode(`${JSON.stringify(header)}\n`);
    const message = new Uint8Array(line.length + bytes.byteLength);
    message.set(line);
    message.set(new Uint8Array(bytes), line.length);
    this.#socket.send(message);
    return true;
  }

  /** @param {string | ArrayBuffer} data */
  #received(data) {
    this.#watch();
    if (typeof data === "string") {
      const event = JSON.parse(data);
      if (event.type === "session.created") {
        this.#begun = true;
        this.#wait = FIRST_WAIT;
        this.onStatus({ status: "open", resumed: this.#resume(event.session) });
      } else if (event.type === "error" && !this.#begun) this.#reason = event.error.message;
      this.onEvent(event);
      return;
    }
    const all = new Uint8Array(data);
    const line = all.indexOf(10);
    const header = JSON.parse(new TextDecoder().decode(all.subarray(0, line)));
    this.onMedia(header, all.subarray(line + 1));
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
   * @param {WebSocket | null} socket
   * @param {string} reason
   * @param {number} [code]
   */
  #closed(socket, reason, code) {
    if (!socket || socket !== this.#socket) return;
    this.#stopTimers();
    this.#socket = null;
    if (code === FINAL) return this.onStatus({ status: "closed", reason });
    const wait = this.#wait * (0.8 + 0.4 * Math.random());
    this.#wait = Math.min(LONGEST_WAIT, this.#wait * 1.7);
    this.#retry = setTimeout(() => this.open(), wait);
    this.onStatus({ status: "waiting", retryIn: wait, reason: reason || this.#reason, refused: !this.#begun });
  }

  #watch() {
    clearTimeout(this.#silence);
    const socket = this.#socket;
    this.#silence = setTimeout(() => {
      if (document.hidden) return this.#watch();
      socket?.close();
      this.#closed(socket, "The server stopped answering.");
    }, SILENT);
  }

  #stopTimers() {
    clearTimeout(this.#retry);
    clearTimeout(this.#silence);
  }
}
