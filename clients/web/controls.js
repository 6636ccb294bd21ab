// The controls that <vasari-avatar controls> has of its own, for pages that bring none.

const STYLE = `
  .controls { position: absolute; inset: auto 0 0; display: flex; align-items: center; gap: 0.75rem; padding: 0.75rem; font: 0.9375rem/1.3 system-ui, sans-serif; }
  .controls button { font: inherit; font-weight: 600; padding: 0.6rem 1.3rem; border: 0; border-radius: 99px; color: #fff9f3; background: #9a4f2c; cursor: pointer; flex: none; }
  .controls button[aria-pressed="true"] { background: #297052; }
  .controls button:focus-visible { outline: 2px solid #fff; outline-offset: 2px; }
  .controls span:not(:empty) { padding: 0.35rem 0.75rem; border-radius: 0.6rem; color: #fff; background: #000a; }
`;
const STATES = { listening: "Listening", thinking: "Thinking", speaking: "Speaking" };

/** Put a button that talks, and a line that says what happens, into `root`, the shadow of `face`. */
export function addControls(face, root) {
  const place = document.createElement("div");
  place.className = "controls";
  place.innerHTML = `<style>${STYLE}</style><button type="button" aria-pressed="false">Talk</button><span role="status"></span>`;
  const [, button, line] = place.children;
  const tell = (text) => (line.textContent = text);
  button.addEventListener("click", () => (face.listening ? face.stop() : face.talk().catch(({ message }) => tell(message))));
  face.addEventListener("vasari-microphone", ({ detail: { on } }) => {
    button.setAttribute("aria-pressed", String(on));
    button.textContent = on ? "Mic on" : "Talk";
    tell(on ? "Go ahead." : "");
  });
  face.addEventListener("vasari-state", ({ detail: { state } }) => tell(STATES[state] ?? ""));
  face.addEventListener("vasari-status", ({ detail: { status, reason } }) => {
    button.disabled = status !== "open";
    if (status !== "open") tell(status === "waiting" ? reason || "The server does not answer." : "Connecting");
    else tell("");
  });
  face.addEventListener("vasari-error", ({ detail: { message } }) => tell(message));
  root.append(place);
}
