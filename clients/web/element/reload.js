// What a page leaves for itself as it is put away, so that a reload goes on with the conversation: the token of each
// server, in the tab's own storage, and only until the page is there again.

/** @param {string} url */
const key = (url) => `vasari-resume ${url}`;

/** Whether this page was here before in this tab: a reload, or the way back. */
function here() {
  const [entry] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));
  return entry?.type === "reload" || entry?.type === "back_forward";
}

/**
 * @param {string} url
 * @returns {string[]} of each face of the page that talks to this server, in their order
 */
function left(url) {
  try {
    return JSON.parse(sessionStorage.getItem(key(url)) ?? "[]");
  } catch {
    return []; // a frame that may not store anything
  }
}

/**
 * @param {string} url
 * @param {string[]} tokens
 */
function leave(url, tokens) {
  try {
    if (tokens.length) sessionStorage.setItem(key(url), JSON.stringify(tokens));
    else sessionStorage.removeItem(key(url));
  } catch {
    // then a reload begins anew
  }
}

/**
 * The token that the page left, once; "" where there is none.
 * @param {string} url
 */
export function taken(url) {
  const [token = "", ...others] = left(url);
  leave(url, here() ? others : []);
  return here() ? token : "";
}

/**
 * The page is put away.
 * @param {string} url
 * @param {string} token
 */
export const keep = (url, token) => leave(url, [...left(url), token]);

/**
 * The page is there again, and has it.
 * @param {string} url
 * @param {string} token
 */
export const drop = (url, token) => leave(url, left(url).filter((kept) => kept !== token));
