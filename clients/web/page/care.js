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
  #offer;
  #notice;

  /**
   * `place` shows who helps until it is closed. `offer` holds a button that shows it again; where the visitor may not
   * be in danger at all, it is only offered. `notice` says that this is an AI.
   */
  constructor(place, offer, notice) {
    this.#place = place;
    this.#offer = offer;
    this.#notice = notice;
    const opener = offer.querySelector("button");
    const closer = place.querySelector("button");
    opener.addEventListener("click", () => {
      place.hidden = false;
      closer.focus();
    });
    closer.addEventListener("click", () => {
      const focused = document.activeElement === closer;
      place.hidden = true;
      if (focused) opener.focus();
    });
  }

  show(event) {
    if (event.session?.disclosure) this.#notice.textContent = event.session.disclosure;
    if (event.type !== "avatar.safety") return;
    if (event.kind === "disclosure") this.#notice.textContent = event.message;
    else if (event.resources.length) this.#help(event);
  }

  #help({ kind, resources, note }) {
    this.#place.querySelector("ul").replaceChildren(...resources.map(lineOf));
    this.#place.querySelector("p").textContent = note;
    this.#offer.hidden = false;
    if (kind === "crisis") this.#place.hidden = false;
  }
}

/** Who helps, and how to reach them with one press. */
function lineOf({ name, call, text, url, emergency, hours }) {
  const row = document.createElement("li");
  row.append(Object.assign(document.createElement("b"), { textContent: name }));
  if (hours) row.append(` (open ${hours})`);
  const ways = document.createElement("span");
  ways.className = "ways";
  if (call) ways.append(link(`Call ${call}`, `tel:${dialled(call)}`));
  if (text) ways.append(link(`Text ${text}`, `sms:${dialled(text)}`));
  if (emergency) ways.append(link(`In danger: ${emergency}`, `tel:${dialled(emergency)}`));
  if (url?.startsWith("https://")) {
    ways.append(Object.assign(link(new URL(url).host, url), { target: "_blank", rel: "noreferrer" }));
  }
  row.append(ways);
  return row;
}

const link = (textContent, href) => Object.assign(document.createElement("a"), { textContent, href });
const dialled = (number) => number.match(/[+\d][\d ()/.-]*/)?.[0].replace(/[^+\d]/g, "") ?? "";
