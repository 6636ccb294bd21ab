// OpenAI's own JavaScript clients, unchanged, hold conversations: node sdks.mjs https://HOST. Prints what came of them as JSON.
import { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession, tool } from "@openai/agents-realtime";
import OpenAI from "openai";
import { OpenAIRealtimeWS } from "openai/realtime/ws";
import { z } from "zod";

const base = process.argv[2];
const errors = [];

/** With `openai`: in writing, and aloud with an interruption and what was heard of it. */
async function withClient() {
  const talk = new OpenAIRealtimeWS({ model: "vasari" }, new OpenAI({ baseURL: `${base}/v1`, apiKey: "unused" }));
  talk.on("error", ({ message }) => errors.push(message));
  const next = (type) =>
    new Promise((resolve) => {
      const once = (event) => {
        talk.off(type, once);
        resolve(event);
      };
      talk.on(type, once);
    });
  const say = (text) => talk.send({ type: "conversation.item.create", item: { type: "message", role: "user", content: [{ type: "input_text", text }] } });
  await next("session.created");
  say("Hello.");
  talk.send({ type: "response.create", response: { output_modalities: ["text"] } });
  const written = (await next("response.done")).response;
  say("Tell me more.");
  talk.send({ type: "response.create" });
  const { item_id } = await next("response.output_audio.delta");
  talk.send({ type: "response.cancel" });
  const cut = (await next("response.done")).response;
  talk.send({ type: "conversation.item.truncate", item_id, content_index: 0, audio_end_ms: 100 });
  await next("conversation.item.truncated");
  talk.close();
  return { text: written.output[0].content[0].text.trim(), cut: cut.status };
}

/** With `@openai/agents-realtime`: a tool, the answer aloud, an interruption. */
async function withAgent() {
  let called = 0;
  let bytes = 0;
  let interruptions = 0;
  const execute = async () => {
    called += 1;
    return "Rain";
  };
  const weather = tool({ name: "weather", description: "Of a city.", parameters: z.object({}), execute });
  const transport = new OpenAIRealtimeWebSocket({ url: `${base.replace("http", "ws")}/v1/realtime` });
  const session = new RealtimeSession(new RealtimeAgent({ name: "Anna", instructions: "Be brief.", tools: [weather] }), { transport, model: "vasari" });
  session.on("error", ({ error }) => errors.push(JSON.stringify(error)));
  session.on("audio_interrupted", () => (interruptions += 1));
  const answered = new Promise((resolve) => session.on("agent_end", (_context, _agent, text) => text && resolve(text)));
  await session.connect({ apiKey: "unused" });
  session.sendMessage("How is the weather?");
  const heard = new Promise((resolve) =>
    session.on("audio", ({ data }) => {
      bytes += data.byteLength;
      resolve(bytes);
    }),
  );
  const text = await answered;
  await heard;
  const before = bytes;
  session.sendMessage("Tell me more.");
  const more = new Promise((resolve) => session.on("audio", resolve));
  await more;
  session.interrupt();
  await new Promise((resolve) => setTimeout(resolve, 500));
  const history = session.history.map(({ type, role, status }) => [type, role ?? "", status]);
  session.close();
  return { called, text, bytes: before, interruptions, history };
}

console.log(JSON.stringify({ client: await withClient(), agent: await withAgent(), errors }));
process.exit(0);
