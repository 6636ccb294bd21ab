// Why the server does not let this page in: a refused websocket itself never says.

/** The server's refusal {code, message}, or null where it would let us in or does not answer at all. */
export async function refusal(key) {
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  try {
    const response = await fetch("/v1/realtime/client_secrets", { method: "POST", headers });
    return response.ok ? null : (await response.json()).error;
  } catch {
    return null;
  }
}
