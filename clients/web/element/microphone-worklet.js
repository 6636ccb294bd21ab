// Turns the microphone's sound into 24 kHz PCM16, 20 ms at a time, with a windowed-sinc low-pass (Smith's
// bandlimited interpolation: https://ccrma.stanford.edu/~jos/resample/).

const RATE = 24000;
const PIECE = 480; // samples at RATE in a message: 20 ms
const ZEROS = 12; // zero crossings on each side of the kernel
const PHASES = 512;

/** h[k] of the kernel at distance k / PHASES, in units of the slower rate's samples; 0 <= k <= ZEROS * PHASES. */
function kernel() {
  const table = new Float32Array(ZEROS * PHASES + 1);
  for (let k = 0; k < table.length; k++) {
    const x = k / PHASES;
    const sinc = k === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
    table[k] = sinc * Math.cos((Math.PI / 2) * (x / ZEROS)) ** 2;
  }
  return table;
}

class Resampler {
  constructor(from, to) {
    this.step = from / to; // input samples for one output sample
    this.scale = Math.min(1, to / from) * 0.94; // a little below Nyquist, for the kernel's skirt
    this.half = Math.ceil(ZEROS / this.scale);
    this.table = kernel();
    this.input = new Float32Array(this.half);
    this.at = this.half; // where the next output sample falls in `input`
  }

  /** All output samples that `block` completes, given to `put` one by one. */
  push(block, put) {
    const input = new Float32Array(this.input.length + block.length);
    input.set(this.input);
    input.set(block, this.input.length);
    for (; this.at + this.half < input.length; this.at += this.step) put(this.sample(input));
    const used = Math.max(0, Math.floor(this.at) - this.half);
    this.input = input.subarray(used);
    this.at -= used;
  }

  sample(input) {
    const first = Math.ceil(this.at - this.half);
    const last = Math.floor(this.at + this.half);
    const unit = this.scale * PHASES;
    let sum = 0;
    for (let i = Math.max(0, first); i <= last; i++) {
      const k = Math.round(Math.abs(i - this.at) * unit);
      if (k < this.table.length) sum += input[i] * this.table[k];
    }
    return sum * this.scale;
  }
}

class Microphone extends AudioWorkletProcessor {
  constructor() {
    super();
    this.resampler = new Resampler(sampleRate, RATE);
    this.start();
  }

  start() {
    this.piece = new Int16Array(PIECE);
    this.length = 0;
    this.peak = 0;
  }

  put(value) {
    this.peak = Math.max(this.peak, Math.abs(value));
    this.piece[this.length++] = Math.max(-32768, Math.min(32767, Math.round(value * 32768)));
    if (this.length < PIECE) return;
    this.port.postMessage({ pcm: this.piece.buffer, peak: this.peak }, [this.piece.buffer]);
    this.start();
  }

  process([[channel]]) {
    if (channel) this.resampler.push(channel, (value) => this.put(value));
    return true;
  }
}

registerProcessor("vasari-microphone", Microphone);
