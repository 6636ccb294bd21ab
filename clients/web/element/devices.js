// Which microphones and loudspeakers there are.

const SETTLE = 250; // ms: a headset that is plugged in tells of itself several times

/** Whether this browser lets a page choose the loudspeaker. */
export const choosesLoudspeaker = () => typeof AudioContext !== "undefined" && "setSinkId" in AudioContext.prototype;

/** @returns {Promise<import("../types/vasari.js").Devices>} */
export async function devices() {
  const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  const of = (/** @type {MediaDeviceKind} */ kind) => all.filter((device) => device.kind === kind && device.deviceId);
  return { microphones: of("audioinput"), loudspeakers: choosesLoudspeaker() ? of("audiooutput") : [] };
}

/**
 * Call `tell` with the devices whenever they have changed, until `signal` is aborted.
 * @param {(found: import("../types/vasari.js").Devices) => void} tell
 * @param {AbortSignal} signal
 */
export function watchDevices(tell, signal) {
  let settling = 0;
  const changed = () => {
    clearTimeout(settling);
    settling = setTimeout(async () => signal.aborted || tell(await devices()), SETTLE);
  };
  navigator.mediaDevices?.addEventListener("devicechange", changed, { signal });
}
