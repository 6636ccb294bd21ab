export class AvatarError extends Error {
  /**
   * @param {string} code
   * @param {string} message one plain sentence for the visitor
   */
  constructor(code, message) {
    super(message);
    this.name = new.target.name;
    this.code = code;
  }
}

/** Why the microphone cannot be had: `code` is a key of `SENTENCES`. */
export class MicrophoneError extends AvatarError {}

const SENTENCES = {
  insecure: "Browsers give the microphone only to pages from https or localhost: open this page there.",
  embedded: 'The page around this one does not pass the microphone on: its author can, with allow="microphone" on the frame.',
  dismissed: "You have not decided about the microphone yet: press Talk again and choose Allow.",
  refused: "This page may not use your microphone: allow it by the symbol left of the address, and press Talk again.",
  system: "Your system keeps the microphone from this browser: allow it in the system’s privacy settings, and press Talk again.",
  missing: "No microphone was found: plug one in, and press Talk again.",
  busy: "Another program is using the microphone: close it, and press Talk again.",
  failed: "The microphone could not be read: press Talk again, or reload the page.",
};

/** @param {keyof typeof SENTENCES} code */
export const microphoneError = (code) => new MicrophoneError(code, SENTENCES[code]);

/**
 * What getUserMedia's refusal means for the visitor.
 * @param {unknown} error
 * @param {boolean} allowed whether the page around this one passes the microphone on
 */
export function refusalOf(error, allowed) {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  if (name === "NotFoundError") return microphoneError("missing");
  if (name === "NotReadableError" || name === "AbortError") return microphoneError("busy");
  if (name !== "NotAllowedError" && name !== "SecurityError") return microphoneError("failed");
  if (!allowed) return microphoneError("embedded");
  if (/system/i.test(message)) return microphoneError("system");
  return microphoneError(/dismissed/i.test(message) ? "dismissed" : "refused");
}
