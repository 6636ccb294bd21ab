// What the server says to take care of the visitor: who helps, that this is an AI, that it is time for a break.

/** The visitor's country as the browser's language tells it, "" where it does not. */
export function country() {
  try {
    return new Intl.Locale(navigator.language).region ?? "";
  } catch {
    return "";
  }
}

export class Care {
  #place;
  #notice;

  /** `place` shows who helps until it is closed; `notice` says that this is an AI. */
  constructor(place, notice) {
    this.#place = place;
    this.#notice = notice;
    place.querySelector("button").addEventListener("click", () => (place.hidden = true));
  }

  show(event) {
    if (event.type === "session.created" && event.session.disclosure) this.#notice.textContent = event.session.disclosure;
    if (event.type !== "avatar.safety") return;
    if (event.kind === "disclosure") this.#notice.textContent = event.message;
    else if (event.resources.length) this.#help(event);
  }

  #help({ resources, note }) {
    this.#place.querySelector("ul").replaceChildren(...resources.map((line) => this.#line(line)));
    this.#place.querySelector("p").textContent = note;
    this.#place.hidden = false;
  }

  #line({ name, call, text, url, emergency, hours }) {
    const row = document.createElement("li");
    const title = document.createElement("b");
    title.textContent = name;
    row.append(title);
    if (call) row.append(` call ${call}`);
    if (text) row.append(`, text ${text}`);
    if (hours) row.append(` (open ${hours})`);
    if (emergency) row.append(`; in danger: ${emergency}`);
    if (url?.startsWith("https://")) {
      const link = document.createElement("a");
      link.href = url;
      link.target = "_blank";
      link.rel = "noreferrer";
      link.textContent = new URL(url).host;
      row.append(" ", link);
    }
    return row;
  }
}
