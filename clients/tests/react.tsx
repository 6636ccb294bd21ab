// The React component's types, against its code and as a page uses it.
import { useRef } from "react";
import { VasariAvatar as Promised } from "vasari-avatar/react";
import type { VasariAvatar } from "vasari-avatar";
import { VasariAvatar as coded } from "../web/react.js";

export const kept: typeof Promised = coded;

export function Page() {
  const face = useRef<VasariAvatar>(null);
  return (
    <>
      <Promised ref={face} src="/v1/realtime" emotion="happy" controls onState={({ state }) => state === "idle"} className="face" />
      {/* @ts-expect-error no such emotion */}
      <Promised src="/v1/realtime" emotion="hungry" />
      <button onClick={() => face.current?.say("Hello.")}>Greet</button>
    </>
  );
}
