// Shows the face and plays its voice together. The sound is the master clock: a picture is drawn when the sound
// with its pts is being heard; late pictures are dropped, and the last one is held where none is due.
import { Picture } from "./picture.js";
import { RATE, Timeline } from "./timeline.js";

/** @typedef {import("../types/vasari.js").Json} Json */
/** @typedef {import("./picture.js").Frame} Frame */
/** @typedef {{ time: number, position: number, buffered: number, late: number, peak: number, item: string | null, heard: number }} Report */

const ms = (/** @type {number} */ samples) => (samples * 1000) / RATE;
const samples = (/** @type {number} */ milliseconds) => Math.round((milliseconds * RATE) / 1000);

const EARLY = 8; // ms: a picture may be drawn this early, half a screen refresh
const KEPT_REPORTS = 64; // of the worklet: almost 3 s
const KEPT_OFFSETS = 250; // measurements of A/V offset: about 10 s of speech
const GENTLY = 0.01; // s: how quickly the loudness changes, so that it does not click
const AT_ONCE = 0.008; // s until it is silent where somebody begins to speak
const OVERDUE = 2; // frame durations after which a held picture counts as out of sync

export class Player {
  #canvas;
  #context2d;
  /** @type {AudioContext | null} */
  #context = null; // after the first gesture
  /** @type {AudioWorkletNode | null} */
  #worklet = null;
  /** @type {GainNode | null} */
  #gain = null; // of the loudspeaker
  /** @type {GainNode | null} */
  #hush = null; // before it, of all that is heard
  /** @type {MediaStream | null} */
  #stream = null; // once somebody wants it
  /** @type {Promise<void> | null} */
  #opening = null; // of the worklet
  #loudspeaker = "";
  /** @type {Report[]} */
  #reports = []; // of the worklet, oldest first
  #silentClock = new Timeline(); // before sound is allowed
  #ticked = 0;
  #newest = 0; // ms: where the media ends that came
  /** @type {Set<string>} */
  #flushed = new Set();
  /** @type {Frame | null} */
  #shown = null; // the picture on the screen
  /** @type {number[]} */
  #offsets = [];
  #volume = 1;
  #muted = false;
  #hushed = false;
  #loop = 0;
  drawn = 0;
  peak = 0; // of the sound that was played, since the session began

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas;
    this.#context2d = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { alpha: false }));
    this.picture = new Picture();
  }

  /**
   * Called for each picture that is drawn.
   * @param {number} _pts ms
   */
  onDraw = (_pts) => {};

  start() {
    this.#ticked = performance.now();
    const draw = () => {
      this.#loop = requestAnimationFrame(draw);
      this.#draw();
    };
    cancelAnimationFrame(this.#loop);
    draw();
  }

  stop() {
    cancelAnimationFrame(this.#loop);
    this.reset();
  }

  /** Allow sound. Browsers want this called in a gesture (a click, a key). */
  async unlock() {
    if (!window.isSecureContext) throw new Error("browsers allow it only to pages from https:// or localhost.");
    this.#context ??= new AudioContext({ sampleRate: RATE, latencyHint: "interactive" });
    this.#opening ??= this.#openWorklet(this.#context).catch((error) => {
      this.#opening = null; // the script could not be had; the next gesture tries again
      throw error;
    });
    await Promise.all([this.#context.resume(), this.#opening]);
  }

  /** @param {AudioContext} context */
  async #openWorklet(context) {
    await context.audioWorklet.addModule(new URL("./timeline.js", import.meta.url).href);
    await context.audioWorklet.addModule(new URL("./playback-worklet.js", import.meta.url).href);
    const worklet = new AudioWorkletNode(context, "vasari-playback", { outputChannelCount: [1] });
    worklet.port.onmessage = ({ data }) => this.#report(data);
    this.#hush = context.createGain();
    this.#gain = context.createGain();
    worklet.connect(this.#hush).connect(this.#gain).connect(context.destination);
    this.#applyVolume();
    this.#worklet = worklet;
    if (this.#stream) this.#addVoice(this.#stream);
    if (this.#loudspeaker) await this.setLoudspeaker(this.#loudspeaker).catch(() => {}); // it is heard by the system's
  }

  /**
   * Play through one loudspeaker, where this browser lets a page choose.
   * @param {string} id "" is the system's choice
   */
  async setLoudspeaker(id) {
    this.#loudspeaker = id;
    const context = /** @type {{ sinkId?: string, setSinkId?(id: string): Promise<void> } | null} */ (/** @type {unknown} */ (this.#context));
    if (context?.setSinkId && context.sinkId !== id) await context.setSinkId(id);
  }

  /** What is drawn and, once sound is allowed, what is said: in step, however loud it is here. */
  get stream() {
    if (!this.#stream) {
      this.#stream = this.#canvas.captureStream();
      this.#addVoice(this.#stream);
    }
    return this.#stream;
  }

  /** @param {MediaStream} stream */
  #addVoice(stream) {
    if (!this.#context || !this.#hush) return;
    const voice = new MediaStreamAudioDestinationNode(this.#context, { channelCount: 1 });
    this.#hush.connect(voice);
    for (const track of voice.stream.getAudioTracks()) stream.addTrack(track);
  }

  get isUnlocked() {
    return this.#worklet !== null && this.#context?.state === "running";
  }

  set volume(value) {
    this.#volume = Math.max(0, Math.min(1, value));
    this.#applyVolume();
  }

  get volume() {
    return this.#volume;
  }

  set muted(value) {
    this.#muted = value;
    this.#applyVolume();
  }

  get muted() {
    return this.#muted;
  }

  /**
   * While the face pauses because somebody may begin to speak, what is on its way already is not heard, and pictures are
   * shown as they come: they need not wait for a sound, and the mouth closes sooner.
   * @param {boolean} value
   */
  set hushed(value) {
    if (value === this.#hushed) return;
    this.#hushed = value;
    if (!this.#hush) return;
    const { gain, context } = this.#hush;
    gain.cancelScheduledValues(context.currentTime);
    gain.setValueAtTime(gain.value, context.currentTime);
    gain.linearRampToValueAtTime(value ? 0 : 1, context.currentTime + AT_ONCE);
  }

  #applyVolume() {
    const level = this.#muted ? 0 : this.#volume ** 2; // loudness is not linear
    this.#gain?.gain.setTargetAtTime(level, this.#gain.context.currentTime, GENTLY);
  }

  /**
   * Take one response.output_audio.delta.
   * @param {Json} header
   * @param {Uint8Array} bytes PCM16
   */
  sound(header, bytes) {
    if (this.#flushed.has(header.response_id)) return;
    const start = samples(header.pts_ms);
    this.#newest = Math.max(this.#newest, header.pts_ms);
    this.#silentClock.arrive(start);
    if (!this.#worklet || !this.isUnlocked) return;
    const pcm = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const values = new Float32Array(bytes.byteLength >> 1);
    for (let i = 0; i < values.length; i++) values[i] = pcm.getInt16(2 * i, true) / 32768;
    const message = { kind: "sound", start, samples: values, response: header.response_id, item: header.item_id };
    this.#worklet.port.postMessage(message, [values.buffer]);
  }

  /**
   * Take one response.video.delta.
   * @param {Json} header
   * @param {Uint8Array} bytes
   */
  frame(header, bytes) {
    const start = samples(header.pts_ms);
    this.#newest = Math.max(this.#newest, header.pts_ms);
    this.#silentClock.arrive(start);
    this.#worklet?.port.postMessage({ kind: "picture", start });
    this.picture.add(header, bytes);
    this.#drawUnseen();
  }

  /**
   * Drop everything of one response at once.
   * @param {string} response
   */
  flush(response) {
    if (this.#flushed.has(response)) return;
    this.#flushed.add(response);
    this.picture.flush(response);
    this.#silentClock.skipAhead();
    this.#worklet?.port.postMessage({ kind: "flush", response });
  }

  /** Forget the session: the next media starts a new clock. */
  reset() {
    this.picture.reset();
    this.#flushed.clear();
    this.#reports = [];
    this.#offsets = [];
    this.#shown = null;
    this.#silentClock.reset();
    this.#worklet?.port.postMessage({ kind: "reset" });
    this.drawn = this.peak = this.#newest = 0;
  }

  /** @param {Report | { position: null, peak: number }} data */
  #report(data) {
    this.peak = Math.max(this.peak, data.peak);
    if (data.position === null) this.#reports = [];
    else this.#reports.push(data);
    if (this.#reports.length > KEPT_REPORTS) this.#reports.shift();
    this.#drawUnseen();
  }

  /** A hidden page gets no animation frames, but its picture may be seen elsewhere: in a window of its own. */
  #drawUnseen() {
    if (document.hidden) this.#draw();
  }

  /** The time of the audio context that is leaving the loudspeaker now, in seconds. */
  #outputTime() {
    const context = /** @type {AudioContext} */ (this.#context);
    const { contextTime, performanceTime = 0 } = context.getOutputTimestamp();
    const latency = context.outputLatency || context.baseLatency || 0;
    if (!contextTime) return context.currentTime - latency;
    return Math.min(contextTime + (performance.now() - performanceTime) / 1000, context.currentTime);
  }

  /** The worklet's report that holds at the loudspeaker now, and the samples since. */
  #heardReport() {
    const now = this.#outputTime();
    let found = this.#reports[0];
    for (const report of this.#reports) if (report.time <= now) found = report;
    return { report: found, since: (now - found.time) * RATE };
  }

  /** Where playback stands on the session's clock in ms, as heard at the loudspeaker; null before any media. */
  get position() {
    if (this.isUnlocked && this.#reports.length) {
      const { report, since } = this.#heardReport();
      return ms(report.position + since);
    }
    return this.#silentClock.position === null ? null : ms(this.#silentClock.position);
  }

  /**
   * How much of which item has been heard; item is null before the first.
   * @returns {{ item: string | null, ms: number }}
   */
  get heard() {
    if (!this.#reports.length) return { item: null, ms: 0 };
    const { report, since } = this.#heardReport();
    const more = Math.max(0, Math.min(since, report.buffered));
    return { item: report.item, ms: Math.max(0, ms(report.heard + more)) };
  }

  get isSounding() {
    return this.isUnlocked && this.#reports.length > 0 && this.#heardReport().report.buffered > 0;
  }

  #draw() {
    const now = performance.now();
    this.#silentClock.advance(samples(now - this.#ticked), true);
    this.#ticked = now;
    const position = this.position;
    if (position === null) return;
    const frame = this.picture.take(this.#hushed ? Infinity : position + EARLY);
    if (frame) this.#paint(frame);
    if (!this.#hushed && (frame || !document.hidden)) this.#measure(position, frame !== null);
  }

  /** @param {Frame} frame */
  #paint(frame) {
    const { image } = frame;
    const [width, height] = "displayWidth" in image ? [image.displayWidth, image.displayHeight] : [image.width, image.height];
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
    }
    this.#context2d.drawImage(image, 0, 0);
    image.close();
    this.#shown = frame;
    this.drawn += 1;
    this.onDraw(frame.pts);
  }

  /**
   * Note how far picture and sound are apart, when a picture changes and while one is overdue.
   * @param {number} position
   * @param {boolean} changed
   */
  #measure(position, changed) {
    if (!this.#shown || !this.isSounding) return;
    const offset = this.#shown.pts - position;
    if (!changed && -offset < OVERDUE * this.#shown.duration) return;
    this.#offsets.push(offset);
    if (this.#offsets.length > KEPT_OFFSETS) this.#offsets.shift();
  }

  /** Figures of this session; av_offset_ms is null until speech was heard. */
  stats() {
    const offsets = [...this.#offsets].sort((a, b) => a - b);
    const far = offsets.map(Math.abs).sort((a, b) => a - b);
    const last = this.#reports[this.#reports.length - 1];
    const position = this.position;
    return {
      drawn: this.drawn,
      dropped_frames: this.picture.dropped,
      late: (this.isUnlocked ? last?.late : this.#silentClock.late) ?? 0,
      codec: this.picture.codec,
      position_ms: position,
      behind_ms: position === null ? null : this.#newest - position,
      heard: this.heard,
      buffered_ms: last ? ms(last.buffered) : 0,
      av_offset_ms: offsets.length ? offsets[offsets.length >> 1] : null,
      av_offset_p95_ms: far.length ? far[Math.floor(far.length * 0.95)] : null,
      audio_peak: this.peak,
      audio_running: this.isUnlocked,
    };
  }
}
