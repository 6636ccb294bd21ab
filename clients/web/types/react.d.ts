import type { ForwardRefExoticComponent, HTMLAttributes, RefAttributes } from "react";
import type * as vasari from "./vasari.js";

type Events = vasari.VasariAvatarEventMap;
type Detail<K extends keyof Events> = Events[K]["detail"];

export interface VasariAvatarProps extends Omit<HTMLAttributes<vasari.VasariAvatar>, "onError" | "children"> {
  /** The server's websocket. */
  src: string;
  character?: string;
  persona?: string;
  voice?: string;
  poster?: string;
  /** Read when the face connects. */
  transport?: "websocket" | "webrtc";
  emotion?: vasari.Emotion;
  controls?: boolean;
  captions?: boolean;
  video?: boolean;
  pushToTalk?: boolean;
  /** Of the server, where it asks for one: better a short-lived client secret. Read when the face connects. */
  apiKey?: string;
  instructions?: string;
  tools?: vasari.Tool[];
  memory?: vasari.Memory | null;
  recording?: { consent: boolean; log?: boolean } | null;
  safety?: vasari.Safety | null;
  volume?: number;
  muted?: boolean;
  microphone?: string;
  loudspeaker?: string;
  gaze?: vasari.Gaze;
  onStatus?(detail: Detail<"vasari-status">): void;
  onState?(detail: Detail<"vasari-state">): void;
  onCaption?(line: Detail<"vasari-caption">): void;
  onMicrophone?(detail: Detail<"vasari-microphone">): void;
  onPress?(detail: Detail<"vasari-press">): void;
  onDevices?(detail: Detail<"vasari-devices">): void;
  onTool?(detail: Detail<"vasari-tool">): void;
  onError?(detail: Detail<"vasari-error">): void;
  onEvent?(event: Detail<"vasari-event">): void;
}

/** The element as a component; its ref is the element. */
export declare const VasariAvatar: ForwardRefExoticComponent<VasariAvatarProps & RefAttributes<vasari.VasariAvatar>>;
