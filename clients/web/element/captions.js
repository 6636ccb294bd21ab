// What both sides said, put together from the server's events. No page in here: lines go out as plain objects.

/** @typedef {import("../types/vasari.js").Line} Line */

export class Captions {
  /** @type {Map<string, Line>} */
  #lines = new Map(); // by item id
  /** @type {Map<string, number[]>} */
  #words = new Map(); // item id -> where its words start in ms, as the server times them
  /** @type {Map<string, string>} */
  #items = new Map(); // response id -> item id
  #tell;

  /** @param {(line: Line) => void} tell */
  constructor(tell) {
    this.#tell = tell;
  }

  /**
   * What the person typed; it is shown at once.
   * @param {string} id
   * @param {string} text
   */
  typed(id, text) {
    this.#set(id, "user", { text, final: true });
  }

  /**
   * Take note of any server event; most mean nothing here.
   * @param {import("../types/vasari.js").ServerEvent} event
   */
  event(event) {
    const { item_id: id, response_id: response } = /** @type {import("../types/vasari.js").Json} */ (event);
    switch (event.type) {
      case "input_audio_buffer.speech_started":
        return this.#begin(id);
      case "conversation.item.input_audio_transcription.delta":
        return this.#append(id, "user", event.delta);
      case "conversation.item.input_audio_transcription.completed":
        return this.#set(id, "user", { text: event.transcript.trim(), final: true });
      case "conversation.item.input_audio_transcription.failed":
      case "conversation.item.deleted":
        return this.#withdraw(id);
      case "response.output_audio_transcript.delta":
      case "response.output_text.delta":
        this.#items.set(response, id);
        return this.#append(id, "assistant", event.delta);
      case "response.output_audio_transcript.done":
        return this.#set(id, "assistant", { text: event.transcript });
      case "response.output_text.done":
        return this.#set(id, "assistant", { text: event.text });
      case "response.audio_timestamp.delta":
        return this.#timed(id, event.audio_offset_ms);
      case "response.done":
        return this.#done(event.response);
      default:
        return undefined;
    }
  }

  /**
   * So much of the item's sound has been heard.
   * @param {string} id
   * @param {number} ms
   */
  progress(id, ms) {
    const line = this.#lines.get(id);
    const starts = this.#words.get(id);
    if (!line || !starts || line.interrupted) return;
    const spoken = starts.filter((start) => start <= ms).length;
    const heard = spoken === starts.length && line.final ? line.text.length : endOfWord(line.text, spoken);
    if (heard !== line.heard) this.#set(id, line.role, { heard });
  }

  /**
   * The item's sound stopped early: what was not heard was not said.
   * @param {string} id
   */
  interrupt(id) {
    const line = this.#lines.get(id);
    if (!line || line.interrupted) return;
    const text = this.#words.has(id) ? line.text.slice(0, line.heard) : line.text;
    this.#set(id, line.role, { text, heard: text.length, interrupted: true, final: true });
  }

  /**
   * The person begins to speak; an earlier line that never got words was nothing.
   * @param {string} id
   */
  #begin(id) {
    for (const line of this.#lines.values()) if (line.role === "user" && !line.text) this.#withdraw(line.id);
    this.#set(id, "user", { text: "" });
  }

  /** @param {string} id */
  #withdraw(id) {
    const line = this.#lines.get(id);
    if (line) this.#set(id, line.role, { text: "", final: true });
  }

  /**
   * @param {string} id
   * @param {number} start
   */
  #timed(id, start) {
    const words = this.#words.get(id) ?? [];
    this.#words.set(id, [...words, start]);
    const line = this.#lines.get(id);
    if (line && !words.length) this.#set(id, line.role, { heard: 0 });
  }

  /** @param {import("../types/vasari.js").Json} response */
  #done(response) {
    const id = this.#items.get(response.id) ?? "";
    const line = this.#lines.get(id);
    if (!line) return;
    if (response.status === "cancelled") this.interrupt(id);
    else this.#set(id, line.role, { final: true });
  }

  /**
   * @param {string} id
   * @param {Line["role"]} role
   * @param {string} delta
   */
  #append(id, role, delta) {
    const line = this.#lines.get(id);
    if (!line?.interrupted) this.#set(id, role, { text: (line?.text ?? "") + delta });
  }

  /**
   * @param {string} id
   * @param {Line["role"]} role
   * @param {Partial<Line>} changes
   */
  #set(id, role, changes) {
    /** @type {Line} */
    const before = this.#lines.get(id) ?? { id, role, text: "", final: false, interrupted: false, heard: 0 };
    if (before.interrupted) return;
    const line = { ...before, ...changes };
    if (!this.#words.has(id)) line.heard = line.text.length;
    this.#lines.set(id, line);
    this.#tell(line);
  }
}

/**
 * The index in `text` after its first words.
 * @param {string} text
 * @param {number} count of them
 */
function endOfWord(text, count) {
  let end = 0;
  for (const match of text.matchAll(/\S+/g)) {
    if (count-- <= 0) break;
    end = match.index + match[0].length;
  }
  return end;
}
