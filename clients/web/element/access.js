// Why the server does not let this page in: a refused websocket itself never says.

/**
 * The refusal of the server whose websocket is at `url`, or null where it would let us in or does not answer at all.
 * @param {string} url
 * @param {string} key
 * @returns {Promise<{ code: string, message: string } | null>}
 */
export async function refusal(url, key) {
  const headers = /** @type {HeadersInit} */ (key ? { Authorization: `Bearer ${key}` } : {});
  const address = new URL(`${new URL(url).pathname.replace(/\/$/, "")}/client_secrets`, url.replace(/^ws/, "http"));
  try {
    const response = await fetch(address, { method: "POST", headers });
    return response.ok ? null : (await response.json()).error;
  } catch {
    return null;
  }
}
