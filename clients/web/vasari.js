// The package's entry: importing it defines <vasari-avatar>.
//
//   <script type="module" src="vasari.js"></script>
//   <vasari-avatar src="ws://127.0.0.1:8765/v1/realtime" character="mona_lisa" controls captions></vasari-avatar>
import { VasariAvatar } from "./element/avatar.js";

export { VasariAvatar };
export { AvatarError, MicrophoneError } from "./element/errors.js";
export { microphonePermission } from "./element/microphone.js";

// A page may have the module twice: from a package and from a server.
if (globalThis.customElements && !customElements.get("vasari-avatar")) customElements.define("vasari-avatar", VasariAvatar);
