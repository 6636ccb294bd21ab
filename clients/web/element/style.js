// How the element looks. Pages change it by the custom properties --vasari-*, by its parts, and by `color-scheme`.

export const STYLE = `
  :host {
    --accent: var(--vasari-accent, light-dark(#9a4f2c, #e0956b));
    --on-accent: var(--vasari-on-accent, light-dark(#fff9f3, #1c120b));
    --panel: var(--vasari-panel, light-dark(#fbf9f5, #201c19));
    --ink: var(--vasari-ink, light-dark(#231d18, #f0e9df));
    --soft: var(--vasari-soft, light-dark(#65594e, #b0a394));
    --line: var(--vasari-line, light-dark(#ddd5c8, #463e37));
    --listening: var(--vasari-listening, light-dark(#297052, #6cc39a));
    --thinking: var(--vasari-thinking, light-dark(#8a5e10, #dcae5c));
    --speaking: var(--vasari-speaking, light-dark(#9a4f2c, #e0956b));
    --bad: light-dark(#a5281f, #f08a7e);
    display: block; position: relative; overflow: hidden; isolation: isolate;
    max-width: 32rem; min-width: 4rem; aspect-ratio: 1; border-radius: var(--vasari-radius, 0.75rem);
    background: var(--vasari-background, light-dark(#e6dfd4, #2a2521)); color: var(--ink);
    font: var(--vasari-font, 0.9375rem/1.4 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif);
  }
  :host([hidden]) { display: none; }
  :host(:fullscreen) { max-width: none; border-radius: 0; }
  [hidden] { display: none !important; }
  .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; margin: 0; }
  .stage { position: absolute; inset: 0; border-radius: inherit; container: stage / size; }
  .stage > :not(dialog) { position: absolute; }

  /* The face keeps its shape: where the element has another, its colours go on behind it. */
  .face, .film, .poster { inset: 0; margin: auto; width: min(100cqw, 100cqh); height: min(100cqw, 100cqh); object-fit: cover; display: block; }
  .backdrop { --side: min(100cqw, 100cqh); left: calc(50cqw - 1.5 * var(--side)); top: calc(50cqh - 1.5 * var(--side)); width: calc(3 * var(--side)); height: calc(3 * var(--side)); filter: blur(1.25rem); display: none; }
  .poster { object-position: 50% 15%; filter: blur(6px); scale: 1.03; }
  .face, .film, .backdrop { opacity: 0; transition: opacity 0.4s; }
  :host([alive]) :is(.face, .film, .backdrop) { opacity: 1; }
  :host([video]) .face { opacity: 0; }
  @container stage (min-aspect-ratio: 11/10) {
    .backdrop { display: block; }
    .face, .film { mask: linear-gradient(to right, transparent, #000 12%, #000 88%, transparent); }
  }
  @container stage (max-aspect-ratio: 10/11) {
    .backdrop { display: block; }
    .face, .film, .poster { margin-top: min(5cqh, 100cqh - 100cqw); }
    .backdrop { top: calc(min(5cqh, 100cqh - 100cqw) - var(--side)); }
    .face, .film { mask: linear-gradient(transparent, #000 10%, #000 88%, transparent); }
  }
  .ring { inset: 0; border-radius: inherit; box-shadow: inset 0 0 0 0.1875rem var(--glow, transparent); opacity: var(--glow-level, 1); pointer-events: none; transition: box-shadow 0.4s; }
  .stage[data-state="listening"] { --glow: var(--listening); --glow-level: calc(0.4 + 0.6 * var(--level, 0)); }
  .stage[data-state="thinking"] { --glow: var(--thinking); }
  .stage[data-state="speaking"] { --glow: var(--speaking); }
  .stage[data-state="thinking"] .ring { animation: breathe 1.6s ease-in-out infinite; }

  /* what happens, what is said, what can be done: from top to bottom */
  .state { inset: 0.75rem auto auto 0.75rem; display: none; align-items: center; gap: 0.45em; margin: 0; padding: 0.2em 0.8em; border-radius: 99px; font-size: 0.8125rem; }
  .state i { width: 0.5rem; height: 0.5rem; border-radius: 50%; background: var(--glow, var(--soft)); }
  .recorded { inset: 2.75rem auto auto 0.75rem; display: none; align-items: center; gap: 0.45em; margin: 0; padding: 0.2em 0.8em; border-radius: 99px; font-size: 0.8125rem; }
  .recorded i { width: 0.5rem; height: 0.5rem; border-radius: 50%; background: #d33; }
  :host([recorded]) .recorded { display: flex; }
  .foot { inset: auto 0 0; display: flex; flex-direction: column; align-items: center; gap: 0.6rem; padding: clamp(0.4rem, 3cqmin, 1.25rem); }
  .glass { background: color-mix(in srgb, var(--panel) 88%, transparent); backdrop-filter: blur(14px) saturate(1.3); box-shadow: 0 0.2rem 1rem #0003; }
  .captions { margin: 0; max-width: 34em; padding: 0.45em 0.9em; border-radius: 0.7em; font-size: clamp(0.875rem, 3.2cqmin, 1.6rem); line-height: 1.4; text-align: center; text-wrap: balance; }
  .captions.user { font-style: italic; }
  .captions .unsaid { color: var(--soft); }
  .notice { margin: 0; max-width: 30em; padding: 0.4em 0.9em; border-radius: 0.7em; font-size: 0.875rem; text-align: center; overflow-wrap: anywhere; }
  .controls { display: flex; align-items: center; gap: 0.35rem; margin: 0; padding: 0.35rem; border-radius: 99px; max-width: 32rem; }
  button, input, select { font: inherit; color: inherit; }
  button { cursor: pointer; border: 0; background: none; border-radius: 99px; }
  button:disabled { cursor: default; opacity: 0.45; }
  :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
  svg { width: 1.4em; height: 1.4em; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; display: block; }
  svg .solid { fill: currentColor; stroke: none; }
  .talk { display: flex; align-items: center; justify-content: center; gap: 0.4rem; height: 2.75rem; padding: 0 1.15rem 0 0.9rem; background: var(--accent); color: var(--on-accent); font-weight: 600; white-space: nowrap; touch-action: none; user-select: none; -webkit-user-select: none; }
  .talk[aria-pressed="true"] { background: var(--listening); color: light-dark(#fff, #0d1f17); }
  .talk .level { fill: currentColor; stroke: none; transform-origin: 50% 100%; transform-box: fill-box; transform: scaleY(var(--level, 0)); }
  .line { width: 100%; min-width: 0; height: 2.75rem; padding: 0 0.6rem; border: 0; background: none; border-radius: 99px; }
  .line::placeholder { color: var(--soft); opacity: 1; }
  .round { display: grid; place-items: center; flex: none; width: 2.75rem; height: 2.75rem; padding: 0; }
  .round:hover:not(:disabled) { background: color-mix(in srgb, var(--ink) 9%, transparent); }

  @container stage (min-width: 17rem) and (min-height: 20rem) { .state[data-told] { display: flex; } }
  @container stage (max-width: 15rem) or (max-height: 11rem) { .captions { display: none; } }
  @container stage (max-aspect-ratio: 10/11) {
    .foot { top: 92cqw; justify-content: flex-end; background: linear-gradient(transparent, color-mix(in srgb, var(--panel) 85%, transparent) 12rem); }
  }
  @container stage (max-height: 20rem) {
    .foot { top: 0; background: none; } /* what is said not over the mouth */
    .controls { margin-top: auto; }
  }
  @container stage (max-width: 22rem) { .line { display: none; } }
  @container stage (min-width: 22rem) { .controls:has(.line) { width: 100%; box-sizing: border-box; } }
  @container stage (max-width: 13rem) or (max-height: 9rem) {
    .foot { padding: 0.25rem; gap: 0.25rem; }
    .talk { width: 2.25rem; height: 2.25rem; padding: 0; }
    .talk span { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
    .settings, .stop { display: none; }
    .controls { padding: 0; }
    .notice { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  }

  @container stage (max-width: 7rem) or (max-height: 7rem) { .talk { width: 1.75rem; height: 1.75rem; } .talk svg { width: 1.1em; height: 1.1em; } }

  dialog { box-sizing: border-box; width: min(24rem, 100vw - 2rem); max-height: calc(100dvh - 2rem); border: 1px solid var(--line); border-radius: 1rem; background: var(--panel); color: var(--ink); padding: 1.4rem; box-shadow: 0 1.2rem 3.5rem #0006; overflow: auto; }
  dialog::backdrop { background: #0007; }
  dialog h2 { font-size: 1.15rem; font-weight: 600; line-height: 1.3; margin: 0 0 1rem; }
  .field { display: grid; gap: 0.3rem; margin: 0 0 1rem; font-size: 0.875rem; color: var(--soft); }
  .field select { width: 100%; min-width: 0; padding: 0.55rem 0.6rem; border-radius: 0.6rem; border: 1px solid var(--line); background: var(--panel); color: var(--ink); }
  .field input[type="range"] { width: 100%; margin: 0; accent-color: var(--accent); }
  .meter { height: 0.375rem; border-radius: 99px; background: var(--line); overflow: hidden; }
  .meter i { display: block; height: 100%; border-radius: inherit; background: var(--listening); transform-origin: 0 50%; transform: scaleX(var(--level, 0)); }
  .tick { display: flex; gap: 0.6rem; align-items: center; min-height: 2rem; }
  .tick input { width: 1.1rem; height: 1.1rem; margin: 0; accent-color: var(--accent); }
  .done { display: flex; justify-content: space-between; gap: 0.6rem; margin-top: 1.1rem; }
  .done button { padding: 0.6rem 1.25rem; font-weight: 600; border: 1px solid var(--line); }
  .done .primary { background: var(--accent); color: var(--on-accent); border-color: transparent; margin-left: auto; }

  @keyframes breathe { 50% { opacity: 0.25; } }
  @media (prefers-reduced-motion: reduce) { *, *::before, *::after { animation: none !important; transition: none !important; } }
  @media (prefers-reduced-transparency: reduce) { .glass { background: var(--panel); backdrop-filter: none; } }
  @media (forced-colors: active) { .talk, .round, .captions { border: 1px solid ButtonText; } }
`;
