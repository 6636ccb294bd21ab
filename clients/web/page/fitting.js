// Before a picture is used: the face that was found, with points that the visitor can move.
import { LABELS, follow, lines, outline, push, shown, squareOf } from "./landmarks.js";

const SVG = "http://www.w3.org/2000/svg";
const REACH = 26; // CSS px within which a press takes a point
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const TEXTS = {
  found: ["Is this the face?", "The points should lie on the eyes, the lips and the chin. Drag those that do not."],
  several: ["Which face?", "Several were found. Choose the one to use: then its points should lie on the eyes, the lips and the chin."],
  check: ["Please check this face", "Its eyes or its mouth were hard to make out. Drag the points to where they belong."],
  missing: [
    "Where is the face?",
    "None was found. Drag the points to the eyes, the mouth and the chin; while you place the first ones, the others follow.",
  ],
};

export class Fitting {
  #dialog;
  #stage;
  #size = [1, 1];
  #faces = []; // points of those that were found
  #chosen = 0; // which of them
  #points = {};
  #placed = null; // names that were moved, where the others follow; else null
  #changed = false;
  #drawn = false; // as it was found
  #drag = null;
  #use = async () => {};

  /** `dialog` is the page's: see index.html. */
  constructor(dialog) {
    this.#dialog = dialog;
    this.#stage = dialog.querySelector("svg");
    this.#stage.addEventListener("pointerdown", (event) => this.#press(event));
    this.#stage.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) this.#stage.addEventListener(end, () => this.#release());
    for (const input of dialog.querySelectorAll("[name=part]")) input.addEventListener("change", () => this.#show(input.value));
    this.#button("reset").addEventListener("click", () => this.#begin(this.#chosen));
    this.#button("use").addEventListener("click", () => this.#submit());
    new ResizeObserver(() => this.#draw()).observe(this.#stage);
  }

  /**
   * Show `picture` (a URL) and its `landmarks` {width, height, points}, those of `others` in it, `warnings`, whether it is
   * `drawn` in flat colours, and what is to be thought of it: "found", "check", "several" or "missing". `use(landmarks)` is
   * called with the visitor's points, and `drawn` where that was corrected, or null where nothing was; when it throws, the
   * visitor goes on. Resolves to whether the face was used.
   */
  open({ picture, landmarks, others, warnings, kind, drawn = false }, use) {
    this.#use = use;
    this.#size = [landmarks.width, landmarks.height];
    this.#faces = [landmarks, ...others].map(({ points }) => shown(points));
    const [title, advice] = TEXTS[kind];
    this.#dialog.querySelector("h2").textContent = title;
    this.#dialog.querySelector(".advice").textContent = advice;
    this.#dialog.querySelector(".warnings").replaceChildren(...warnings.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
    this.#missing = kind === "missing";
    this.#drawn = drawn;
    this.#furnish(picture);
    this.#begin(0);
    this.#problem("");
    this.#dialog.returnValue = "";
    this.#dialog.showModal();
    this.#show(this.#missing || others.length ? "picture" : "face");
    return new Promise((resolve) => this.#dialog.addEventListener("close", () => resolve(this.#dialog.returnValue === "used"), { once: true }));
  }

  #missing = false;

  #button(value) {
    return this.#dialog.querySelector(`[value=${value}]`);
  }

  get #tick() {
    return this.#dialog.querySelector("[name=drawn]");
  }

  #problem(message) {
    const problem = this.#dialog.querySelector(".problem");
    problem.textContent = message;
    problem.hidden = !message;
  }

  /** Choose one of the faces, as it was found. */
  #begin(chosen) {
    this.#chosen = chosen;
    this.#points = shown(this.#faces[chosen]);
    this.#placed = this.#missing ? new Set() : null;
    this.#changed = chosen > 0;
    this.#tick.checked = this.#drawn;
    this.#draw();
  }

  /** The picture and the elements of the points. */
  #furnish(picture) {
    const make = (name, attributes, parent = this.#stage) => {
      const element = document.createElementNS(SVG, name);
      for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
      parent.append(element);
      return element;
    };
    this.#stage.replaceChildren();
    const [width, height] = this.#size;
    make("image", { href: picture, width, height, preserveAspectRatio: "none" });
    this.#faces.forEach((points, i) => {
      const other = make("path", { class: "other", d: outline(points), "data-face": i, tabindex: 0, role: "button", "aria-label": `Face ${i + 1}: use this one` });
      other.addEventListener("click", () => this.#begin(i));
      other.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        this.#begin(i);
      });
    });
    for (const name of ["outline", "lines"]) for (const layer of ["under", "over"]) make("path", { class: `${name} ${layer}` });
    for (const name of Object.keys(this.#faces[0])) {
      const point = make("g", { class: "point", "data-name": name, tabindex: 0, role: "button" });
      point.setAttribute("aria-roledescription", "movable point");
      point.setAttribute("aria-label", `${LABELS[name]}. Arrow keys move it.`);
      make("circle", { class: name.endsWith("iris") ? "iris" : "" }, point);
      point.addEventListener("keydown", (event) => this.#key(event, name));
      point.addEventListener("focus", () => this.#name(name));
      point.addEventListener("blur", () => this.#name(""));
    }
  }

  #name(name) {
    this.#dialog.querySelector("output").textContent = LABELS[name] ?? "";
  }

  #show(part) {
    this.#dialog.querySelector(`[name=part][value=${part}]`).checked = true;
    const { x, y, side } = squareOf(part, this.#points, this.#size);
    this.#stage.setAttribute("viewBox", `${x} ${y} ${side} ${side}`);
    this.#draw();
  }

  /** CSS px of one px of the picture. */
  get #scale() {
    return this.#stage.getScreenCTM()?.a || 1;
  }

  #draw() {
    if (!this.#dialog.open) return;
    const scale = this.#scale;
    for (const other of this.#stage.querySelectorAll(".other")) other.toggleAttribute("hidden", Number(other.dataset.face) === this.#chosen);
    for (const path of this.#stage.querySelectorAll(".under, .over")) {
      path.setAttribute("d", path.classList.contains("lines") ? lines(this.#points) : outline(this.#points));
    }
    for (const point of this.#stage.querySelectorAll(".point")) {
      const [x, y] = this.#points[point.dataset.name];
      point.setAttribute("transform", `translate(${x} ${y}) scale(${1 / scale})`);
    }
  }

  #press(event) {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(this.#stage.getScreenCTM().inverse());
    const away = (name) => Math.hypot(this.#points[name][0] - at.x, this.#points[name][1] - at.y);
    const nearest = Object.keys(this.#points).reduce((best, name) => (away(name) < away(best) ? name : best));
    if (away(nearest) * this.#scale > REACH) return;
    event.preventDefault();
    this.#stage.setPointerCapture(event.pointerId);
    this.#drag = { name: nearest, x: event.clientX, y: event.clientY };
    this.#stage.querySelector(`[data-name=${nearest}]`).focus();
  }

  #move(event) {
    if (!this.#drag) return;
    const { name, x, y } = this.#drag;
    this.#shift(name, (event.clientX - x) / this.#scale, (event.clientY - y) / this.#scale);
    Object.assign(this.#drag, { x: event.clientX, y: event.clientY });
  }

  #release() {
    this.#drag = null;
  }

  #key(event, name) {
    const arrow = ARROWS[event.key];
    if (!arrow) return;
    event.preventDefault();
    const step = (event.shiftKey ? 10 : 1) / this.#scale;
    this.#shift(name, arrow[0] * step, arrow[1] * step);
  }

  #shift(name, dx, dy) {
    const [x, y] = this.#points[name];
    const [width, height] = this.#size;
    this.#points[name] = [Math.min(Math.max(x + dx, 0), width), Math.min(Math.max(y + dy, 0), height)];
    this.#changed = true;
    const pushed = push(this.#points, name);
    if (this.#placed) {
      for (const moved of [name, ...pushed]) this.#placed.add(moved);
      const others = Object.keys(this.#points).filter((other) => !this.#placed.has(other));
      Object.assign(this.#points, follow(others, [...this.#placed], this.#faces[this.#chosen], this.#points));
    }
    this.#draw();
  }

  async #submit() {
    const [width, height] = this.#size;
    const inside = ([x, y]) => [Math.min(Math.max(x, 0), width), Math.min(Math.max(y, 0), height)];
    const moved = this.#changed || this.#missing;
    const points = moved ? Object.fromEntries(Object.entries(this.#points).map(([name, place]) => [name, inside(place)])) : {};
    const told = this.#tick.checked === this.#drawn ? {} : { drawn: this.#tick.checked };
    const use = this.#button("use");
    use.disabled = true;
    this.#problem("");
    try {
      await this.#use(moved || "drawn" in told ? { width, height, points, ...told } : null);
      this.#dialog.close("used");
    } catch (error) {
      this.#problem(error.message);
    } finally {
      use.disabled = false;
    }
  }
}
