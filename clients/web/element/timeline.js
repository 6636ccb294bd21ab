// Where playback stands on the session's output clock, in samples at RATE.
//
// Media arrives stamped with the server's clock. Playback runs `lead` samples behind its arrival, so that uneven
// arrival is not heard. The same arithmetic runs in the audio worklet (the master clock) and, before a gesture has
// allowed sound, on performance.now().

export const RATE = 24000;

const MIN_LEAD = 0.1 * RATE;
const MAX_LEAD = 0.24 * RATE; // with the journey, what is heard is hardly ever older than 300 ms
const LEAD_STEP = 0.03 * RATE;
const CALM = 20 * RATE; // without a late arrival for so long, the lead shrinks again
const WATCH = 0.5 * RATE; // over so long it is observed how early media comes
const SLACK = 0.03 * RATE; // earliness that is not worth a change
const HURRY = 0.5; // extra speed in pauses and while nobody speaks: an unheard way to win back a delay
const MAX_DEBT = 0.4 * RATE; // the most that pauses in speech are stretched to let pictures catch up
const LOST = 1.0 * RATE; // farther from the server's clock than this: start afresh (sleep, suspended tab)

export class Timeline {
  lead = MIN_LEAD;
  late = 0; // how often media came after its moment
  /** @type {number | null} */
  position = null; // null until the first media
  rebase = false;
  calm = 0;
  surplus = 0; // delay beyond the lead, to be won back
  debt = 0; // delay that pictures need and speech has not granted yet
  spare = Infinity; // the least earliness of what arrived
  watched = 0;

  reset() {
    this.position = null;
    this.rebase = false;
    this.calm = 0;
    this.surplus = this.debt = 0;
    this.watchAgain();
  }

  watchAgain() {
    this.spare = Infinity;
    this.watched = 0;
  }

  /** After a flush: the next media that arrives is played as soon as its lead allows. */
  skipAhead() {
    this.rebase = true;
  }

  /**
   * Take note of media that starts at `start` -> whether the position jumped.
   * @param {number} start
   */
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
    this.spare = Math.min(this.spare, start - (this.position ?? start));
    if (this.position === before) return false;
    this.surplus = this.debt = 0;
    return true;
  }

  /**
   * Take note of a picture while sound is being heard: late pictures do not break a word, they wait for a pause.
   * @param {number} start
   */
  arriveHeard(start) {
    const behind = (this.position ?? start) - start;
    this.spare = Math.min(this.spare, -behind);
    if (behind > 0) {
      this.late += 1;
      this.debt = Math.min(MAX_DEBT, Math.max(this.debt, behind + LEAD_STEP));
    } else this.debt = 0;
  }

  /**
   * Whether a pause of `samples` should be stretched: playback then stands still for so long.
   * @param {number} samples
   */
  stretch(samples) {
    if (this.debt <= 0) return false;
    this.debt -= samples;
    return true;
  }

  /**
   * Let `samples` pass -> how many more were passed over.
   * @param {number} samples
   * @param {boolean} silent nothing audible is lost if a little is passed over
   */
  advance(samples, silent) {
    if (this.position === null) return 0;
    const extra = silent ? Math.min(this.surplus, Math.floor(samples * HURRY)) : 0;
    this.position += samples + extra;
    this.surplus -= extra;
    this.spare -= extra;
    this.calm += samples;
    if (this.calm > CALM && this.lead > MIN_LEAD) {
      this.lead = Math.max(MIN_LEAD, this.lead - LEAD_STEP);
      this.calm = 0;
    }
    this.watched += samples;
    if (this.watched >= WATCH) {
      const surplus = this.spare - this.lead;
      this.surplus = Number.isFinite(surplus) && surplus > SLACK ? Math.floor(surplus) : 0;
      this.watchAgain();
    }
    return extra;
  }
}

// Bundlers copy the files of a worklet, and leave what these import behind: within a worklet it is found by this name.
if ("registerProcessor" in globalThis) Object.assign(globalThis, { VasariTimeline: Timeline });
