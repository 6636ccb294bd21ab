// One session's websocket in the `realtime.binary` form: events are JSON text, media is a JSON header line, "\n" and
// the raw bytes. It opens itself again when the server was away.

const FIRST_WAIT = 500; // ms
const LONGEST_WAIT = 8000;
const MOST_WAITING = 500_000; // bytes not yet sent, about 10 s of sound: past it, more sound would only come too late
const FINAL = 4000; // close code: this conversation went on elsewhere, or nobody spoke; do not come back unasked
const SILENT = 20000; // ms without any message: a living server sends pictures all the time

/**
 * Events: "status" {status} with status "connecting" | "open" | "waiting" | "closed", "event" (a server event),
 * "media" {header, bytes}. "waiting" comes with `retryIn` in ms, the server's `reason` ("" if it gave none), and
 * `refused`: there was no session at all.
 */
export class Connection extends EventTarget {
  #url;
  #key;
  #socket = null;
  #wait = FIRST_WAIT;
  #timers = {};
  #reason = ""; // what the server said instead of beginning a session
  #begun = false;

  constructor(url, key = "") {
    super();
    this.#url = url;
    this.#key = key;
  }

  get url() {
    return this.#url;
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  open() {
    this.#stopTimers();
    this.#reason = "";
    this.#begun = false;
    this.#status("connecting");
    const protocols = ["realtime.binary"];
    if (this.#key) protocols.push(`openai-insecure-api-key.${this.#key}`);
    const socket = new WebSocket(this.#url, protocols);
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
    this.#status("closed");
  }

  /** Send a client event. False when there is no connection: nothing is kept for later. */
  send(event) {
    if (!this.isOpen) return false;
    this.#socket.send(JSON.stringify(event));
    return true;
  }

  sendMedia(header, bytes) {
    if (!this.isOpen || this.#socket.bufferedAmount > MOST_WAITING) return false;
    const line = new TextEncoder().encode(`${JSON.stringify(header)}\n`);
    const message = new Uint8Array(line.length + bytes.byteLength);
    message.set(line);
    message.set(new Uint8Array(bytes), line.length);
    this.#socket.send(message);
    return true;
  }

  #received(data) {
    this.#watch();
    if (typeof data === "string") {
      const event = JSON.parse(data);
      if (event.type === "session.created") {
        this.#begun = true;
        this.#wait = FIRST_WAIT;
        this.#status("open");
      } else if (event.type === "error" && !this.#begun) this.#reason = event.error.message;
      this.#emit("event", event);
      return;
    }
    const all = new Uint8Array(data);
    const line = all.indexOf(10);
    const header = JSON.parse(new TextDecoder().decode(all.subarray(0, line)));
    this.#emit("media", { header, bytes: all.subarray(line + 1) });
  }

  #closed(socket, reason, code) {
    if (socket !== this.#socket) return;
    this.#stopTimers();
    this.#socket = null;
    if (code === FINAL) return this.#status("closed", { reason });
    const wait = this.#wait * (0.8 + 0.4 * Math.random());
    this.#wait = Math.min(LONGEST_WAIT, this.#wait * 1.7);
    this.#timers.retry = setTimeout(() => this.open(), wait);
    this.#status("waiting", { retryIn: wait, reason: reason || this.#reason, refused: !this.#begun });
  }

  #watch() {
    clearTimeout(this.#timers.silence);
    const socket = this.#socket;
    this.#timers.silence = setTimeout(() => {
      socket.close();
      this.#closed(socket, "The server stopped answering.");
    }, SILENT);
  }

  #stopTimers() {
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    this.#timers = {};
  }

  #status(status, more = {}) {
    this.#emit("status", { status, ...more });
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
