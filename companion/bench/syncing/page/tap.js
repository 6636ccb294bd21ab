// Notes the claps in the sound that goes to the loudspeaker, and whether anything is heard. See clapper.py.

class Tap extends AudioWorkletProcessor {
  constructor({ processorOptions }) {
    super();
    this.clap = processorOptions;
    this.first = -Infinity; // frame of a pulse that waits for its second
    this.audible = false;
  }

  process([[sound]]) {
    let peak = 0;
    for (let i = 0; i < (sound?.length ?? 0); i++) {
      const level = Math.abs(sound[i]);
      peak = Math.max(peak, level);
      if (level > this.clap.loud) this.pulse(currentFrame + i);
    }
    const audible = peak > this.clap.audible;
    if (audible !== this.audible) this.port.postMessage([audible ? "audible" : "silent", currentTime]);
    this.audible = audible;
    return true;
  }

  pulse(at) {
    const number = (at - this.first - this.clap.shortest) / this.clap.step;
    if (number < 0 || number >= this.clap.numbers) {
      this.first = at;
      return;
    }
    this.port.postMessage(["clap", this.first / sampleRate, Math.floor(number)]);
    this.first = -Infinity;
  }
}

registerProcessor("vasari-tap", Tap);
