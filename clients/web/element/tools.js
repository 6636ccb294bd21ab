// The page's functions, which the face's language model may call.

/** @typedef {import("../types/vasari.js").Tool} Tool */
/** @typedef {import("../types/vasari.js").ClientEvent} ClientEvent */

/**
 * As `session.tools` has them.
 * @param {Tool[]} tools
 */
export const declared = (tools) =>
  tools.map(({ name, description = "", parameters = { type: "object", properties: {} } }) => ({
    type: "function",
    name,
    description,
    parameters,
  }));

/**
 * Run a tool -> its result as JSON; the model is told of a failure, too.
 * @param {Tool} tool
 * @param {string} args as JSON
 * @returns {Promise<string>}
 */
export async function run(tool, args) {
  try {
    return JSON.stringify((await tool.run(JSON.parse(args || "{}"))) ?? null);
  } catch (error) {
    return JSON.stringify({ error: error instanceof Error ? error.message : String(error) });
  }
}
