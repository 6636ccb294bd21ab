// <vasari-avatar>: a face that hears and answers, for any page. What it can do: types/vasari.d.ts.
import { surround } from "./backdrop.js";
import { addControls } from "./controls.js";
import { Conversation } from "./conversation.js";
import { devices, watchDevices } from "./devices.js";
import { Ears } from "./ears.js";
import { Film } from "./film.js";
import { listen } from "./listen.js";
import { supportedCodecs } from "./picture.js";
import { showSettings } from "./settings.js";
import { STYLE } from "./style.js";
import { Subtitles } from "./subtitles.js";
import { declared } from "./tools.js";

/** @typedef {import("../types/vasari.js").Emotion} Emotion */
/** @typedef {import("../types/vasari.js").Gaze} Gaze */
/** @typedef {import("../types/vasari.js").Memory} Memory */
/** @typedef {import("../types/vasari.js").Safety} Safety */
/** @typedef {import("../types/vasari.js").State} State */
/** @typedef {import("../types/vasari.js").StatusDetail} StatusDetail */
/** @typedef {import("../types/vasari.js").Tool} Tool */

const GESTURES = ["pointerdown", "keydown"];
const LENDING = /** @type {const} */ (["vasari-microphone", "vasari-press", "vasari-status"]); // after these the track may be another
const STATES = { initializing: "", idle: "", listening: "Listening", thinking: "Thinking", speaking: "Speaking" };
const NOTICE = 6000; // ms
const LEVEL_EVERY = 50; // ms
const LOUD = 2.5; // times the microphone's peak is a full meter
const SHORTEST = 200; // ms that the button must be held: less is a slip
const BACKDROP_EVERY = 12; // pictures

const HTML = `<style>${STYLE}</style>
  <div class="stage" part="stage" data-state="initializing">
    <canvas class="backdrop" aria-hidden="true"></canvas>
    <img class="poster" part="poster" alt="" hidden>
    <canvas class="face" part="face" width="512" height="512" aria-hidden="true"></canvas>
    <div class="ring" part="ring"></div>
    <p class="state glass" part="state"><i></i><span></span></p>
    <p class="recorded glass" part="recorded" role="status"><i></i><span></span></p>
    <div class="foot" part="foot">
      <p class="captions glass" part="captions" aria-hidden="true" hidden><span class="heard"></span><span class="unsaid"></span></p>
      <p class="notice glass" part="notice" role="status" hidden></p>
    </div>
    <div class="unseen" role="log" aria-label="What was said"></div>
  </div>`;

/** @type {VasariAvatar | null} */
let heard = null; // one face of a page is talked to at a time

// Where there are no elements (on a server) the module can be imported all the same.
const Base = globalThis.HTMLElement ?? /** @type {typeof HTMLElement} */ (class {});

export class VasariAvatar extends Base {
  static observedAttributes = ["character", "persona", "voice", "poster", "emotion", "gaze", "push-to-talk", "captions", "controls", "video"];

  #root;
  #stage;
  #conversation;
  #ears;
  #film;
  /** @type {MediaStream | null} */
  #given = null; // to whoever wants the face as a stream
  #subtitles;
  #noticing = 0;
  #measuring = 0;
  #pressed = 0; // when, on performance.now(); 0 is not
  #loudspeaker = "";
  /** @type {Memory | null} */
  #memory = null;
  /** @type {{ consent: boolean, log?: boolean } | null} */
  #recording = null;
  /** @type {Tool[]} */
  #tools = [];
  #instructions = "";
  /** @type {AbortController | null} */
  #here = null; // until it leaves the page
  key = "";
  /** @type {Safety | null} */
  safety = null;

  constructor() {
    super();
    this.#root = this.attachShadow({ mode: "open" });
    this.#root.innerHTML = HTML;
    this.#stage = this.#part(".stage");
    this.#subtitles = new Subtitles(this.#part(".captions"), this.#part("[role=log]"));
    this.#conversation = new Conversation(/** @type {HTMLCanvasElement} */ (this.#part(".face")), {
      emit: (name, detail) => this.#emit(name, detail),
      tools: () => this.#tools,
      settings: () => this.#settings(),
      showFace: (fresh) => this.#showFace(fresh),
      loseFace: () => this.removeAttribute("character"),
      isWatched: () => this.#isWatched,
    });
    this.#ears = new Ears({
      hear: (pcm) => this.#hear(pcm),
      changed: (on) => this.#emit("microphone", { on }),
      swapped: () => this.#lend(),
      failed: ({ code, message }) => this.#emit("error", { code, message }),
    });
    this.#film = new Film(
      () => this.#conversation.player.stream,
      () => this.#tellWatched(),
    );
    listen(this, "vasari-status", (detail) => this.#tellStatus(detail));
    listen(this, "vasari-event", (event) => "session" in event && this.#tellRecorded(event.session.recording));
    listen(this, "vasari-state", ({ state }) => this.#tellState(state));
    listen(this, "vasari-caption", (line) => this.captions && this.#subtitles.show(line));
    listen(this, "vasari-error", ({ message }) => this.controls && this.#notice(message));
    listen(this, "vasari-microphone", () => this.#measure());
    for (const name of LENDING) listen(this, name, () => this.#lend());
    this.addEventListener("keydown", ({ key }) => key === "Escape" && this.controls && this.interrupt());
  }

  connectedCallback() {
    this.#here = new AbortController();
    const { signal } = this.#here;
    this.#takeRole();
    for (const kind of GESTURES) document.addEventListener(kind, this.#gesture, { capture: true, signal });
    document.addEventListener("visibilitychange", () => this.#visibilityChanged(), { signal });
    // A page that the browser keeps for "back" would keep its place at the server too.
    window.addEventListener("pagehide", () => this.#conversation.rest(), { signal });
    window.addEventListener("online", () => this.status === "waiting" && this.reconnect(), { signal });
    watchDevices((found) => this.#devicesChanged(found), signal);
    // Whoever puts it into the page may have more to say first: a key, tools.
    if (this.hasAttribute("src")) queueMicrotask(() => this.isConnected && this.connect());
  }

  #visibilityChanged() {
    this.#tellWatched();
    if (!document.hidden) this.#ears.resume();
  }

  /** A face that nobody sees need not be drawn. */
  #tellWatched() {
    this.send({ type: "avatar.watch", watched: this.#isWatched });
  }

  get #isWatched() {
    return !document.hidden || this.#film.isApart || (this.#given?.active ?? false);
  }

  disconnectedCallback() {
    this.#here?.abort();
    this.disconnect();
  }

  /**
   * @param {string} name
   * @param {string | null} before
   * @param {string | null} value
   */
  attributeChangedCallback(name, before, value) {
    if (before === value) return;
    if (name === "poster") this.#showPoster(value);
    else if (name === "controls") this.#takeRole();
    else if (name === "captions") this.#captionsChanged(value !== null);
    else if (name === "push-to-talk") this.#turnsChanged();
    else if (name === "video") this.#videoChanged(value !== null);
    else if (this.#conversation.isOpen) this.#wish(name);
  }

  // --- attributes

  get src() {
    return this.getAttribute("src");
  }
  set src(value) {
    this.#reflect("src", value);
  }
  get character() {
    return this.getAttribute("character");
  }
  set character(value) {
    this.#reflect("character", value);
  }
  get persona() {
    return this.getAttribute("persona");
  }
  set persona(value) {
    this.#reflect("persona", value);
  }
  get voice() {
    return this.getAttribute("voice");
  }
  set voice(value) {
    this.#reflect("voice", value);
  }
  get poster() {
    return this.getAttribute("poster");
  }
  set poster(value) {
    this.#reflect("poster", value);
  }
  /** @returns {"websocket" | "webrtc"} */
  get transport() {
    return this.getAttribute("transport") === "webrtc" ? "webrtc" : "websocket";
  }
  set transport(value) {
    this.#reflect("transport", value);
  }
  get controls() {
    return this.hasAttribute("controls");
  }
  set controls(value) {
    this.toggleAttribute("controls", value);
  }
  get captions() {
    return this.hasAttribute("captions");
  }
  set captions(value) {
    this.toggleAttribute("captions", value);
  }
  get video() {
    return this.hasAttribute("video");
  }
  set video(value) {
    this.toggleAttribute("video", value);
  }
  get pushToTalk() {
    return this.hasAttribute("push-to-talk");
  }
  set pushToTalk(value) {
    this.toggleAttribute("push-to-talk", value);
  }
  /** @returns {Emotion} */
  get emotion() {
    return /** @type {Emotion} */ (this.getAttribute("emotion") ?? "neutral");
  }
  set emotion(value) {
    this.#reflect("emotion", value);
  }
  /** @returns {Gaze} */
  get gaze() {
    const [yaw_deg = 0, pitch_deg = 0] = (this.getAttribute("gaze") ?? "").split(/[\s,]+/).map((part) => Number(part) || 0);
    return { yaw_deg, pitch_deg };
  }
  set gaze({ yaw_deg, pitch_deg }) {
    this.setAttribute("gaze", `${yaw_deg} ${pitch_deg}`);
  }

  /**
   * @param {string} name
   * @param {string | null | undefined} value
   */
  #reflect(name, value) {
    if (value === null || value === undefined) this.removeAttribute(name);
    else this.setAttribute(name, value);
  }

  // --- properties

  get status() {
    return this.#conversation.status;
  }
  get state() {
    return this.#conversation.state;
  }
  get listening() {
    return this.#ears.on;
  }
  get level() {
    return this.#ears.level;
  }
  /** Whether the button of `pushToTalk` is held. */
  get isPressed() {
    return this.#pressed > 0;
  }
  get volume() {
    return this.#conversation.player.volume;
  }
  set volume(value) {
    this.#conversation.player.volume = value;
  }
  get muted() {
    return this.#conversation.player.muted;
  }
  set muted(value) {
    this.#conversation.player.muted = value;
  }
  get memory() {
    return this.#memory;
  }
  set memory(value) {
    this.#memory = value;
    this.#conversation.update({ memory: value });
  }
  /**
   * Whoever looks is told for as long as it lasts.
   * @param {{ consent: boolean } | null} recording as the server has it
   */
  #tellRecorded(recording) {
    const on = recording?.consent ?? false;
    this.toggleAttribute("recorded", on);
    this.#part(".recorded span").textContent = on ? "Recording" : "";
  }
  get recording() {
    return this.#recording;
  }
  set recording(value) {
    this.#recording = value;
    this.#conversation.update({ recording: value });
  }
  get instructions() {
    return this.#instructions;
  }
  set instructions(value) {
    this.#instructions = value;
    this.#conversation.update({ instructions: value });
  }
  get tools() {
    return this.#tools;
  }
  set tools(value) {
    this.#tools = value;
    this.#conversation.update({ tools: declared(value) });
  }
  get microphone() {
    return this.#ears.device;
  }
  set microphone(id) {
    this.#ears.device = id;
  }
  get loudspeaker() {
    return this.#loudspeaker;
  }
  set loudspeaker(id) {
    this.#loudspeaker = id;
    this.#speakThrough(id);
  }

  get stream() {
    if (!this.#given) {
      const { stream } = this.#conversation.player;
      this.#given = stream;
      this.#tellWatched();
    }
    return this.#given;
  }

  // --- what a page can do

  connect() {
    // The server's own pages, which may be anywhere below a host, say where it is from there.
    const here = new URL(this.dataset.path ?? "/v1/realtime", location.href);
    here.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    here.search = here.hash = "";
    this.#conversation.open(new URL(this.src || here, location.href).href, this.key, this.transport);
    if (this.#loudspeaker) this.#speakThrough(this.#loudspeaker);
  }

  reconnect() {
    this.#conversation.reopen();
  }

  disconnect() {
    this.stop();
    this.#conversation.close();
  }

  async talk() {
    if (heard !== this) heard?.stop();
    heard = this;
    await this.unlock();
    await this.#ears.open();
  }

  stop() {
    if (this.#pressed) this.#press(0);
    this.#ears.close();
  }

  async press() {
    if (this.#pressed) return;
    this.#press(performance.now());
    this.interrupt();
    try {
      await this.talk();
    } catch (error) {
      this.#press(0);
      throw error;
    }
  }

  release() {
    if (!this.#pressed) return;
    const held = performance.now() - this.#pressed;
    this.#press(0);
    if (!this.listening) return;
    if (held >= SHORTEST) this.#conversation.commit();
    else this.send({ type: "input_audio_buffer.clear" });
  }

  /** @param {number} since on performance.now(); 0 is not */
  #press(since) {
    this.#pressed = since;
    this.#emit("press", { on: since > 0 });
  }

  interrupt() {
    this.#conversation.interrupt();
  }

  /** @param {string} text */
  ask(text) {
    return this.#conversation.ask(text);
  }

  /** @param {string} text */
  say(text) {
    return this.#conversation.say(text);
  }

  /** @param {import("../types/vasari.js").ClientEvent} event */
  send(event) {
    return this.#conversation.send(event);
  }

  devices() {
    return devices();
  }

  showSettings() {
    if (!this.#root.querySelector("dialog")) showSettings(this, this.#stage);
  }

  async pictureInPicture() {
    this.video = true;
    return this.#film.apart();
  }

  unlock() {
    return this.#conversation.player.unlock();
  }

  stats() {
    return { status: this.status, state: this.state, listening: this.listening, ...this.#conversation.player.stats() };
  }

  // --- what the session is asked for

  async #settings() {
    const codecs = await supportedCodecs();
    const video = { codec: codecs[0], codecs };
    const avatar = { type: "photo-avatar", output_protocol: this.transport, video, emotion: this.emotion, gaze: this.gaze, ...this.#face() };
    const wishes = {
      persona: this.persona,
      instructions: this.#instructions,
      memory: this.#memory,
      recording: this.#recording,
      safety: this.safety,
      audio: this.pushToTalk || this.voice ? { ...(this.pushToTalk && this.#turns()), ...(this.voice && this.#speech()) } : null,
    };
    return { avatar, ...Object.fromEntries(Object.entries(wishes).filter(([, value]) => value)) };
  }

  #face() {
    return this.character ? { character: this.character } : {};
  }

  /** Who says when a turn is over: the visitor's hand, or the server. */
  #turns() {
    return { input: { turn_detection: this.pushToTalk ? null : {} } };
  }

  /** The voice that was chosen; "" is the persona's. */
  #speech() {
    return { output: { voice: this.voice ?? "" } };
  }

  #turnsChanged() {
    this.#press(0);
    this.#conversation.update({ audio: this.#turns() });
  }

  /**
   * An attribute has changed while a session is open.
   * @param {string} name
   */
  #wish(name) {
    if (name === "emotion") this.send({ type: "avatar.control", emotion: this.emotion });
    else if (name === "gaze") this.send({ type: "avatar.control", gaze: this.gaze });
    else if (name === "voice") this.#conversation.update({ audio: this.#speech() });
    else if (name === "persona") this.#conversation.update({ persona: this.persona, ...(this.character && { avatar: this.#face() }), ...(this.voice && { audio: this.#speech() }) });
    else if (this.character) {
      this.#conversation.expectFace();
      this.#conversation.update({ avatar: this.#face() });
    }
  }

  // --- sound

  /** @param {ArrayBuffer} pcm */
  #hear(pcm) {
    if (!this.pushToTalk || this.#pressed) this.#conversation.hear(pcm);
  }

  /** Over WebRTC the microphone is a track of the call. */
  #lend() {
    const isHeard = this.listening && (!this.pushToTalk || this.isPressed);
    if (this.transport === "webrtc") this.#conversation.lend(isHeard ? this.#ears.track : null);
  }

  #gesture = () => {
    this.#ears.resume();
    // Not every key counts as a gesture to the browser: Shift does not.
    const { isOpen, player } = this.#conversation;
    if (!isOpen || player.isUnlocked || !(navigator.userActivation?.isActive ?? true)) return;
    this.unlock().catch((error) => {
      if (!window.isSecureContext) for (const kind of GESTURES) document.removeEventListener(kind, this.#gesture, true); // no later one will do better
      this.#emit("error", { code: "no_sound", message: `No sound: ${error.message}` });
    });
  };

  /** @param {import("../types/vasari.js").Devices} found */
  #devicesChanged(found) {
    this.#ears.reconsider(found.microphones);
    if (this.#loudspeaker) {
      const there = found.loudspeakers.some(({ deviceId }) => deviceId === this.#loudspeaker);
      this.#speakThrough(there ? this.#loudspeaker : "");
    }
    this.#emit("devices", found);
  }

  /** @param {string} id */
  #speakThrough(id) {
    this.#conversation.player.setLoudspeaker(id).catch(() => {
      this.#emit("error", { code: "no_loudspeaker", message: "This loudspeaker cannot be used: choose another one." });
    });
  }

  // --- what is seen

  /** @param {string} selector */
  #part(selector) {
    return /** @type {HTMLElement} */ (this.#root.querySelector(selector));
  }

  #takeRole() {
    if (this.controls && !this.#root.querySelector(".controls")) addControls(this, this.#part(".foot"), (text) => this.#notice(text));
    const controls = /** @type {HTMLElement | null} */ (this.#root.querySelector(".controls"));
    if (controls) controls.hidden = !this.controls;
    if (!this.isConnected) return;
    this.setAttribute("role", "group");
    if (!this.hasAttribute("aria-label")) this.setAttribute("aria-label", "An animated face");
  }

  /** @param {boolean} on */
  #videoChanged(on) {
    if (on) this.#film.show(this.#stage);
    else this.#film.hide();
  }

  /** @param {boolean} on */
  #captionsChanged(on) {
    if (!on) this.#subtitles.clear();
  }

  /** @param {string | null} url */
  #showPoster(url) {
    const poster = /** @type {HTMLImageElement} */ (this.#part(".poster"));
    poster.hidden = !url;
    if (url) poster.src = url;
  }

  /** @param {boolean} fresh */
  #showFace(fresh) {
    if (fresh) {
      this.setAttribute("alive", "");
      if (this.#conversation.player.drawn % BACKDROP_EVERY === 1) this.#paintBackdrop();
    } else if (this.hasAttribute("poster")) this.removeAttribute("alive");
  }

  #paintBackdrop() {
    const { clientWidth: width, clientHeight: height } = this.#stage;
    if (Math.abs(width - height) < 0.09 * Math.min(width, height)) return;
    const [face, backdrop] = [this.#part(".face"), this.#part(".backdrop")];
    surround(/** @type {HTMLCanvasElement} */ (face), /** @type {HTMLCanvasElement} */ (backdrop));
  }

  /** @param {StatusDetail} detail */
  #tellStatus({ status, reason, resumed }) {
    if (!this.controls) return;
    if (status === "open") this.#notice(resumed ? "Connected again: the conversation goes on." : "");
    else if (status === "connecting") this.#notice("Connecting", Infinity);
    else if (status === "waiting") this.#notice(reason || "The server does not answer.", Infinity);
    else this.#notice(reason || "", Infinity);
  }

  /** @param {State} state */
  #tellState(state) {
    this.#stage.dataset.state = state;
    this.#part(".state").toggleAttribute("data-told", this.controls && STATES[state] !== "");
    this.#part(".state span").textContent = STATES[state];
    if (this.controls && state === "speaking" && !this.#conversation.player.isUnlocked) this.#notice("Click, or press a key, to hear the voice.");
  }

  /**
   * One plain sentence for the visitor.
   * @param {string} text
   * @param {number} stays ms
   */
  #notice(text, stays = NOTICE) {
    const place = this.#part(".notice");
    clearTimeout(this.#noticing);
    place.textContent = text;
    place.hidden = !text;
    this.#root.querySelector(".talk")?.setAttribute("title", text); // where there is no room for it
    if (text && stays < Infinity) this.#noticing = setTimeout(() => this.#notice(""), stays);
  }

  /** Show how loud the microphone is while it is on. */
  #measure() {
    clearInterval(this.#measuring);
    const show = () => this.#stage.style.setProperty("--level", Math.min(1, this.level * LOUD).toFixed(2));
    show();
    if (this.listening) this.#measuring = setInterval(show, LEVEL_EVERY);
  }

  /**
   * @param {string} name
   * @param {unknown} detail
   */
  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(`vasari-${name}`, { detail, bubbles: true, composed: true }));
  }
}
