// What `ask` and `say` wait for: the end of the response that they began.
import { AvatarError } from "./errors.js";

/** @typedef {import("../types/vasari.js").Answer} Answer */
/** @typedef {import("../types/vasari.js").ServerEvent} ServerEvent */

export class Asks {
  /** @type {Map<string, { resolve(answer: Answer): void, reject(error: Error): void }>} */
  #waiting = new Map();
  #textOf;

  /** @param {(item: string) => string} textOf what was heard of an item */
  constructor(textOf) {
    this.#textOf = textOf;
  }

  /**
   * The answer to the `response.create` that has `id` as its event_id, and as "ask" in its metadata.
   * @param {string} id
   * @returns {Promise<Answer>}
   */
  wait(id) {
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  /** @param {ServerEvent} event not the end of a response that goes on when the page's functions have returned */
  event(event) {
    if (event.type === "error") this.#fail(event.error.event_id ?? "", event.error);
    else if (event.type === "response.done") this.#done(event.response);
  }

  /** The connection is lost, and no answer will come. */
  lose() {
    const lost = { code: "connection_lost", message: "The connection was lost before the answer came." };
    for (const id of [...this.#waiting.keys()]) this.#fail(id, lost);
  }

  /** @param {import("../types/vasari.js").Json} response */
  #done({ metadata, status, output, status_details: details }) {
    const id = metadata?.ask ?? "";
    if (status === "failed") return this.#fail(id, details.error);
    const said = output.filter((/** @type {{ type: string }} */ item) => item.type === "message");
    this.#take(id)?.resolve({ text: said.map((/** @type {{ id: string }} */ item) => this.#textOf(item.id)).join(" "), status });
  }

  /**
   * @param {string} id
   * @param {{ code: string, message?: string }} problem
   */
  #fail(id, { code, message = "The answer failed." }) {
    this.#take(id)?.reject(new AvatarError(code, message));
  }

  /** @param {string} id */
  #take(id) {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }
}
