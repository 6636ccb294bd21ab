// The face alone, for an <iframe> of another page, which may lead it by messages: docs/guides/embed.md. Only pages that the
// server's `allowed_origins` name can show this one (frame-ancestors), so whoever is around it may be told what is said.
import "../vasari.js";

const EVENTS = ["status", "state", "caption", "microphone", "press", "error", "event"];
const SETTABLE = ["character", "persona", "voice", "poster", "captions", "controls", "pushToTalk", "emotion", "gaze", "volume", "muted", "instructions", "memory", "safety"];

const face = document.querySelector("vasari-avatar");
const around = window.parent;
const results = new Map(); // id of a call -> what takes its result
let origin = ""; // of the page around this one, once it has spoken
let calls = 0;

const tell = (type, more) => origin && around.postMessage({ vasari: type, ...more }, origin);

/** A function of the page around: it is told of the call, and sends the result. */
const remote = (tool) => ({
  ...tool,
  run: (args) =>
    new Promise((resolve) => {
      const call = `call_${(calls += 1)}`;
      results.set(call, resolve);
      tell("tool", { call, name: tool.name, arguments: args });
    }),
});

/** What a message asks for; what is returned goes back with the message's id. */
const ACTS = {
  hello: () => undefined,
  connect: ({ key = "" }) => {
    face.key = key;
    face.connect();
  },
  set: ({ values }) => {
    for (const name of SETTABLE) if (name in values) face[name] = values[name];
  },
  tools: ({ tools }) => {
    face.tools = tools.map(remote);
  },
  result: ({ call, result }) => {
    results.get(call)?.(result);
    results.delete(call);
  },
  ask: ({ text }) => face.ask(text),
  say: ({ text }) => face.say(text),
  interrupt: () => face.interrupt(),
  stop: () => face.stop(),
};

window.addEventListener("message", async ({ data, source, origin: from }) => {
  if (source !== around || around === window || !Object.hasOwn(ACTS, data?.vasari)) return;
  origin = from;
  try {
    tell("done", { id: data.id, result: await ACTS[data.vasari](data) });
  } catch (error) {
    tell("failed", { id: data.id, code: error.code ?? "failed", message: error.message });
  }
});

for (const name of EVENTS) face.addEventListener(`vasari-${name}`, ({ detail }) => tell(name, { detail }));

const wishes = new URLSearchParams(location.search);
for (const name of ["character", "persona", "voice", "emotion", "transport"]) if (wishes.has(name)) face.setAttribute(name, wishes.get(name));
if (wishes.get("captions") === "off") face.captions = false;
if (wishes.get("connect") !== "later") face.connect();
if (around !== window) around.postMessage({ vasari: "ready" }, "*"); // says nothing yet, to whomever it may be
