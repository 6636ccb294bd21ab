// The types that the package promises, against its code.
import * as promised from "vasari-avatar";
import type { Answer, ServerEvent } from "vasari-avatar";
import * as coded from "../web/vasari.js";

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

// Whatever is promised is there, and nothing else is exported.
export const kept: typeof promised = coded;
export const noMore: Same<keyof typeof promised, keyof typeof coded> = true;

// And it can be used as the examples use it.
export async function uses(face: promised.VasariAvatar): Promise<Answer> {
  face.gaze = { yaw_deg: 10, pitch_deg: 0 };
  face.tools = [{ name: "show", run: ({ card }: { card: string }) => card.length }];
  face.addEventListener("vasari-state", ({ detail }) => detail.state === "speaking");
  face.addEventListener("vasari-event", ({ detail }) => progress(detail));
  document.createElement("vasari-avatar").emotion = "happy";
  // @ts-expect-error no such emotion
  face.emotion = "hungry";
  // @ts-expect-error no such event
  face.send({ type: "avatar.dance" });
  return face.ask("Hello");
}

const progress = (event: ServerEvent) => (event.type === "avatar.progress" ? event.solved / event.items : 0);
