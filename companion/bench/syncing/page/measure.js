// Holds a conversation with the test character and notes what this browser really paints and plays, times in ms on
// performance.now(). The player is not asked: the canvas and the way to the loudspeaker are watched from outside.
const SPEAKS = [3000, 8000]; // ms that it has spoken when it is interrupted, at least and at most
const PATIENCE = 8000; // ms for an answer, then it is asked again
const SEND_EVERY = 500; // ms
const CLOCK_EVERY = 100; // ms

const wanted = new URLSearchParams(location.search);
const { cell, columns, rows, fields, check: modulus, clap } = await (await fetch("character.json")).json(); // see clapper.py
const channel = new WebSocket(`ws://${location.host}/notes`);
const opened = new Promise((resolve) => (channel.onopen = resolve));
let notes = [];
const note = (...what) => notes.push(what);
const send = () => channel.send(JSON.stringify(notes.splice(0)));
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// --- what is painted

const cells = new OffscreenCanvas(columns, rows).getContext("2d", { willReadFrequently: true });
cells.imageSmoothingEnabled = false;

const drawImage = CanvasRenderingContext2D.prototype.drawImage;
CanvasRenderingContext2D.prototype.drawImage = function (...what) {
  drawImage.apply(this, what);
  if (this.canvas.className === "face") painted(this.canvas, performance.now());
};

function painted(canvas, at) {
  const { width, height } = canvas;
  cells.drawImage(canvas, 0, height - cell * rows, width, cell * rows, 0, 0, columns, rows);
  const { data } = cells.getImageData(0, 0, columns, rows);
  let next = 0;
  const bit = () => Number(data[4 * next++] > 127);
  const number = (width) => Array.from({ length: width }, bit).reduce((value, one) => 2 * value + one, 0);
  const { check, ...read } = Object.fromEntries(Object.entries(fields).map(([name, width]) => [name, number(width)]));
  const sum = Object.values(read).reduce((total, value) => total + value);
  if (sum % modulus !== check) return note("unreadable", at);
  const age = (Math.round(performance.timeOrigin + at) - read.drawn) & (2 ** fields.drawn - 1);
  note("frame", at, read.frame, read.clap, read.since, read.open, age);
}

// --- what is played

let audible = false;
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (target, ...more) {
  if (target instanceof AudioDestinationNode) tap(this);
  return connect.call(this, target, ...more);
};

async function tap(node) {
  const { context } = node;
  await context.audioWorklet.addModule("tap.js");
  const listener = new AudioWorkletNode(context, "vasari-tap", { numberOfOutputs: 0, processorOptions: clap });
  listener.port.onmessage = ({ data }) => {
    if (data[0] !== "clap") audible = data[0] === "audible";
    note(...data);
  };
  connect.call(node, listener);
  setInterval(() => {
    const { contextTime, performanceTime } = context.getOutputTimestamp();
    if (contextTime) note("clock", contextTime, performanceTime, 1000 * context.outputLatency);
  }, CLOCK_EVERY);
}

// --- the visitor's voice

const mouth = new AudioContext();
const microphone = new MediaStreamAudioDestinationNode(mouth, { channelCount: 1 });
navigator.mediaDevices.getUserMedia = async () => microphone.stream.clone();
const voice = new Float32Array(await (await fetch("voice")).arrayBuffer());
const begins = Number(wanted.get("begins")); // s, where the speech begins in it

function interrupt() {
  const sound = new AudioBuffer({ length: voice.length, sampleRate: 24000 });
  sound.copyToChannel(voice, 0);
  const source = new AudioBufferSourceNode(mouth, { buffer: sound });
  connect.call(source, microphone);
  const at = mouth.currentTime + 0.05;
  source.start(at);
  note("interrupt", performance.now() + 1000 * (at - mouth.currentTime + begins));
  return sleep(1000 * (sound.duration + 0.05));
}

// --- the conversation

async function until(condition, patience = PATIENCE) {
  const end = performance.now() + patience;
  while (!condition() && performance.now() < end) await sleep(20);
  return condition();
}

async function converse(face, end) {
  while (performance.now() < end) {
    if (!(await until(() => face.state === "speaking" && audible))) {
      note("unanswered", performance.now());
      face.ask("Go on.").catch(() => {});
      continue;
    }
    await sleep(SPEAKS[0] + (SPEAKS[1] - SPEAKS[0]) * Math.random());
    if (face.state === "speaking" && performance.now() < end) await interrupt();
  }
}

await import(wanted.get("code"));
await opened;
const sending = setInterval(send, SEND_EVERY);
const face = document.createElement("vasari-avatar");
face.src = wanted.get("server");
face.addEventListener("vasari-error", ({ detail }) => note("error", performance.now(), `${detail.code}`));
face.addEventListener("vasari-status", ({ detail }) => note("status", performance.now(), detail.status));
document.body.append(face);
if (!(await until(() => face.stats().drawn > 0, 30_000))) note("error", performance.now(), "no_face");
else {
  await Promise.all([mouth.resume(), face.talk()]);
  face.ask("Go on.").catch(() => {});
  await converse(face, performance.now() + 1000 * Number(wanted.get("seconds")));
}
note("stats", face.stats());
note("done");
clearInterval(sending);
send();
