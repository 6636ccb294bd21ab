// Decodes the face's video and keeps the decoded frames until their moment has come.

/** @typedef {import("../types/vasari.js").Json} Json */
/** @typedef {{ pts: number, duration: number, response: string | null, image: VideoFrame | ImageBitmap }} Frame */

/**
 * What the server may send, best first; the WebCodecs name of each, null where no VideoDecoder is needed.
 * @type {Record<string, string | null>}
 */
const CODECS = { h264: "avc1.42E01F", vp8: "vp8", jpeg: null };
const MOST_WAITING = 40; // decoded frames: as many as a voice that came late waits for; a hidden page must not hoard them
const MOST_UNDECODED = 50; // two seconds; a machine that falls farther behind starts again at a key frame

/** The codecs that this browser decodes, best first, always with "jpeg" at the end. */
export async function supportedCodecs(width = 512, height = 512) {
  const names = [];
  for (const [name, codec] of Object.entries(CODECS)) {
    if (codec === null) names.push(name);
    else if (globalThis.VideoDecoder) {
      const config = { codec, codedWidth: width, codedHeight: height };
      const answer = await VideoDecoder.isConfigSupported(config).catch(() => null);
      if (answer?.supported) names.push(name);
    }
  }
  return names;
}

export class Picture {
  /** @type {Frame[]} */
  #waiting = []; // by pts
  /** @type {Map<number, Json>} */
  #headers = new Map(); // timestamp in us -> header, of what is inside the decoder
  /** @type {Set<string | null>} */
  #flushed = new Set(); // responses whose frames are no longer wanted
  /** @type {VideoDecoder | null} */
  #decoder = null;
  #format = "";
  #needsKey = true;
  #generation = 0;
  dropped = 0; // frames that came to nothing: late, or not decodable
  codec = "";

  /**
   * Take one response.video.delta.
   * @param {Json} header
   * @param {Uint8Array} bytes
   */
  add(header, bytes) {
    if (!(header.codec in CODECS)) return;
    this.codec = header.codec;
    if (header.codec === "jpeg") this.#decodeStill(header, bytes);
    else this.#decodeVideo(header, bytes);
  }

  /**
   * The newest frame due at `pts`, or null. The caller closes its image; older ones count as dropped.
   * @param {number} pts ms
   */
  take(pts) {
    /** @type {Frame | null} */
    let due = null;
    while (this.#waiting.length && this.#waiting[0].pts <= pts) {
      if (due) {
        due.image.close();
        this.dropped += 1;
      }
      due = this.#waiting.shift() ?? null;
    }
    return due;
  }

  /**
   * Forget the frames of one response, those still in the decoder included.
   * @param {string} response
   */
  flush(response) {
    this.#flushed.add(response);
    this.#discard((frame) => frame.response === response);
  }

  reset() {
    this.#generation += 1;
    this.#discard(() => true);
    this.#closeDecoder();
    this.#flushed.clear();
    this.dropped = 0;
  }

  /** @param {(frame: Frame) => boolean} unwanted */
  #discard(unwanted) {
    for (const frame of this.#waiting) if (unwanted(frame)) frame.image.close();
    this.#waiting = this.#waiting.filter((frame) => !unwanted(frame));
  }

  #closeDecoder() {
    if (this.#decoder && this.#decoder.state !== "closed") this.#decoder.close();
    this.#decoder = null;
    this.#headers.clear();
    this.#format = "";
    this.#needsKey = true;
  }

  /**
   * @param {Json} header
   * @param {Uint8Array} bytes
   */
  #decodeVideo(header, bytes) {
    const format = `${header.codec} ${header.width}x${header.height}`;
    const running = format === this.#format && this.#decoder?.state === "configured" ? this.#decoder : null;
    const decoder = running ?? this.#configure(header, format);
    if (decoder.decodeQueueSize > MOST_UNDECODED) this.#needsKey = true;
    if (this.#needsKey && !header.keyframe) {
      this.dropped += 1;
      return;
    }
    this.#needsKey = false;
    const timestamp = Math.round(header.pts_ms * 1000);
    this.#headers.set(timestamp, header);
    const type = header.keyframe ? "key" : "delta";
    const duration = Math.round(header.duration_ms * 1000);
    decoder.decode(new EncodedVideoChunk({ type, timestamp, duration, data: /** @type {BufferSource} */ (bytes) }));
  }

  /**
   * @param {Json} header
   * @param {string} format
   */
  #configure(header, format) {
    this.#closeDecoder();
    this.#format = format;
    /** @type {VideoDecoder} */
    const decoder = new VideoDecoder({
      output: (image) => this.#decoded(decoder, image),
      error: () => {
        if (decoder === this.#decoder) this.#closeDecoder(); // the next key frame starts another
      },
    });
    decoder.configure({
      codec: header.codec_string ?? CODECS[header.codec],
      codedWidth: header.width,
      codedHeight: header.height,
      optimizeForLatency: true,
    });
    return (this.#decoder = decoder);
  }

  /**
   * @param {VideoDecoder} decoder
   * @param {VideoFrame} image
   */
  #decoded(decoder, image) {
    const header = decoder === this.#decoder ? this.#headers.get(image.timestamp) : undefined;
    this.#headers.delete(image.timestamp);
    if (header) this.#keep(header, image);
    else image.close();
  }

  /**
   * @param {Json} header
   * @param {Uint8Array} bytes
   */
  async #decodeStill(header, bytes) {
    const generation = this.#generation;
    try {
      const image = await createImageBitmap(new Blob([/** @type {BlobPart} */ (bytes)], { type: "image/jpeg" }));
      if (generation === this.#generation) this.#keep(header, image);
      else image.close();
    } catch {
      this.dropped += 1;
    }
  }

  /**
   * @param {Json} header
   * @param {Frame["image"]} image
   */
  #keep(header, image) {
    if (this.#flushed.has(header.response_id)) {
      image.close();
      return;
    }
    const frame = { pts: header.pts_ms, duration: header.duration_ms ?? 40, response: header.response_id, image };
    let at = this.#waiting.length;
    while (at > 0 && this.#waiting[at - 1].pts > frame.pts) at -= 1;
    this.#waiting.splice(at, 0, frame);
    if (this.#waiting.length > MOST_WAITING) this.#waiting.shift()?.image.close();
  }
}
