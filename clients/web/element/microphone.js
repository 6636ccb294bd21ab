// The microphone as 24 kHz PCM16, with the browser's echo cancellation: the face must not hear itself.
import { microphoneError, refusalOf } from "./errors.js";

const CONSTRAINTS = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
const GONE = ["OverconstrainedError", "NotFoundError"]; // what a browser says of a device that is not there

/** @returns {Promise<PermissionState | "insecure">} "insecure" where the page may not ask at all */
export async function microphonePermission() {
  if (!navigator.mediaDevices?.getUserMedia) return "insecure";
  try {
    return (await navigator.permissions.query({ name: /** @type {PermissionName} */ ("microphone") })).state;
  } catch {
    return "prompt"; // this browser does not tell
  }
}

/** Whether the page around this one, if any, passes the microphone on. Only Chromium says. */
function isPassedOn() {
  const policy = /** @type {{ featurePolicy?: { allowsFeature(name: string): boolean } }} */ (document).featurePolicy;
  return policy?.allowsFeature("microphone") ?? true;
}

/**
 * The device `id`, or the system's own choice where it is not there.
 * @param {string} id
 */
async function streamOf(id) {
  const ask = (/** @type {object} */ more) => navigator.mediaDevices.getUserMedia({ audio: { ...CONSTRAINTS, ...more } });
  if (!id) return ask({});
  return ask({ deviceId: { exact: id } }).catch((error) => {
    if (GONE.includes(error.name)) return ask({});
    throw error;
  });
}

export class Microphone {
  level = 0; // peak of the last 20 ms, 0 to 1
  /** @type {MediaStream | undefined} */
  #stream;
  /** @type {AudioContext | undefined} */
  #context;

  /**
   * Ask for the microphone and give every 20 ms of it to `listen`. Throws MicrophoneError.
   * @param {(pcm: ArrayBuffer) => void} listen
   * @param {string} device the id of one; "" is the system's own choice
   */
  async start(listen, device) {
    if (!navigator.mediaDevices?.getUserMedia) throw microphoneError("insecure");
    try {
      this.#stream = await streamOf(device);
    } catch (error) {
      throw refusalOf(error, isPassedOn());
    }
    try {
      await this.#connect(this.#stream, listen);
    } catch (error) {
      console.warn("<vasari-avatar>:", error);
      this.stop();
      throw microphoneError("failed");
    }
  }

  /**
   * @param {MediaStream} stream
   * @param {(pcm: ArrayBuffer) => void} listen
   */
  async #connect(stream, listen) {
    // Its own context at the device's rate: not every browser connects a microphone to a context of another rate.
    this.#context = new AudioContext({ latencyHint: "interactive" });
    await this.#context.audioWorklet.addModule(new URL("./microphone-worklet.js", import.meta.url).href);
    const node = new AudioWorkletNode(this.#context, "vasari-microphone", { numberOfOutputs: 0, channelCount: 1 });
    node.port.onmessage = ({ data }) => {
      this.level = data.peak;
      listen(data.pcm);
    };
    this.#context.createMediaStreamSource(stream).connect(node);
    await this.#context.resume();
  }

  get track() {
    return this.#stream?.getAudioTracks()[0];
  }

  /** A call, or a locked screen, suspends it on phones; a gesture brings it back. */
  resume() {
    if (this.#context && this.#context.state !== "running") this.#context.resume().catch(() => {});
  }

  stop() {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#context?.close();
    this.#stream = this.#context = undefined;
    this.level = 0;
  }
}
