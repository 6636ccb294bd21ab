// Whose face it is: the server's characters, and the visitor's own picture.

import { viewOf } from "./landmarks.js";

const THUMB = 512; // px
const LARGEST = 20e6; // bytes: the server takes no more

async function list(what) {
  const response = await fetch(`v1/${what}`);
  if (!response.ok) throw new Error(`The list of ${what} could not be read (${response.status}).`);
  return (await response.json())[what];
}

/** The server's characters: [{name, title, credit, picture}]. */
export const characters = () => list("characters");

/** Who can be talked to: [{id, name, summary, voice}]. */
export const personas = () => list("personas");

/** How they can sound: [{id, summary}]. */
export const voices = () => list("voices");

/** Ask the server for `who`, a visitor's {key, user}; `lost` is what to say when it does not answer. Throws an Error with the
 * server's own words, its code, and the landmarks that came with it. */
async function ask(path, options, { key, user }, lost) {
  const headers = { ...options.headers, ...(key && { Authorization: `Bearer ${key}` }), ...(user && { "Vasari-User": user }) };
  let response;
  try {
    response = await fetch(`v1/portraits${path}`, { ...options, headers });
  } catch {
    throw new Error(`${lost}: the server did not answer. Try again when it is back.`);
  }
  if (response.ok) return response;
  const { error, landmarks } = (await response.json().catch(() => null)) ?? {};
  throw Object.assign(new Error(error?.message ?? `The server refused (${response.status}).`), { code: error?.code, landmarks });
}

/** Whether this browser can show the picture at `url`. */
async function shows(url) {
  const image = new Image();
  image.src = url;
  return image.decode().then(() => true, () => false);
}

/** A URL of `file` as a picture that this browser can show; the server's copy of the upload `id` where it cannot. */
export async function pictureOf(file, id, who) {
  const url = URL.createObjectURL(file);
  if (await shows(url)) return url;
  URL.revokeObjectURL(url);
  if (!id) throw new Error(`No face was found in “${file.name}”, and this browser cannot show it. Save it as JPEG or PNG.`);
  const response = await ask(`/${id}/picture`, {}, who, "The picture could not be read");
  return URL.createObjectURL(await response.blob());
}

/** A URL of what will be animated of the picture at `url`, whose place it takes: the part around its face. */
export async function portraitOf(url, { width, height, points }) {
  const { x, y, side } = viewOf(points, [width, height]);
  const image = new Image();
  image.src = url;
  await image.decode();
  const scale = image.naturalWidth / width;
  const canvas = new OffscreenCanvas(THUMB, THUMB);
  canvas.getContext("2d").drawImage(image, x * scale, y * scale, side * scale, side * scale, 0, 0, THUMB, THUMB);
  URL.revokeObjectURL(url);
  return URL.createObjectURL(await canvas.convertToBlob({ type: "image/jpeg" }));
}

/** Correct the landmarks of an upload: {id, warnings, landmarks, check, others, drawn, waits}. Throws as `upload` does. */
export async function correct(id, landmarks, who) {
  const options = { method: "PUT", body: JSON.stringify(landmarks), headers: { "Content-Type": "application/json" } };
  return (await ask(`/${id}/landmarks`, options, who, "The points could not be sent")).json();
}

/** Consent to the upload `id` is withdrawn: the server has no copy of its file left, and takes none. Throws as `upload`. */
export const withdraw = (id, who) => ask(`/${id}`, { method: "DELETE" }, who, "The picture could not be withdrawn");

/** A sentence for the person in the upload `id` to say to the camera: {say, seconds}. Throws as `upload` does. */
export async function sentence(id, who) {
  return (await ask(`/${id}/presence`, { method: "POST" }, who, "A sentence could not be asked for")).json();
}

/** A film of the person in the upload `id` who says the sentence. Throws as `upload` does. */
export async function appear(id, clip, who) {
  const options = { method: "PUT", body: clip, headers: { "Content-Type": clip.type } };
  return (await ask(`/${id}/presence`, options, who, "The film could not be sent")).json();
}

/** Throws an Error that says why `file` cannot be sent, if it cannot. */
export function inspect(file) {
  if (file.type && !file.type.startsWith("image/")) throw new Error(`“${file.name}” is not a picture. Use a JPEG, PNG or WebP file.`);
  if (file.size > LARGEST) throw new Error(`“${file.name}” is larger than ${LARGEST / 1e6} MB. Use a smaller picture.`);
}

/**
 * Send a picture, on what ground it may be shown ("self", "agreed", "art"), and landmarks where a visitor placed them: {id,
 * warnings, landmarks, check, others, drawn, waits}. Where it waits, its person must be seen (`appear`). Throws an Error with
 * the server's own words; where no face was found its code is "no_face", and it has landmarks to be placed.
 */
export async function upload(file, ground, who, landmarks = null) {
  const body = new FormData();
  body.append("file", file);
  if (landmarks) body.append("landmarks", JSON.stringify(landmarks));
  return (await ask(`?ground=${ground}`, { method: "POST", body }, who, "The picture could not be sent")).json();
}

export class Sitters {
  #cards;
  #choose;
  chosen = null;

  /** `choose(sitter)` is called with {name, title, credit, picture} when the visitor picks one. A sitter with `withdraw`,
   * which is called with it, can be withdrawn. */
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
    card.querySelector("img").src = sitter.picture.replace(/^\//, ""); // the page may be anywhere below its host
    card.querySelector("b").textContent = sitter.title;
    card.querySelector("small").textContent = card.title = sitter.credit;
    if (sitter.withdraw) card.querySelector(".who").append(this.#button(sitter));
    this.#cards.append(card);
    return input;
  }

  #button(sitter) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: "Withdraw" });
    button.setAttribute("aria-label", `Withdraw ${sitter.credit}`);
    button.addEventListener("click", () => sitter.withdraw(sitter));
    return button;
  }

  /** Add a sitter and choose it. */
  welcome(sitter) {
    this.add(sitter).checked = true;
    this.#pick(sitter);
  }

  /** A sitter is no longer to be had: take it away, and if it was the chosen one, choose the first. */
  leave({ name } = this.chosen) {
    const [first, ...others] = this.#cards.children;
    others.find((card) => card.querySelector("input").value === name)?.remove();
    if (this.chosen.name === name) first.querySelector("input").click();
  }

  #pick(sitter) {
    this.chosen = sitter;
    this.#choose(sitter);
  }
}
