// The microphone as 24 kHz PCM16, with the browser's echo cancellation: the face must not hear itself.

const CONSTRAINTS = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };

/** Why the microphone cannot be had: `code` is "insecure", "refused", "missing", "busy" or "failed". */
export class MicrophoneError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

const REASONS = {
  NotAllowedError: ["refused", "The browser refused the microphone to this page."],
  NotFoundError: ["missing", "No microphone was found."],
  NotReadableError: ["busy", "The microphone is in use by another program."],
};

/** "granted", "denied", "prompt", or "insecure" where the page may not ask at all. */
export async function microphonePermission() {
  if (!navigator.mediaDevices?.getUserMedia) return "insecure";
  try {
    return (await navigator.permissions.query({ name: "microphone" })).state;
  } catch {
    return "prompt"; // this browser does not tell
  }
}

export class Microphone {
  level = 0; // peak of the last 20 ms, 0 to 1

  /** Ask for the microphone and give every 20 ms of it to `listen(ArrayBuffer)`. Throws MicrophoneError. */
  async start(listen) {
    if (!navigator.mediaDevices?.getUserMedia)
      throw new MicrophoneError("insecure", "Browsers give the microphone only to pages from https:// or localhost.");
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ audio: CONSTRAINTS });
    } catch (error) {
      const [code, message] = REASONS[error.name] ?? ["failed", `The microphone could not be opened: ${error.message}`];
      throw new MicrophoneError(code, message);
    }
    try {
      await this.#connect(listen);
    } catch (error) {
      this.stop();
      throw new MicrophoneError("failed", `The microphone could not be read: ${error.message}`);
    }
  }

  async #connect(listen) {
    // Its own context at the device's rate: not every browser connects a microphone to a context of another rate.
    this.context = new AudioContext({ latencyHint: "interactive" });
    await this.context.audioWorklet.addModule(new URL("./microphone-worklet.js", import.meta.url));
    const node = new AudioWorkletNode(this.context, "vasari-microphone", { numberOfOutputs: 0, channelCount: 1 });
    node.port.onmessage = ({ data }) => {
      this.level = data.peak;
      listen(data.pcm);
    };
    this.context.createMediaStreamSource(this.stream).connect(node);
    await this.context.resume();
  }

  /** Called when the device goes away by itself. */
  onEnded(call) {
    for (const track of this.stream.getAudioTracks()) track.onended = call;
  }

  stop() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.context?.close();
    this.stream = this.context = undefined;
    this.level = 0;
  }
}
