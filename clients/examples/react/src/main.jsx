// A face beside a list of what was said. The server's address: ?server=ws://127.0.0.1:8765/v1/realtime
import { StrictMode, useRef, useState } from "react";
import { createRoot } from "react-dom/client";
import { VasariAvatar } from "vasari-avatar/react";
import "./style.css";

const SERVER = new URLSearchParams(location.search).get("server") ?? "ws://127.0.0.1:8765/v1/realtime";
const MOODS = ["neutral", "happy", "thoughtful", "surprised"];

function App() {
  const face = useRef(null);
  const [lines, setLines] = useState(new Map());
  const [state, setState] = useState("initializing");
  const [mood, setMood] = useState("neutral");

  return (
    <main>
      <h1>A face in React</h1>
      <VasariAvatar
        ref={face}
        src={SERVER}
        emotion={mood}
        controls
        captions
        onState={({ state: now }) => setState(now)}
        onCaption={(line) => setLines((before) => new Map(before).set(line.id, line))}
      />
      <section>
        <p>
          It is <b data-testid="state">{state}</b>.
        </p>
        <fieldset>
          <legend>Mood</legend>
          {MOODS.map((name) => (
            <label key={name}>
              <input type="radio" name="mood" checked={mood === name} onChange={() => setMood(name)} /> {name}
            </label>
          ))}
        </fieldset>
        <button type="button" onClick={() => face.current.ask("What do you like to talk about?").catch(() => {})}>
          Ask it something
        </button>
        <ol aria-label="What was said">
          {[...lines.values()].filter(({ text }) => text).map(({ id, role, text }) => (
            <li key={id} className={role}>
              {text}
            </li>
          ))}
        </ol>
      </section>
    </main>
  );
}

createRoot(document.getElementById("root")).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
