// Plays sound at its place on the session's clock, and is that clock: it tells the page where it stands. timeline.js
// has to be added to the context before.

const RATE = 24000;
const REPORT_EVERY = 8; // render quanta of 128 samples: about 23 reports a second
const QUIET = 0.003; // of full scale: -50 dB
const FADE = 0.96; // per sample, where sound breaks off, so that it does not click

class Playback extends AudioWorkletProcessor {
  constructor() {
    super();
    this.timeline = new VasariTimeline();
    this.queue = []; // {start, samples, response, item}, in order
    this.item = null; // whose sound was played last
    this.heard = 0; // samples of it that were played
    this.last = 0;
    this.peak = 0;
    this.quanta = 0;
    this.port.onmessage = ({ data }) => this.receive(data);
  }

  receive(message) {
    if (message.kind === "sound") {
      this.jumped(this.timeline.arrive(message.start));
      this.queue.push(message);
    } else if (message.kind === "picture") {
      if (this.isHeard()) this.timeline.arriveHeard(message.start);
      else this.jumped(this.timeline.arrive(message.start));
    } else if (message.kind === "flush") {
      this.queue = this.queue.filter((part) => message.response && part.response !== message.response);
      this.timeline.skipAhead();
      this.report();
    } else if (message.kind === "reset") {
      this.queue = [];
      this.item = null;
      this.timeline.reset();
    }
  }

  /** Whether playback is within a response's sound. */
  isHeard() {
    return this.queue.length > 0 && this.queue[0].start <= this.timeline.position;
  }

  /** Whether the next `samples` of sound are a pause in speech. */
  isPause(samples) {
    if (!this.isHeard()) return false;
    const from = this.timeline.position;
    const to = from + samples;
    const here = this.queue.filter((part) => part.start < to);
    return here.every(({ start, samples: values }) => values.subarray(Math.max(0, from - start), to - start).every((value) => Math.abs(value) < QUIET));
  }

  jumped(yes) {
    if (yes) this.report();
  }

  report() {
    const newest = this.queue.at(-1);
    const { position, late } = this.timeline;
    this.port.postMessage({
      time: currentTime,
      position,
      buffered: newest ? Math.max(0, newest.start + newest.samples.length - position) : 0,
      late,
      peak: this.peak,
      item: this.item,
      heard: this.heard,
    });
    this.peak = 0;
    this.quanta = 0;
  }

  fill(out) {
    const from = this.timeline.position;
    const to = from + out.length;
    let sounding = -1; // the last index that was written
    while (this.queue.length && this.queue[0].start < to) {
      const part = this.queue[0];
      const first = Math.max(from, part.start);
      const last = Math.min(to, part.start + part.samples.length);
      if (last > first) {
        out.set(part.samples.subarray(first - part.start, last - part.start), first - from);
        if (part.item !== this.item) this.heard = 0;
        this.item = part.item;
        this.heard += last - first;
        sounding = last - from - 1;
      }
      if (part.start + part.samples.length > to) break;
      this.queue.shift();
    }
    if (sounding >= 0) this.last = out[sounding];
    for (let i = sounding + 1; i < out.length; i++) out[i] = this.last *= FADE;
  }

  /** Fill `out` and let its time pass -> whether it passed as it does on a clock. */
  play(out) {
    const { timeline } = this;
    if (timeline.debt > 0 && this.isPause(out.length) && timeline.stretch(out.length)) return false;
    const within = timeline.surplus > 0 && this.isPause(2 * out.length); // what is passed over is silent, too
    this.fill(out);
    const passed = timeline.advance(out.length, within || this.queue.length === 0);
    if (within) this.heard += passed;
    return passed === 0;
  }

  process(_inputs, [[left, ...others]]) {
    if (this.timeline.position === null) return true;
    if (this.quanta >= REPORT_EVERY) this.report(); // before anything moves: currentTime is the start of this quantum
    const even = this.play(left);
    for (const value of left) this.peak = Math.max(this.peak, Math.abs(value));
    for (const channel of others) channel.set(left);
    this.quanta += even ? 1 : REPORT_EVERY;
    return true;
  }
}

if (sampleRate !== RATE) throw new Error(`the audio context runs at ${sampleRate} Hz, not ${RATE}`);
registerProcessor("vasari-playback", Playback);
