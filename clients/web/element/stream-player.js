// Shows the face and plays its voice where they come as the tracks of a call, which the browser keeps in step.

/** @typedef {import("../types/vasari.js").AudioTimestampDeltaEvent} Word */

const DELAY = 150; // ms from the event of a word until it is heard: the server's lead and the browser's buffer

export class StreamPlayer {
  #canvas;
  #context2d;
  #video = document.createElement("video");
  #loudspeaker = "";
  #wanted = false; // sound is allowed
  #hushed = false;
  #muted = false;
  #painting = 0;
  /** @type {MediaStream | null} */
  #stream = null; // once somebody wants it
  /** @type {{ id: string | null, from: number, end: number }} */
  #item = { id: null, from: 0, end: 0 }; // whose sound is heard, since when, until which of its ms there are words
  drawn = 0;
  peak = 0; // it is not measured: the browser plays the sound

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas;
    this.#context2d = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { alpha: false }));
    this.#video.playsInline = true;
    this.#video.muted = true;
  }

  /**
   * Called for each picture that is drawn.
   * @param {number} _pts ms
   */
  onDraw = (_pts) => {};

  start() {}

  stop() {
    this.reset();
  }

  /** @param {MediaStream} stream the face and its voice */
  show(stream) {
    if (this.#video.srcObject === stream) return;
    this.#video.srcObject = stream;
    this.#addVoice();
    this.#play();
    this.#paintNext();
  }

  /** Allow sound. Browsers want this called in a gesture. */
  async unlock() {
    this.#wanted = true;
    this.#apply();
    if (this.#video.srcObject) await this.#video.play();
  }

  /** What is drawn and what is said. */
  get stream() {
    if (!this.#stream) {
      this.#stream = this.#canvas.captureStream();
      this.#addVoice();
    }
    return this.#stream;
  }

  #addVoice() {
    const heard = /** @type {MediaStream | null} */ (this.#video.srcObject);
    for (const track of this.#stream ? (heard?.getAudioTracks() ?? []) : []) this.#stream?.addTrack(track);
  }

  get isUnlocked() {
    return this.#wanted;
  }

  /** @param {string} id "" is the system's choice */
  async setLoudspeaker(id) {
    this.#loudspeaker = id;
    if ("setSinkId" in this.#video && this.#video.sinkId !== id) await this.#video.setSinkId(id);
  }

  set volume(value) {
    this.#video.volume = Math.max(0, Math.min(1, value)) ** 2; // loudness is not linear
  }

  get volume() {
    return Math.sqrt(this.#video.volume);
  }

  set muted(value) {
    this.#muted = value;
    this.#apply();
  }

  get muted() {
    return this.#muted;
  }

  /** The server stops what is on its way; what the browser holds already is not heard either. */
  set hushed(/** @type {boolean} */ value) {
    this.#hushed = value;
    this.#apply();
  }

  #apply() {
    this.#video.muted = !this.#wanted || this.#muted || this.#hushed;
  }

  #play() {
    this.#video.play().catch(() => {}); // a gesture will do it
    if (this.#loudspeaker) this.setLoudspeaker(this.#loudspeaker).catch(() => {});
  }

  #paintNext() {
    this.#video.cancelVideoFrameCallback(this.#painting);
    this.#painting = this.#video.requestVideoFrameCallback((now, { width, height }) => {
      this.#paint(width, height);
      this.onDraw(now);
      this.#paintNext();
    });
  }

  /**
   * @param {number} width
   * @param {number} height
   */
  #paint(width, height) {
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
    }
    this.#context2d.drawImage(this.#video, 0, 0);
    this.drawn += 1;
  }

  /**
   * The server sends a word's sound.
   * @param {Word} event
   */
  word({ item_id: id, audio_offset_ms: offset, audio_duration_ms: length }) {
    const from = performance.now() + DELAY - offset;
    const isSame = this.#item.id === id;
    this.#item = { id, from: isSame ? Math.max(from, this.#item.from) : from, end: offset + length };
  }

  /** Sound and pictures come as a stream. */
  sound() {}
  frame() {}
  flush() {
    this.#item.end = this.heard.ms;
  }

  /** Forget the session. */
  reset() {
    this.#video.cancelVideoFrameCallback(this.#painting);
    this.#video.srcObject = null;
    this.#item = { id: null, from: 0, end: 0 };
    this.drawn = 0;
  }

  /** The browser does not tell where it stands on the session's clock. */
  get position() {
    return null;
  }

  /**
   * How much of which item has been heard, by the times of its words.
   * @returns {{ item: string | null, ms: number }}
   */
  get heard() {
    const { id, from, end } = this.#item;
    return { item: id, ms: id ? Math.max(0, Math.min(end, performance.now() - from)) : 0 };
  }

  stats() {
    return {
      drawn: this.drawn,
      dropped_frames: this.#video.getVideoPlaybackQuality().droppedVideoFrames,
      late: 0,
      codec: this.drawn ? "vp8" : "",
      position_ms: null,
      behind_ms: null,
      heard: this.heard,
      buffered_ms: 0,
      av_offset_ms: null,
      av_offset_p95_ms: null,
      audio_peak: this.peak,
      audio_running: this.isUnlocked,
    };
  }
}
