// <vasari-avatar>: a face that hears and answers, for any page.
//
//   <script type="module" src="vasari.js"></script>
//   <vasari-avatar src="ws://127.0.0.1:8765/v1/realtime" character="mona_lisa" persona="companion" controls></vasari-avatar>
//
// Methods: connect(), reconnect(), disconnect(), talk(), stop(), interrupt(), sendText(text), unlock(), stats().
// Properties: status, state, listening, level, volume, muted, key, memory ({user, consent} or null), safety ({country,
// minor} or null). Attributes: src (with it, it connects by itself), character, persona, poster, controls (a button to
// talk, and a line that says what happens).
// Events (detail): vasari-status {status, retryIn, reason, code}, vasari-state {state}, vasari-caption (a line, see
// captions.js), vasari-microphone {on}, vasari-error {code, message}, vasari-event (any server event).
import { refusal } from "./access.js";
import { Captions } from "./captions.js";
import { Connection } from "./connection.js";
import { addControls } from "./controls.js";
import { Microphone } from "./microphone.js";
import { supportedCodecs } from "./picture.js";
import { Player } from "./player.js";

const REPORT_EVERY = 200; // ms

const GESTURES = ["pointerdown", "keydown"];

const STYLE = `
  :host { display: block; position: relative; max-width: 32rem; aspect-ratio: 1; overflow: hidden; background: #8884; }
  canvas, img { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: cover; display: block; }
  img { object-position: 50% 15%; filter: blur(6px); scale: 1.03; }
  canvas { opacity: 0; transition: opacity 0.4s; }
  :host([alive]) canvas { opacity: 1; }
  img[hidden] { display: none; }
`;

export class VasariAvatar extends HTMLElement {
  static observedAttributes = ["character", "persona", "poster"];

  #connection = null;
  #microphone = null;
  #player;
  #poster;
  #captions = new Captions((line) => this.#emit("caption", line));
  #answering = false; // a response has begun and is not done
  #sounding = new Map(); // response id -> {item, end}: whose sound it is and where it ends in ms
  #reporting = 0;
  #newest = 0; // pts in ms of the newest picture that came
  #agreed = false; // the server took the face that was asked for
  #aliveFrom = Infinity; // pts in ms from which pictures show the face that was asked for
  #status = "closed";
  #state = "initializing";
  #memory = null;
  key = ""; // of the server, where it asks for one
  safety = null;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.innerHTML = `<style>${STYLE}</style><img alt="" hidden><canvas width="512" height="512" aria-hidden="true"></canvas>`;
    this.#poster = root.querySelector("img");
    this.#player = new Player(root.querySelector("canvas"));
    this.#player.onDraw = (pts) => this.#drawn(pts);
  }

  connectedCallback() {
    if (this.hasAttribute("controls") && !this.shadowRoot.querySelector(".controls")) addControls(this, this.shadowRoot);
    this.setAttribute("role", this.hasAttribute("controls") ? "group" : "img");
    if (!this.hasAttribute("aria-label")) this.setAttribute("aria-label", "An animated face");
    for (const kind of GESTURES) document.addEventListener(kind, this.#gesture, true);
    if (this.hasAttribute("src")) this.connect();
  }

  disconnectedCallback() {
    this.#ignoreGestures();
    this.disconnect();
  }

  attributeChangedCallback(name, before, value) {
    if (name === "poster") {
      this.#poster.hidden = !value;
      if (value) this.#poster.src = value;
    } else if (before !== value && this.#connection?.isOpen) {
      if (name === "character") this.#showPoster();
      this.#configure();
    }
  }

  get status() {
    return this.#status;
  }

  get state() {
    return this.#state;
  }

  get listening() {
    return this.#microphone !== null;
  }

  /** Peak of the microphone's last 20 ms, 0 to 1. */
  get level() {
    return this.#microphone?.level ?? 0;
  }

  get volume() {
    return this.#player.volume;
  }

  set volume(value) {
    this.#player.volume = value;
  }

  get memory() {
    return this.#memory;
  }

  /** As who the visitor agrees to be remembered, if at all. */
  set memory(value) {
    this.#memory = value;
    this.#connection?.send({ type: "session.update", session: { type: "realtime", memory: value } });
  }

  get muted() {
    return this.#player.muted;
  }

  set muted(value) {
    this.#player.muted = value;
  }

  /** Open the session, and open it again whenever it is lost, until disconnect(). */
  connect() {
    if (this.#connection) return;
    const here = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/v1/realtime`;
    const url = new URL(this.getAttribute("src") || here, location.href);
    this.#connection = new Connection(url.href, this.key);
    this.#connection.addEventListener("status", ({ detail }) => this.#statusChanged(detail));
    this.#connection.addEventListener("event", ({ detail }) => this.#received(detail));
    this.#connection.addEventListener("media", ({ detail }) => this.#media(detail));
    this.#connection.open();
    this.#player.start();
    this.#reporting = setInterval(() => this.#reportPlayback(), REPORT_EVERY);
  }

  /** Do not wait for the next attempt. */
  reconnect() {
    if (["waiting", "closed"].includes(this.#status)) this.#connection?.open();
  }

  disconnect() {
    this.stop();
    clearInterval(this.#reporting);
    this.#connection?.close();
    this.#connection = null;
    this.#player.stop();
  }

  /** Listen to the microphone from now on. Call it in a gesture. Throws MicrophoneError. */
  async talk() {
    if (this.#microphone) return;
    const microphone = new Microphone();
    this.#microphone = microphone;
    try {
      await this.unlock();
      await microphone.start((pcm) => this.#hear(pcm));
    } catch (error) {
      microphone.stop();
      this.#microphone = null;
      throw error;
    }
    if (this.#microphone !== microphone) return microphone.stop(); // stopped while the browser was asking
    microphone.onEnded(() => this.stop());
    this.#emit("microphone", { on: true });
  }

  /** Stop listening to the microphone; the face goes on. */
  stop() {
    if (!this.#microphone) return;
    this.#microphone.stop();
    this.#microphone = null;
    this.#emit("microphone", { on: false });
  }

  /** Say something in writing. False when there is no connection. */
  sendText(text) {
    const id = `item_${crypto.getRandomValues(new Uint32Array(3)).join("")}`.slice(0, 32);
    const item = { id, type: "message", role: "user", content: [{ type: "input_text", text }] };
    this.interrupt();
    if (!this.#connection?.send({ type: "conversation.item.create", item })) return false;
    this.#captions.typed(id, text);
    return this.#connection.send({ type: "response.create" });
  }

  /** Make the face stop talking, now. */
  interrupt() {
    if (this.#state === "speaking" || this.#state === "thinking") this.#connection?.send({ type: "response.cancel" });
    this.#forgetHeard();
    for (const response of [...this.#sounding.keys()]) this.#flush(response);
  }

  /** Allow sound; any click or key on the page does it too. */
  async unlock() {
    await this.#player.unlock();
  }

  stats() {
    return { status: this.#status, state: this.#state, listening: this.listening, ...this.#player.stats() };
  }

  #gesture = () => {
    // Not every key counts as a gesture to the browser: Shift does not.
    if (!this.#connection?.isOpen || this.#player.isUnlocked || !(navigator.userActivation?.isActive ?? true)) return;
    this.unlock().catch((error) => {
      if (!window.isSecureContext) this.#ignoreGestures(); // no later one will do better
      this.#emit("error", { code: "no_sound", message: `No sound: ${error.message}` });
    });
  };

  #ignoreGestures() {
    for (const kind of GESTURES) document.removeEventListener(kind, this.#gesture, true);
  }

  #statusChanged(detail) {
    this.#status = detail.status;
    if (detail.status === "waiting" || detail.status === "closed") {
      this.#player.reset();
      this.#sounding.clear();
      this.#answering = this.#player.hushed = false;
      this.#newest = 0;
      this.#showPoster();
      this.#setState("initializing");
    }
    this.#emit("status", detail);
    if (detail.refused && !detail.reason) this.#explain(detail);
  }

  /** Say why there is no session, if the server tells. */
  async #explain(detail) {
    const why = await refusal(this.#connection.url, this.key);
    if (!why || this.#status !== "waiting") return;
    console.warn(`<vasari-avatar>: ${why.message}`);
    this.#emit("status", { ...detail, reason: why.message, code: why.code });
  }

  async #configure() {
    const connection = this.#connection;
    const codecs = await supportedCodecs();
    const avatar = { type: "photo-avatar", output_protocol: "websocket", video: { codec: codecs[0], codecs } };
    const character = this.getAttribute("character");
    const persona = this.getAttribute("persona");
    if (character) avatar.character = character;
    const session = { type: "realtime", avatar };
    if (persona) session.persona = persona;
    if (this.#memory) session.memory = this.#memory;
    if (this.safety) session.safety = this.safety;
    connection.send({ type: "session.update", session });
  }

  #received(event) {
    if (event.type === "session.created") this.#configure();
    else if (event.type === "session.updated") this.#agreed = true;
    else if (event.type === "avatar.state") this.#stateTold(event.state);
    else if (event.type === "response.created") this.#answering = true;
    else if (event.type === "error") this.#refused(event.error);
    else if (event.type === "output_audio_buffer.cleared") this.#flush(event.response_id);
    else if (event.type === "response.done" && event.response.status === "cancelled") this.#flush(event.response.id);
    if (event.type === "response.done") this.#answering = false;
    this.#player.hushed = this.#answering && this.#state === "listening"; // it pauses: somebody may begin to speak
    this.#captions.event(event);
    this.#emit("event", event);
  }

  /** The server says "initializing" from the moment it agrees to a face until that face's first picture. */
  #stateTold(state) {
    if (state !== "initializing" && this.#agreed && this.#aliveFrom === Infinity) this.#aliveFrom = this.#newest + 1;
    this.#setState(state);
  }

  #refused(error) {
    if (error.code === "response_cancel_not_active") return; // it ended while our wish was on its way
    // A face that the server does not have (any more) must not leave the session without one.
    if (error.param === "session.avatar.character") {
      this.#aliveFrom = this.#newest + 1;
      this.removeAttribute("character");
    }
    this.#emit("error", error);
  }

  #media({ header, bytes }) {
    if (header.type === "response.video.delta") {
      this.#newest = header.pts_ms;
      this.#player.frame(header, bytes);
    } else if (header.type === "response.output_audio.delta") {
      if (!this.#sounding.has(header.response_id)) this.#forgetHeard();
      const end = header.pts_ms + bytes.byteLength / 48; // PCM16 at 24 kHz
      this.#sounding.set(header.response_id, { item: header.item_id, end });
      this.#player.sound(header, bytes);
    }
  }

  /** Responses that were heard to their end can no longer be interrupted. */
  #forgetHeard() {
    const position = this.#player.position ?? 0;
    for (const [response, { end }] of this.#sounding) if (end <= position) this.#sounding.delete(response);
  }

  /** Drop what was not heard of a response, and tell the server how much was. */
  #flush(response) {
    const item = this.#sounding.get(response)?.item;
    const heard = this.#player.heard;
    this.#player.flush(response);
    if (item === undefined) return;
    this.#sounding.delete(response);
    this.#captions.interrupt(item);
    const end = heard.item === item ? Math.round(heard.ms) : 0;
    this.#connection.send({ type: "conversation.item.truncate", item_id: item, content_index: 0, audio_end_ms: end });
  }

  #hear(pcm) {
    this.#connection?.sendMedia({ type: "input_audio_buffer.append" }, pcm);
  }

  /** Show the still picture until pictures of the face that was asked for arrive. */
  #showPoster() {
    if (this.hasAttribute("poster")) this.removeAttribute("alive");
    this.#aliveFrom = Infinity;
    this.#agreed = false;
  }

  #drawn(pts) {
    if (pts >= this.#aliveFrom) this.setAttribute("alive", "");
    const { item, ms } = this.#player.heard;
    if (item) this.#captions.progress(item, ms);
  }

  #reportPlayback() {
    const { position_ms, buffered_ms, dropped_frames, av_offset_ms } = this.#player.stats();
    if (position_ms === null) return;
    this.#connection.send({
      type: "avatar.playback",
      played_ms: Math.max(0, Math.round(position_ms)),
      buffered_ms: Math.round(buffered_ms),
      dropped_frames,
      av_offset_ms,
    });
  }

  #setState(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.#emit("state", { state });
  }

  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(`vasari-${name}`, { detail, bubbles: true, composed: true }));
  }
}

customElements.define("vasari-avatar", VasariAvatar);
