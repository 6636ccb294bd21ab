// What is said, over the picture: a few words at a time, those that were heard darker than those to come.

/** @typedef {import("../types/vasari.js").Line} Line */

const LONGEST = 84; // characters that are shown at once: two lines
const STAYS = 4000; // ms after the last word

/**
 * The part of `text` in which its first `heard` characters end -> [where it begins, where it ends]. Parts are
 * sentences, and long ones at their words.
 * @param {string} text
 * @param {number} heard
 * @returns {[number, number]}
 */
export function portion(text, heard) {
  let begin = 0;
  for (const { index, 0: sentence } of text.matchAll(/\S.*?(?:[.!?…]+["”’)]*(?=\s)|[。！？]|$)/gs)) {
    const end = index + sentence.length;
    for (begin = index; begin < end; ) {
      const part = partOf(text, begin, end);
      if (heard <= part) return [begin, part];
      const next = part + (text.slice(part, end).match(/^\s*/)?.[0].length ?? 0);
      if (next >= end) break;
      begin = next;
    }
  }
  return [begin, text.length];
}

/**
 * Where the part ends that begins at `begin` of a sentence that ends at `end`.
 * @param {string} text
 * @param {number} begin
 * @param {number} end
 */
function partOf(text, begin, end) {
  if (end - begin <= LONGEST) return end;
  const parts = Math.ceil((end - begin) / LONGEST); // of about the same length
  const space = text.lastIndexOf(" ", begin + Math.ceil((end - begin) / parts) + 6);
  return space > begin ? space : Math.min(end, begin + LONGEST);
}

export class Subtitles {
  #place;
  #announce;
  #hiding = 0;
  /** @type {Set<string>} */
  #told = new Set(); // ids of what screen readers have been told

  /**
   * @param {HTMLElement} place
   * @param {HTMLElement} announce a live region: screen readers hear whole lines, not every word
   */
  constructor(place, announce) {
    this.#place = place;
    this.#announce = announce;
  }

  /** @param {Line} line */
  show(line) {
    if (line.final && line.text && !this.#told.has(line.id)) this.#tell(line);
    clearTimeout(this.#hiding);
    const over = line.final && line.heard >= line.text.length;
    if (over) this.#hiding = setTimeout(() => this.clear(), STAYS);
    const [begin, end] = portion(line.text, line.role === "user" ? line.text.length : line.heard);
    const [heard, unsaid] = this.#place.children;
    heard.textContent = line.text.slice(begin, Math.max(begin, line.heard));
    unsaid.textContent = line.interrupted ? "" : line.text.slice(Math.max(begin, line.heard), end);
    this.#place.classList.toggle("user", line.role === "user");
    this.#place.hidden = begin >= end;
  }

  clear() {
    this.#place.hidden = true;
  }

  /** @param {Line} line */
  #tell({ id, role, text }) {
    this.#told.add(id);
    const said = document.createElement("p");
    said.textContent = role === "user" ? `You: ${text}` : text;
    this.#announce.append(said);
    if (this.#announce.childElementCount > 20) this.#announce.firstElementChild?.remove();
  }
}
