// Whose face it is: the server's characters, and the visitor's own picture.

const LARGEST = 20e6; // bytes: the server takes no more

async function list(what) {
  const response = await fetch(`/v1/${what}`);
  if (!response.ok) throw new Error(`The list of ${what} could not be read (${response.status}).`);
  return (await response.json())[what];
}

/** The server's characters: [{name, title, credit, picture}]. */
export const characters = () => list("characters");

/** Who can be talked to: [{id, name, summary}]. */
export const personas = () => list("personas");

/** Send a picture: {id, warnings}. Throws an Error with the server's own words. */
export async function upload(file, key) {
  if (file.type && !file.type.startsWith("image/")) throw new Error(`“${file.name}” is not a picture. Use a JPEG, PNG or WebP file.`);
  if (file.size > LARGEST) throw new Error(`“${file.name}” is larger than ${LARGEST / 1e6} MB. Use a smaller picture.`);
  const body = new FormData();
  body.append("file", file);
  let response;
  try {
    response = await fetch("/v1/portraits", { method: "POST", body, headers: key ? { Authorization: `Bearer ${key}` } : {} });
  } catch {
    throw new Error("The picture could not be sent: the server did not answer. Try again when it is back.");
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw new Error(answer?.error?.message ?? `The server refused the picture (${response.status}).`);
  return { id: answer.id, warnings: answer.warnings ?? [] };
}

export class Sitters {
  #cards;
  #choose;
  chosen = null;

  /** `choose(sitter)` is called with {name, title, credit, picture} when the visitor picks one. */
  constructor(cards, choose) {
    this.#cards = cards;
    this.#choose = choose;
  }

  add(sitter) {
    const card = document.createElement("label");
    card.className = "card";
    card.innerHTML = '<input type="radio" name="sitter"><img class="thumb" alt="" loading="lazy"><span class="who"><b></b><small></small></span>';
    const input = card.querySelector("input");
    input.value = sitter.name;
    input.addEventListener("change", () => this.#pick(sitter));
    card.querySelector("img").src = sitter.picture;
    card.querySelector("b").textContent = sitter.title;
    card.querySelector("small").textContent = card.title = sitter.credit;
    this.#cards.append(card);
    return input;
  }

  /** Add a sitter and choose it. */
  welcome(sitter) {
    this.add(sitter).checked = true;
    this.#pick(sitter);
  }

  /** Choose the first one again. */
  first() {
    this.#cards.querySelector("input").click();
  }

  #pick(sitter) {
    this.chosen = sitter;
    this.#choose(sitter);
  }
}
