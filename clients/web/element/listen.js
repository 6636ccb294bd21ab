/** @typedef {import("../types/vasari.js").VasariAvatarEventMap} VasariAvatarEventMap */

/**
 * Hear one of the element's events.
 * @template {keyof VasariAvatarEventMap} K
 * @param {HTMLElement} face
 * @param {K} name
 * @param {(detail: VasariAvatarEventMap[K]["detail"]) => unknown} tell
 * @param {AddEventListenerOptions} [options]
 */
export function listen(face, name, tell, options) {
  face.addEventListener(name, (event) => tell(/** @type {CustomEvent} */ (event).detail), options);
}
