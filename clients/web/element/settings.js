// The dialog that chooses microphone, loudspeaker, and how to talk.
import { devices, watchDevices } from "./devices.js";
import { listen } from "./listen.js";

/** @typedef {import("./avatar.js").VasariAvatar} VasariAvatar */

const HTML = `
  <dialog part="dialog" aria-labelledby="settings-title">
    <h2 id="settings-title">Sound and microphone</h2>
    <label class="field"><span>Microphone</span><select name="microphone"></select></label>
    <div class="field meter" role="meter" aria-label="How loud the microphone is" aria-valuemin="0" aria-valuemax="1" aria-valuenow="0"><i></i></div>
    <label class="field"><span>Loudspeaker</span><select name="loudspeaker"></select></label>
    <label class="field"><span>Volume of the voice</span><input type="range" name="volume" min="0" max="1" step="0.01"></label>
    <label class="tick"><input type="checkbox" name="push"><span>Talk only while I hold the button</span></label>
    <label class="tick"><input type="checkbox" name="captions"><span>Show what is said</span></label>
    <form method="dialog" class="done"><button type="button" class="full">Full screen</button><button class="primary" autofocus>Done</button></form>
  </dialog>`;
const LEVEL_EVERY = 100; // ms

/**
 * Show it in `stage`, which has the microphone's --level.
 * @param {VasariAvatar} face
 * @param {HTMLElement} stage
 */
export function showSettings(face, stage) {
  const place = document.createElement("div");
  place.innerHTML = HTML;
  const dialog = /** @type {HTMLDialogElement} */ (place.firstElementChild);
  const of = (/** @type {string} */ selector) => /** @type {HTMLInputElement & HTMLSelectElement} */ (dialog.querySelector(selector));
  const [microphone, loudspeaker, volume, push, captions] = ["microphone", "loudspeaker", "volume", "push", "captions"].map((name) => of(`[name=${name}]`));
  const over = new AbortController();

  const list = (/** @type {import("../types/vasari.js").Devices} */ found) => {
    fill(microphone, found.microphones, face.microphone, "Microphone");
    fill(loudspeaker, found.loudspeakers, face.loudspeaker, "Loudspeaker");
    of(".field:has([name=loudspeaker])").hidden = !found.loudspeakers.length;
  };
  devices().then(list);
  watchDevices(list, over.signal);
  listen(face, "vasari-microphone", () => devices().then(list), { signal: over.signal }); // now they have names
  volume.value = String(face.volume);
  push.checked = face.pushToTalk;
  captions.checked = face.captions;
  of(".full").hidden = !document.fullscreenEnabled;

  microphone.addEventListener("change", () => (face.microphone = microphone.value));
  loudspeaker.addEventListener("change", () => (face.loudspeaker = loudspeaker.value));
  volume.addEventListener("input", () => (face.volume = Number(volume.value)));
  push.addEventListener("change", () => (face.pushToTalk = push.checked));
  captions.addEventListener("change", () => (face.captions = captions.checked));
  of(".full").addEventListener("click", () => {
    dialog.close();
    face.requestFullscreen().catch(() => {});
  });
  const meter = of(".meter");
  const measuring = setInterval(() => meter.setAttribute("aria-valuenow", face.level.toFixed(2)), LEVEL_EVERY);
  dialog.addEventListener("close", () => {
    clearInterval(measuring);
    over.abort();
    dialog.remove();
    face.dispatchEvent(new CustomEvent("vasari-settled"));
  });
  stage.append(dialog);
  dialog.showModal();
}

/**
 * @param {HTMLSelectElement} select
 * @param {MediaDeviceInfo[]} found
 * @param {string} chosen an id, which may be away
 * @param {string} kind
 */
function fill(select, found, chosen, kind) {
  const options = found.filter(({ deviceId }) => !["default", "communications"].includes(deviceId));
  const named = options.map(({ deviceId, label }, i) => new Option(label || `${kind} ${i + 1}`, deviceId));
  select.replaceChildren(new Option("As the system chooses", ""), ...named);
  if (chosen && !options.some(({ deviceId }) => deviceId === chosen)) select.add(new Option(`${kind} that is not connected`, chosen));
  select.value = chosen;
}
