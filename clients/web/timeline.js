// Where playback stands on the session's output clock, in samples at RATE.
//
// Media arrives stamped with the server's clock. Playback runs `lead` samples behind its arrival, so that uneven
// arrival is not heard. The same arithmetic runs in the audio worklet (the master clock) and, before a gesture has
// allowed sound, on performance.now().

export const RATE = 24000;

const MIN_LEAD = 0.1 * RATE;
const MAX_LEAD = 0.35 * RATE;
const LEAD_STEP = 0.03 * RATE;
const CALM = 20 * RATE; // without a late arrival for so long, the lead shrinks again
const WATCH = 2 * RATE; // over so long the spare time is observed before it is cut
const SLACK = 0.05 * RATE; // spare time that is not worth a jump
const LOST = 1.0 * RATE; // farther from the server's clock than this: start afresh (sleep, suspended tab)

export class Timeline {
  constructor() {
    this.lead = MIN_LEAD;
    this.late = 0; // how often media came after its moment
    this.reset();
  }

  reset() {
    this.position = null; // null until the first media
    this.rebase = false;
    this.spare = Infinity;
    this.watched = 0;
    this.calm = 0;
  }

  /** After a flush: the next media that arrives is played as soon as its lead allows. */
  skipAhead() {
    this.rebase = true;
  }

  /** Take note of media that starts at `start`. Returns true when the position jumped. */
  arrive(start) {
    const before = this.position;
    const spare = before === null ? 0 : start - before;
    if (before === null || Math.abs(spare) > LOST) this.position = start - this.lead;
    else if (spare < 0) {
      this.lead = Math.min(MAX_LEAD, this.lead + LEAD_STEP);
      this.late += 1;
      this.calm = 0;
      this.position = start - this.lead;
    } else if (this.rebase) this.position = Math.max(before, start - this.lead);
    this.rebase = false;
    this.spare = Math.min(this.spare, start - this.position);
    return this.position !== before;
  }

  /** Let `samples` pass; `silent` says that nothing audible is waiting. Returns true when the position jumped. */
  advance(samples, silent) {
    if (this.position === null) return false;
    this.position += samples;
    this.calm += samples;
    this.watched += samples;
    if (this.calm > CALM && this.lead > MIN_LEAD) {
      this.lead = Math.max(MIN_LEAD, this.lead - LEAD_STEP);
      this.calm = 0;
    }
    if (this.watched < WATCH) return false;
    const cut = this.spare - this.lead;
    const jump = silent && Number.isFinite(cut) && cut > SLACK;
    if (jump) this.position += Math.floor(cut);
    if (jump || silent) {
      this.watched = 0;
      this.spare = Infinity;
    }
    return jump;
  }
}
