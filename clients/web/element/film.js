// The face as a <video>: for a window of its own above all others, which the browser draws, and the browser's own menu.
import { AvatarError } from "./errors.js";

export class Film {
  #stream;
  /** @type {HTMLVideoElement | null} */
  #video = null;

  /**
   * @param {() => MediaStream} stream the face's
   * @param {() => void} changed whether it is in a window of its own has changed
   */
  constructor(stream, changed) {
    this.#stream = stream;
    this.changed = changed;
  }

  /** Whether it is seen even where the page is hidden. */
  get isApart() {
    const root = /** @type {ShadowRoot | undefined} */ (this.#video?.getRootNode());
    return root !== undefined && root.pictureInPictureElement === this.#video;
  }

  /**
   * Show it in `stage`. It is mute: the voice comes from the page, in step with what is drawn.
   * @param {Element} stage
   */
  show(stage) {
    if (this.#video) return;
    const video = document.createElement("video");
    video.className = "film";
    video.setAttribute("part", "video");
    video.muted = video.autoplay = video.playsInline = true;
    video.disableRemotePlayback = true; // browsers send no stream to another screen, only the whole page
    video.srcObject = new MediaStream(this.#stream().getVideoTracks());
    for (const event of ["enterpictureinpicture", "leavepictureinpicture"]) video.addEventListener(event, () => this.changed());
    stage.querySelector(".face")?.after(video);
    this.#video = video;
  }

  hide() {
    this.#video?.remove();
    this.#video = null;
  }

  /** Open the window. Call it in a gesture. */
  async apart() {
    const video = this.#video;
    if (!video?.requestPictureInPicture) throw new AvatarError("no_window", "This browser opens such a window only by its own button on the video.");
    if (video.readyState === 0) await new Promise((resolve) => video.addEventListener("loadedmetadata", resolve, { once: true }));
    return video.requestPictureInPicture();
  }
}
