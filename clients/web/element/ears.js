// The microphone that stays: it goes over to another device when its own goes away, or a better one comes.
import { Microphone } from "./microphone.js";

const SYSTEMS = "default"; // Chromium's id of the system's own choice
const MUTED = 1000; // ms without sound after which a muted microphone is opened anew

export class Ears {
  #hear;
  #changed;
  #failed;
  #swapped;
  /** @type {Microphone | null} */
  #microphone = null;
  #on = false; // it is open
  #device = "";

  /**
   * @param {{ hear(pcm: ArrayBuffer): void, changed(on: boolean): void, swapped(): void, failed(error: unknown): void }} owner
   * `hear` gets every 20 ms as PCM16 at 24 kHz; `swapped` is called when it is on and its `track` has become another;
   * `failed` why it went off by itself
   */
  constructor({ hear, changed, swapped, failed }) {
    this.#hear = hear;
    this.#changed = changed;
    this.#swapped = swapped;
    this.#failed = failed;
  }

  get on() {
    return this.#on;
  }

  get level() {
    return this.#microphone?.level ?? 0;
  }

  /** What is heard, as a track. */
  get track() {
    return this.#microphone?.track ?? null;
  }

  /** The id of the device that is wanted; "" is the system's own choice. */
  get device() {
    return this.#device;
  }

  set device(id) {
    if (id === this.#device) return;
    this.#device = id;
    this.#swap();
  }

  /** Throws MicrophoneError. */
  async open() {
    if (this.#microphone) return;
    const microphone = (this.#microphone = new Microphone());
    try {
      await microphone.start(this.#hear, this.#device);
    } catch (error) {
      if (this.#microphone === microphone) this.#microphone = null;
      throw error;
    }
    if (this.#microphone !== microphone) return microphone.stop(); // closed while the browser was asking
    this.#watch(microphone);
    this.#turn(true);
  }

  close() {
    if (!this.#microphone) return;
    this.#microphone.stop();
    this.#microphone = null;
    this.#turn(false);
  }

  /** @param {boolean} on */
  #turn(on) {
    if (on === this.#on) return;
    this.#on = on;
    this.#changed(on);
  }

  resume() {
    this.#microphone?.resume();
  }

  /**
   * Devices have come or gone: go over to the one that is wanted, or to what is the system's choice now.
   * @param {MediaDeviceInfo[]} there
   */
  reconsider(there) {
    const track = this.#microphone?.track;
    if (!track) return;
    const { deviceId, groupId } = track.getSettings();
    const wanted = there.find((device) => device.deviceId === (this.#device || SYSTEMS));
    const moved = wanted && (this.#device ? wanted.deviceId !== deviceId : wanted.groupId !== groupId);
    if (moved || !there.some((device) => device.deviceId === deviceId)) this.#swap();
  }

  /** @param {Microphone} microphone */
  #watch(microphone) {
    const track = microphone.track;
    if (!track) return;
    const isOurs = () => this.#microphone === microphone;
    track.onended = () => isOurs() && this.#swap();
    track.onmute = () => setTimeout(() => isOurs() && track.muted && this.#swap(), MUTED);
  }

  /** Open the device that is wanted now, and then leave the one before. */
  async #swap() {
    const before = this.#microphone;
    if (!before?.track) return; // off, or being opened
    const next = new Microphone();
    try {
      await next.start(this.#hear, this.#device);
    } catch (error) {
      if (this.#microphone !== before || before.track?.readyState === "live") return;
      this.close();
      this.#failed(error);
      return;
    }
    if (this.#microphone !== before) return next.stop();
    before.stop();
    this.#microphone = next;
    this.#watch(next);
    this.#swapped();
  }
}
