// A websocket as the line of a `Connection`, in the `realtime.binary` form: events are JSON text, media is a JSON header
// line, "\n" and the raw bytes.

const FINAL = 4000; // close code: this conversation went on elsewhere, or nobody spoke; do not come back unasked
const MOST_WAITING = 500_000; // bytes not yet sent, about 10 s of sound: past it, more sound would only come too late
const OPENING = 10000; // ms for a line to open: after a change of networks the browser itself would wait for minutes
const SILENT = 20000; // ms without any message: a living server sends pictures all the time to who looks

/** @typedef {import("../types/vasari.js").Json} Json */

/**
 * @typedef {object} Place where a line leads to
 * @property {string} url of the websocket; WebRTC's is below it
 * @property {string} key
 * @property {string} token of a conversation to go on with; "" for none
 */

/**
 * @typedef {object} Listener what a line tells
 * @property {(text: string) => void} event
 * @property {(header: Json, bytes: Uint8Array) => void} media
 * @property {(stream: MediaStream) => void} stream sound and pictures, where they come as tracks
 * @property {(end: { reason: string, code?: string, final?: boolean }) => void} closed
 */

export class Socket {
  #socket;
  #tell;
  #silence = 0;

  /**
   * @param {Place} place
   * @param {Listener} tell
   */
  constructor({ url, key, token }, tell) {
    const protocols = ["realtime.binary"];
    if (token) protocols.push(`vasari-resume.${token}`);
    if (key) protocols.push(`openai-insecure-api-key.${key}`);
    this.#tell = tell;
    this.#socket = new WebSocket(url, protocols);
    this.#socket.binaryType = "arraybuffer";
    this.#silence = setTimeout(() => this.#giveUp(), OPENING);
    this.#socket.onopen = () => this.#watch();
    this.#socket.onmessage = ({ data }) => this.#received(data);
    this.#socket.onclose = ({ code, reason }) => this.#closed(reason, code === FINAL);
  }

  get isOpen() {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /** @param {string} text */
  send(text) {
    this.#socket.send(text);
  }

  /**
   * False when it is too late for it.
   * @param {Json} header
   * @param {ArrayBuffer} bytes
   */
  sendMedia(header, bytes) {
    if (this.#socket.bufferedAmount > MOST_WAITING) return false;
    const line = new TextEncoder().encode(`${JSON.stringify(header)}\n`);
    const message = new Uint8Array(line.length + bytes.byteLength);
    message.set(line);
    message.set(new Uint8Array(bytes), line.length);
    this.#socket.send(message);
    return true;
  }

  /** A websocket has no tracks: the microphone's sound is sent as media. */
  lend() {}

  /** @param {boolean} forGood the conversation will not go on */
  close(forGood) {
    clearTimeout(this.#silence);
    this.#socket.close(forGood ? 1000 : undefined);
  }

  /** @param {string | ArrayBuffer} data */
  #received(data) {
    this.#watch();
    if (typeof data === "string") return this.#tell.event(data);
    const all = new Uint8Array(data);
    const line = all.indexOf(10);
    return this.#tell.media(JSON.parse(new TextDecoder().decode(all.subarray(0, line))), all.subarray(line + 1));
  }

  #watch() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => (document.hidden ? this.#watch() : this.#giveUp()), SILENT);
  }

  #giveUp() {
    this.#socket.close();
    this.#closed("The server stopped answering.");
  }

  /**
   * @param {string} reason
   * @param {boolean} [final]
   */
  #closed(reason, final = false) {
    clearTimeout(this.#silence);
    this.#tell.closed({ reason, final });
  }
}
