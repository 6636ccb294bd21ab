// The page around the face.
import { addTalk } from "../element/controls.js";
import { Care, country } from "./care.js";
import { Fitting } from "./fitting.js";
import { Log } from "./log.js";
import { Memory } from "./memory.js";
import { Presence } from "./presence.js";
import { Recordings } from "./recordings.js";
import { Sitters, appear, characters, correct, inspect, personas, pictureOf, portraitOf, sentence, upload, voices, withdraw } from "./sitters.js";
import { microphonePermission } from "../vasari.js";

const $ = (id) => document.getElementById(id);
const face = $("face");

const STATES = { away: "Away", initializing: "Waking up", idle: "Ready", listening: "Listening", thinking: "Thinking", speaking: "Speaking" };
const TOAST = 6000; // ms
const LEVEL_EVERY = 50; // ms
const FORGOTTEN = 1500; // ms after which "Delete everything" has been done

const log = new Log({ list: $("log"), announce: $("announce"), hint: $("hint") });
const fitting = new Fitting($("fitting"));
const presence = new Presence($("presence"));
const care = new Care($("care"), $("care-offer"), $("disclosure"));
const sitters = new Sitters($("cards"), (sitter) => showSitter(sitter));

function toast(message) {
  $("toast").textContent = message;
  $("toast").hidden = false;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => ($("toast").hidden = true), TOAST);
}

// --- the connection

let wasOpen = false;
let away = 0;

function showStatus(detail) {
  const { status } = detail;
  const names = { open: "Connected", connecting: "Connecting", waiting: "Not connected", closed: "Closed" };
  clearInterval(away);
  $("status").dataset.status = status;
  $("status").lastChild.textContent = names[status];
  if (status === "open") {
    $("away").hidden = true;
    if (wasOpen) log.note(detail.resumed ? "Connected again. The conversation goes on." : "Connected again. This is a new conversation.");
    else if (detail.resumed) toast("The conversation goes on.");
    wasOpen = true;
    showState(face.state);
    if (!sitters.chosen) listSitters();
  } else if (status === "waiting") showAway(detail);
  else if (status === "closed" && detail.reason) {
    showState("away");
    countDown("The conversation has ended", detail.reason);
    $("retry").hidden = false;
  }
}

function showAway({ retryIn, reason, code }) {
  showState("away");
  const wantsKey = code === "invalid_api_key";
  $("key-form").hidden = !wantsKey;
  if (!wantsKey) return countDown(reason ? "No session" : "The server is away", reason || "It may be restarting.", retryIn);
  face.disconnect();
  countDown("This server asks for a key", face.key ? "This key does not fit." : "Whoever runs it can tell you.");
  return $("key").focus();
}

/** Say why there is no connection, and when the next attempt is (none without `wait`, in ms). */
function countDown(title, text, wait = 0) {
  clearInterval(away);
  const until = performance.now() + wait;
  const tell = () => {
    const seconds = Math.max(0, Math.ceil((until - performance.now()) / 1000));
    $("away-text").textContent = wait ? `${text} Trying again in ${seconds} s.` : text;
  };
  $("away-title").textContent = title;
  $("retry").hidden = !wait;
  $("away").hidden = false;
  tell();
  if (wait) away = setInterval(tell, 500);
}

$("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  face.key = $("key").value;
  sessionStorage.setItem("key", face.key);
  $("key-form").hidden = true;
  face.connect();
});
$("retry").addEventListener("click", () => face.reconnect());
face.addEventListener("vasari-status", ({ detail }) => showStatus(detail));
face.addEventListener("vasari-error", ({ detail }) => {
  if (detail.code !== "unknown_character" && detail.code !== "picture_withdrawn") return toast(detail.message);
  sitters.leave(); // an upload, and the server has started anew since, or nobody may use it any more
  if (detail.code === "picture_withdrawn") toast(detail.message);
  else toast("The server no longer has your picture. Choose the file again to go on with it.");
});

// --- what the face does

function showState(state) {
  $("frame").dataset.state = state;
  $("state").lastChild.textContent = STATES[state] ?? state;
  $("interrupt").disabled = state !== "speaking" && state !== "thinking";
}

face.addEventListener("vasari-state", ({ detail }) => {
  showState(detail.state);
  if (detail.state === "speaking" && !face.stats().audio_running) toast("Click anywhere, or press a key, to hear the voice.");
});
face.addEventListener("vasari-caption", ({ detail }) => log.show(detail));

$("interrupt").addEventListener("click", () => face.interrupt());
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
  if ($("sitters").classList.contains("open")) openSheet(false);
  else face.interrupt();
});

$("dock").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (!text) return undefined;
  if (face.status !== "open") return toast("Not sent: the server is away. Your line is still here.");
  $("text").value = "";
  return face.ask(text).catch(({ code, message }) => code === "connection_lost" || toast(message));
});

$("mute").addEventListener("click", () => {
  face.muted = !face.muted;
  $("mute").setAttribute("aria-pressed", String(face.muted));
});
$("volume").addEventListener("input", () => {
  face.volume = $("volume").value / 100;
  if (face.muted) $("mute").click();
});

// --- what it remembers, and what it says for the visitor's sake

face.safety = { country: country() };
const memory = new Memory(face, $("memory"), toast);
const recordings = new Recordings(face, memory, $("recordings"), toast);
for (const id of ["open-memory", "open-memory-narrow"]) $(id).addEventListener("click", () => Promise.all([memory.open(), recordings.show()]));
$("memory").querySelector("[value=forget]").addEventListener("click", () => setTimeout(() => recordings.show(), FORGOTTEN));
face.addEventListener("vasari-event", ({ detail }) => care.show(detail));

// --- the microphone

function answer(dialog) {
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true }));
}

function refused({ message }) {
  $("refused-what").textContent = message;
  $("refused").showModal();
}

async function talk() {
  if (face.status !== "open") return toast("The server is away. Talk again when it is back.");
  if ((await microphonePermission()) === "prompt" && (await answer($("ask"))) !== "yes") return undefined;
  return face.talk().catch(refused);
}

addTalk(face, $("talk"), toast, talk);
face.addEventListener("vasari-microphone", ({ detail }) => {
  $("talk").title = detail.on ? "Turn the microphone off" : "";
  if (detail.on) $("hint").textContent = "Go ahead, it is listening.";
});

// Which devices were chosen, and whether to hold the button, is for the next visit, too.
const CHOICES = ["microphone", "loudspeaker", "pushToTalk"];
const chosen = JSON.parse(localStorage.getItem("vasari-sound") ?? "{}");
for (const name of CHOICES) if (name in chosen) face[name] = chosen[name];
$("sound").addEventListener("click", () => face.showSettings());
face.addEventListener("vasari-settled", () => {
  localStorage.setItem("vasari-sound", JSON.stringify(Object.fromEntries(CHOICES.map((name) => [name, face[name]]))));
  $("volume").value = 100 * face.volume;
});
let level = "0.00";
setInterval(() => {
  const now = Math.min(1, face.level * 2.5).toFixed(2);
  if (now === level) return;
  level = now;
  $("talk").style.setProperty("--level", level);
  $("frame").style.setProperty("--level", level);
}, LEVEL_EVERY);

// --- whose face

function showSitter({ name, title, credit, picture }) {
  face.setAttribute("poster", picture);
  face.setAttribute("character", name);
  face.setAttribute("aria-label", `The face of ${title}`);
  $("title").textContent = title;
  $("credit").textContent = credit;
}

function openSheet(open, first = "close-sitters") {
  $("sitters").classList.toggle("open", open);
  $("open-sitters").setAttribute("aria-expanded", String(open));
  // The sheet is hidden until its first frame, and what is hidden takes no focus.
  requestAnimationFrame(() => requestAnimationFrame(() => $(open ? first : "open-sitters").focus()));
}

$("open-sitters").addEventListener("click", () => openSheet(true));
$("open-persona").addEventListener("click", () => openSheet(true, "persona"));
$("close-sitters").addEventListener("click", () => openSheet(false));

function uploadProblem(message, mild = false) {
  $("upload-problem").textContent = message;
  $("upload-problem").hidden = !message;
  $("upload-problem").classList.toggle("mild", mild);
}

$("whose").querySelector("[value=cancel]").addEventListener("click", () => $("whose").close());

/** With what right pictures are sent, and whose they are where the visitor is to be remembered. */
const visitor = () => ({ key: face.key, user: face.memory?.user });

/** On what ground the visitor shows who is in a picture: "self", "agreed" or "art"; "" where they had rather not. */
async function groundOf() {
  const form = $("whose").querySelector("form");
  form.reset();
  return (await answer($("whose"))) === "yes" ? new FormData(form).get("ground") : "";
}

async function ownPicture(file) {
  if ($("fitting").open || $("whose").open || $("presence").open) return;
  uploadProblem("");
  try {
    inspect(file);
    const ground = await groundOf();
    if (!ground) return;
    $("own").setAttribute("aria-busy", "true");
    await fit(file, ground);
  } catch (error) {
    uploadProblem(error.message);
    if (matchMedia("(max-width: 68rem)").matches) openSheet(true);
  } finally {
    $("own").removeAttribute("aria-busy");
  }
}

/** Send a picture on this ground, let the visitor look at the face in it, and show that face. */
async function fit(file, ground) {
  let sent = await upload(file, ground, visitor()).catch((error) => {
    if (error.code !== "no_face") throw error;
    return { id: null, warnings: [], landmarks: error.landmarks, others: [] };
  });
  const picture = await pictureOf(file, sent.id, visitor());
  const kind = !sent.id ? "missing" : sent.others.length ? "several" : sent.check ? "check" : "found";
  const used = await fitting.open({ picture, kind, ...sent }, async (landmarks) => {
    if (landmarks) sent = sent.id ? await correct(sent.id, landmarks, visitor()) : await upload(file, ground, visitor(), landmarks);
  });
  if (!used || !(await seen(sent))) return URL.revokeObjectURL(picture);
  uploadProblem(sent.warnings.join(" "), true);
  const portrait = await portraitOf(picture, sent.landmarks);
  return sitters.welcome({ name: sent.id, title: "Your picture", credit: file.name, picture: portrait, withdraw: withdrawn });
}

/** Whether the person of an upload may be shown: where the server wants to see them first, they were seen. */
const seen = ({ id, waits }) =>
  !waits || presence.open(() => sentence(id, visitor()), (clip) => appear(id, clip, visitor()));

/** Take an own picture back, for good. */
async function withdrawn(sitter) {
  const asked = `Withdraw “${sitter.credit}”? It is deleted here at once, and nobody can send it to ${location.host} again.`;
  if (!window.confirm(asked)) return;
  try {
    await withdraw(sitter.name, visitor());
    sitters.leave(sitter);
    toast(`“${sitter.credit}” was withdrawn.`);
  } catch (error) {
    uploadProblem(error.message);
  }
}

$("file").addEventListener("change", () => {
  const [file] = $("file").files;
  $("file").value = "";
  if (file) ownPicture(file);
});

const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
document.addEventListener("dragover", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  document.body.classList.add("dropping");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.body.classList.remove("dropping");
});
document.addEventListener("drop", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  document.body.classList.remove("dropping");
  ownPicture(event.dataTransfer.files[0]);
});

// --- start

for (const host of document.querySelectorAll(".host")) host.textContent = location.host;

async function listSitters() {
  try {
    const [first, ...others] = await characters();
    sitters.welcome(first);
    for (const sitter of others) sitters.add(sitter);
  } catch (error) {
    toast(error.message);
  }
}

let persona = ""; // of the session, as the server says
let voice = ""; // the same
let showPersona = () => {};
let showVoice = () => {};
face.addEventListener("vasari-event", ({ detail }) => {
  persona = detail.session?.persona ?? persona;
  voice = detail.session?.audio?.output.voice ?? voice;
  showPersona();
  showVoice();
});

/** The first one is the server's default, which a new session has anyway; one that goes on may have another. */
async function listPersonas() {
  try {
    const all = await personas();
    const show = ({ name, summary }) => {
      log.name = name;
      $("persona-summary").textContent = summary;
      $("open-persona").textContent = name;
      $("open-persona").setAttribute("aria-label", `Personality: ${name}`);
    };
    for (const { id, name } of all) $("persona").add(new Option(name, id));
    $("persona-field").hidden = $("open-persona").hidden = all.length < 2;
    showPersona = () => {
      const found = all.find(({ id }) => id === persona) ?? all[0];
      if ($("persona").value === found.id && log.name === found.name) return;
      $("persona").value = found.id;
      show(found);
    };
    showPersona();
    $("persona").addEventListener("change", () => {
      show(all[$("persona").selectedIndex]);
      face.setAttribute("persona", $("persona").value);
    });
  } catch (error) {
    toast(error.message);
  }
}

/** The personality's own voice, or one for whoever is talked to. */
async function listVoices() {
  try {
    const [all, who] = await Promise.all([voices(), personas()]);
    const named = ({ id, summary }) => id[0].toUpperCase() + id.slice(1) + (summary && `: ${summary}`);
    $("voice").add(new Option("As the personality has it", ""));
    for (const found of all) $("voice").add(new Option(named(found), found.id));
    $("voice-field").hidden = all.length < 2;
    showVoice = () => {
      const own = (who.find(({ id }) => id === persona) ?? who[0]).voice;
      $("voice").value = face.voice ?? (voice && voice !== own ? voice : "");
    };
    showVoice();
    $("voice").addEventListener("change", () => (face.voice = $("voice").value || null));
  } catch (error) {
    toast(error.message);
  }
}

window.vasari = { face, stats: () => face.stats() };
face.key = sessionStorage.getItem("key") ?? "";
face.transport = new URLSearchParams(location.search).get("transport");
await Promise.all([listSitters(), listPersonas(), listVoices()]);
face.connect();
