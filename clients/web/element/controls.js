// What <vasari-avatar controls> has of its own, for pages that bring none: a button to talk, a line to write, a
// button that stops the face, and one for settings.
import { listen } from "./listen.js";

/** @typedef {import("./avatar.js").VasariAvatar} VasariAvatar */

const HTML = `
  <form class="controls glass" part="controls" autocomplete="off">
    <button type="button" class="talk" part="talk" aria-pressed="false">
      <svg viewBox="0 0 24 24" aria-hidden="true"><rect class="level" x="9" y="3" width="6" height="11" rx="3"/><rect x="9" y="3" width="6" height="11" rx="3"/><path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3"/></svg>
      <span>Talk</span>
    </button>
    <input class="line" part="line" aria-label="Write instead of speaking" placeholder="Or write here" enterkeyhint="send" maxlength="2000">
    <button type="button" class="round stop" part="stop" title="Stop the answer (Esc)" aria-label="Stop the answer" hidden>
      <svg viewBox="0 0 24 24" aria-hidden="true"><rect class="solid" x="7" y="7" width="10" height="10" rx="2"/></svg>
    </button>
    <button type="button" class="round settings" part="settings" title="Sound and microphone" aria-label="Sound and microphone">
      <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M4 7.5h9m5 0h2M4 16.5h2m5 0h9"/><circle cx="15.5" cy="7.5" r="2.4"/><circle cx="8.5" cy="16.5" r="2.4"/></svg>
    </button>
  </form>`;

/**
 * Put them into `foot`.
 * @param {VasariAvatar} face
 * @param {HTMLElement} foot
 * @param {(text: string) => void} notice tells the visitor something
 */
export function addControls(face, foot, notice) {
  foot.insertAdjacentHTML("beforeend", HTML);
  const form = /** @type {HTMLFormElement} */ (foot.querySelector("form"));
  const talk = /** @type {HTMLButtonElement} */ (form.querySelector(".talk"));
  const line = /** @type {HTMLInputElement} */ (form.querySelector(".line"));
  const stop = /** @type {HTMLButtonElement} */ (form.querySelector(".stop"));
  const tell = (/** @type {{ message: string }} */ { message }) => notice(message);

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = line.value.trim();
    if (!text) return;
    if (face.status === "open") line.value = "";
    face.ask(text).catch(tell);
  });
  stop.addEventListener("click", () => {
    face.interrupt();
    talk.focus();
  });
  form.querySelector(".settings")?.addEventListener("click", () => face.showSettings());
  addTalk(face, talk, notice, () => face.talk());
  listen(face, "vasari-state", ({ state }) => (stop.hidden = state !== "speaking" && state !== "thinking"));
  listen(face, "vasari-status", ({ status }) => (talk.disabled = status !== "open"));
  talk.disabled = face.status !== "open";
}

/**
 * A press turns the microphone on and off; with push-to-talk it is heard while the button, or its space bar, is held.
 * @param {VasariAvatar} face
 * @param {HTMLButtonElement} button with a span that names it
 * @param {(text: string) => void} notice
 * @param {() => Promise<void>} talk turns the microphone on
 */
export function addTalk(face, button, notice, talk) {
  const label = /** @type {HTMLElement} */ (button.querySelector("span"));
  const tell = (/** @type {{ message: string }} */ { message }) => notice(message);
  const show = () => {
    const hears = face.pushToTalk ? face.isPressed : face.listening;
    button.setAttribute("aria-pressed", String(hears));
    label.textContent = face.pushToTalk ? (hears ? "Listening" : "Hold to talk") : hears ? "Mic on" : "Talk";
  };
  const press = () => face.press().catch(tell);
  button.addEventListener("click", () => {
    if (face.pushToTalk) return;
    if (face.listening) face.stop();
    else talk().catch(tell);
  });
  button.addEventListener("pointerdown", (event) => {
    if (!face.pushToTalk || event.button !== 0) return;
    button.setPointerCapture(event.pointerId);
    press();
  });
  for (const end of ["pointerup", "pointercancel", "blur"]) button.addEventListener(end, () => face.release());
  button.addEventListener("contextmenu", (event) => face.pushToTalk && event.preventDefault());
  button.addEventListener("keydown", ({ key, repeat }) => face.pushToTalk && !repeat && (key === " " || key === "Enter") && press());
  button.addEventListener("keyup", () => face.release());
  listen(face, "vasari-microphone", ({ on: isOn }) => {
    show();
    notice(isOn && !face.pushToTalk ? "Go ahead." : "");
  });
  listen(face, "vasari-press", show);
  show();
}
