// Recordings of conversations: the switch, and what has been recorded of the visitor, to save or delete.

const AGAIN = 1500; // ms after which a recording that was begun, or ended, may be listed as such

export class Recordings {
  #face;
  #memory;
  #section;
  #switch;
  #list;
  #fail;
  #waiting = 0;

  /** `section` holds a checkbox and a list, and is hidden where the server keeps no recordings; `fail` shows a message. */
  constructor(face, memory, section, fail) {
    this.#face = face;
    this.#memory = memory;
    this.#section = section;
    this.#switch = section.querySelector("input");
    this.#list = section.querySelector("ul");
    this.#fail = fail;
    this.#switch.addEventListener("change", () => this.#agree(this.#switch.checked));
    face.addEventListener("vasari-event", ({ detail }) => this.#told(detail));
  }

  /** Show what there is. */
  async show() {
    if (this.#section.hidden || !this.#memory.user) return this.#list.replaceChildren();
    try {
      const { recordings } = await this.#memory.ask("GET", "recordings");
      this.#list.replaceChildren(...recordings.map((recording) => this.#row(recording)));
      const isGoingOn = recordings.some(isBeingMade);
      if (isGoingOn !== this.#switch.checked && this.#section.closest("dialog").open) this.#later();
      return undefined;
    } catch (error) {
      return this.#fail(error.message);
    }
  }

  /** It belongs to the visitor, by the name that only this browser knows: else nobody could ask for it. */
  #agree(yes) {
    if (yes) this.#memory.name();
    this.#face.recording = yes ? { consent: true } : null;
    this.#later();
  }

  #told({ session, error }) {
    const was = this.#switch.checked;
    if (error?.param === "session.recording" && this.#face.recording) this.#face.recording = null; // it has ended
    if (session) {
      this.#section.hidden = !session.recordable;
      this.#switch.checked = (this.#face.recording ?? session.recording)?.consent ?? false;
    }
    if (was !== this.#switch.checked) this.#later();
  }

  #later() {
    clearTimeout(this.#waiting);
    this.#waiting = setTimeout(() => this.show(), AGAIN);
  }

  #row(recording) {
    const { id, at, files } = recording;
    const row = document.createElement("li");
    const when = document.createElement("span");
    when.textContent = new Date(at).toLocaleString() + (isBeingMade(recording) ? ", still being recorded" : "");
    row.append(when);
    if (!isBeingMade(recording)) row.append(button("Video", when.textContent, () => this.#save(id, "mp4")));
    if (files.includes("vtt")) row.append(button("Words", when.textContent, () => this.#save(id, "vtt")));
    row.append(button("Delete", when.textContent, () => this.#delete(id)));
    return row;
  }

  async #save(id, kind) {
    try {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(await this.#memory.fetch("GET", `recordings/${id}.${kind}`).then((response) => response.blob()));
      link.download = `${id}.${kind}`;
      link.click();
      URL.revokeObjectURL(link.href);
    } catch (error) {
      this.#fail(error.message);
    }
  }

  async #delete(id) {
    await this.#memory.ask("DELETE", `recordings/${id}`).catch((error) => this.#fail(error.message));
    await this.show();
  }
}

const isBeingMade = ({ files }) => !files.includes("mp4");

function button(text, of, press) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "plain";
  made.textContent = text;
  made.setAttribute("aria-label", `${text}: ${of}`);
  made.addEventListener("click", press);
  return made;
}
