// Before a face is used whose person has to be seen: they say a sentence to the camera.

const FILM = 6000; // ms
const KINDS = ["video/webm;codecs=vp8,opus", "video/mp4"]; // what browsers record and the server reads
const TEXTS = {
  idle: "Film me",
  filming: "Say it now",
  sending: "Comparing",
};

export class Presence {
  #dialog;
  #view;
  #film;
  #stream = null;
  #ask = async () => ({});
  #send = async () => {};

  /** `dialog` is the page's: see index.html. */
  constructor(dialog) {
    this.#dialog = dialog;
    this.#view = dialog.querySelector("video");
    this.#film = dialog.querySelector("button[value=film]");
    this.#film.addEventListener("click", () => this.#try());
    dialog.addEventListener("close", () => this.#stop());
  }

  /** Film the visitor: `ask()` gives {say}, a sentence, and `send(clip)` takes what was filmed, or throws an Error that
   * says why it does not do. True once it was taken, false where the visitor gave up. */
  async open(ask, send) {
    this.#ask = ask;
    this.#send = send;
    this.#problem("");
    this.#show("idle");
    this.#dialog.returnValue = "";
    this.#dialog.showModal();
    const closed = new Promise((resolve) => this.#dialog.addEventListener("close", resolve, { once: true }));
    await this.#begin();
    await closed;
    return this.#dialog.returnValue === "seen";
  }

  async #begin() {
    this.#film.disabled = true;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user", width: 640, height: 480 }, audio: true });
      if (!this.#dialog.open) return stream.getTracks().forEach((track) => track.stop());
      this.#stream = this.#view.srcObject = stream;
      await this.#next();
      this.#film.disabled = false;
    } catch (error) {
      const refused = !navigator.mediaDevices || error instanceof DOMException;
      this.#problem(refused ? "This page may not use a camera and a microphone. Allow them, and send the picture again." : error.message);
    }
    return undefined;
  }

  async #next() {
    this.#dialog.querySelector("blockquote").textContent = (await this.#ask()).say;
  }

  async #try() {
    this.#film.disabled = true;
    this.#problem("");
    try {
      this.#show("filming");
      const clip = await this.#record();
      this.#show("sending");
      await this.#send(clip);
      this.#dialog.close("seen");
    } catch (error) {
      this.#problem(error.message);
      await this.#next().catch(({ message }) => this.#problem(message)); // each sentence is good for one film
    } finally {
      this.#show("idle");
      this.#film.disabled = false;
    }
  }

  async #record() {
    const mimeType = KINDS.find((kind) => MediaRecorder.isTypeSupported(kind));
    if (!mimeType) throw new Error("This browser cannot film. Use Chrome, Edge, Firefox or Safari.");
    const recorder = new MediaRecorder(this.#stream, { mimeType, videoBitsPerSecond: 2e6 });
    const pieces = [];
    recorder.addEventListener("dataavailable", ({ data }) => pieces.push(data));
    const over = new Promise((resolve) => recorder.addEventListener("stop", resolve, { once: true }));
    recorder.start();
    setTimeout(() => recorder.state === "inactive" || recorder.stop(), FILM);
    await over;
    if (!this.#dialog.open) throw new Error("");
    return new Blob(pieces, { type: mimeType.split(";")[0] });
  }

  #stop() {
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#stream = this.#view.srcObject = null;
  }

  #show(state) {
    this.#dialog.dataset.state = state;
    this.#film.textContent = TEXTS[state];
  }

  #problem(message) {
    const place = this.#dialog.querySelector(".problem");
    place.textContent = message;
    place.hidden = !message;
  }
}
