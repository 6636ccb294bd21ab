// <VasariAvatar>: the element as a React component. Attributes and properties are props, events are onState, onCaption
// and their like, which get the event's detail; the ref is the element.
import { createElement, forwardRef, useEffect, useImperativeHandle, useLayoutEffect, useRef } from "react";
import { listen } from "./element/listen.js";
import "./vasari.js";

/** @typedef {import("./types/vasari.js").VasariAvatar} Face */

/** @typedef {"status" | "state" | "caption" | "microphone" | "press" | "devices" | "tool" | "error" | "event"} Name */

/** @type {Name[]} */
const EVENTS = ["status", "state", "caption", "microphone", "press", "devices", "tool", "error", "event"];
/** @type {Record<string, string>} */
const PROPERTIES = {
  apiKey: "key",
  ...Object.fromEntries(
    ["controls", "captions", "video", "pushToTalk", "instructions", "tools", "memory", "recording", "safety", "volume", "muted", "microphone", "loudspeaker", "gaze"].map(
      (name) => [name, name],
    ),
  ),
};

const handler = (/** @type {string} */ name) => `on${name[0].toUpperCase()}${name.slice(1)}`;
const OURS = [...Object.keys(PROPERTIES), ...EVENTS.map(handler)];

// On a server there is nothing to lay out, and React says so.
const useEffectBeforePaint = globalThis.window ? useLayoutEffect : useEffect;

export const VasariAvatar = forwardRef(
  /**
   * @param {Record<string, any>} props
   * @param {import("react").ForwardedRef<Face>} ref
   */
  (props, ref) => {
    const own = useRef(/** @type {Face | null} */ (null));
    const latest = useRef(props);
    useImperativeHandle(ref, () => /** @type {Face} */ (own.current));

    useEffect(() => {
      latest.current = props;
    });

    useEffect(() => {
      const listening = new AbortController();
      for (const name of EVENTS) {
        const tell = (/** @type {unknown} */ detail) => latest.current[handler(name)]?.(detail);
        if (own.current) listen(own.current, `vasari-${name}`, tell, { signal: listening.signal });
      }
      return () => listening.abort();
    }, []);

    // The list never changes, so hooks keep their order. The face connects after it.
    for (const [name, property] of Object.entries(PROPERTIES)) {
      const value = props[name];
      useEffectBeforePaint(() => {
        if (own.current && value !== undefined) Object.assign(own.current, { [property]: value });
      }, [property, value]);
    }

    const attributes = Object.fromEntries(Object.entries(props).filter(([name]) => !OURS.includes(name)));
    return createElement("vasari-avatar", { ...attributes, ref: own });
  },
);
