// A WebRTC connection as the line of a `Connection`: events go over a data channel, the face, its voice and the
// microphone as tracks. It asks for a call as OpenAI's clients do: POST /v1/realtime/calls with an SDP offer.

const CHANNEL = "oai-events";
const GATHER = 1000; // ms that finding the ways to this browser may take
const PATIENCE = 5000; // ms that a broken way may take to mend itself
const FINAL = ["session_replaced", "session_idle", "time_over"]; // codes of errors after which nobody comes back unasked

/** @typedef {import("./socket.js").Place} Place */
/** @typedef {import("./socket.js").Listener} Listener */

export class Call {
  #tell;
  #key;
  #connection = new RTCPeerConnection();
  #channel;
  #voice;
  #id = ""; // the address at which it can be ended
  #closed = false;
  #final = false;
  #mending = 0;
  /** @type {MediaStreamTrack | null} */
  #lent = null;

  /**
   * @param {Place} place
   * @param {Listener} tell
   */
  constructor(place, tell) {
    this.#tell = tell;
    this.#key = place.key;
    this.#voice = this.#connection.addTransceiver("audio", { direction: "sendrecv" }).sender;
    this.#connection.addTransceiver("video", { direction: "recvonly" });
    this.#connection.ontrack = ({ streams }) => tell.stream(streams[0]);
    this.#connection.onconnectionstatechange = () => this.#stateChanged();
    this.#channel = this.#connection.createDataChannel(CHANNEL);
    this.#channel.onmessage = ({ data }) => this.#received(data);
    this.#channel.onclose = () => this.#end({ reason: "" });
    this.#ask(place).catch(({ message }) => this.#end({ reason: message }));
  }

  get isOpen() {
    return this.#channel.readyState === "open";
  }

  /** @param {string} text */
  send(text) {
    this.#channel.send(text);
  }

  /** The microphone is a track. */
  sendMedia() {
    return false;
  }

  /**
   * Hear the microphone's track, or nothing.
   * @param {MediaStreamTrack | null} track
   */
  lend(track) {
    this.#lent?.stop();
    this.#lent = track?.clone() ?? null;
    if (!this.#closed) this.#voice.replaceTrack(this.#lent);
  }

  /** @param {boolean} forGood the conversation will not go on */
  close(forGood) {
    if (forGood && this.#id) fetch(`${this.#id}/hangup`, { method: "POST", headers: this.#headers(), keepalive: true }).catch(() => {});
    this.#leave();
  }

  /** @param {Place} place */
  async #ask({ url, token }) {
    const address = new URL(url.replace(/^ws/, "http"));
    address.pathname = `${address.pathname.replace(/\/$/, "")}/calls`;
    await this.#connection.setLocalDescription();
    await this.#gathered();
    const headers = { ...this.#headers(), "Content-Type": "application/sdp", ...(token && { "Vasari-Resume": token }) };
    const response = await fetch(address, { method: "POST", headers, body: this.#connection.localDescription?.sdp });
    if (!response.ok) return this.#end(await refusalOf(response));
    const id = response.headers.get("Location")?.split("/").pop();
    this.#id = id ? `${address.origin}${address.pathname}/${id}` : "";
    const sdp = await response.text();
    return this.#closed ? this.close(true) : this.#connection.setRemoteDescription({ type: "answer", sdp });
  }

  /** @returns {Record<string, string>} */
  #headers() {
    return this.#key ? { Authorization: `Bearer ${this.#key}` } : {};
  }

  /** @returns {Promise<void>} */
  #gathered() {
    const connection = this.#connection;
    return new Promise((resolve) => {
      const look = () => connection.iceGatheringState === "complete" && resolve();
      connection.onicegatheringstatechange = look;
      setTimeout(resolve, GATHER);
      look();
    });
  }

  /** @param {string} text */
  #received(text) {
    const event = JSON.parse(text);
    if (event.type === "error") this.#final ||= FINAL.includes(event.error.code);
    this.#tell.event(text);
  }

  #stateChanged() {
    clearTimeout(this.#mending);
    const { connectionState: state } = this.#connection;
    if (state === "failed") this.#end({ reason: "No way to the server was found." });
    else if (state === "disconnected") this.#mending = setTimeout(() => this.#end({ reason: "The server stopped answering." }), PATIENCE);
  }

  /** @param {{ reason: string, code?: string }} end */
  #end(end) {
    if (this.#closed) return;
    this.#leave();
    this.#tell.closed({ ...end, final: this.#final });
  }

  #leave() {
    this.#closed = true;
    clearTimeout(this.#mending);
    this.#lent?.stop();
    this.#connection.close();
  }
}

/** @param {Response} response */
async function refusalOf(response) {
  const { error } = await response.json().catch(() => ({ error: {} }));
  return { reason: error.message ?? "The server refused the call.", code: error.code };
}
