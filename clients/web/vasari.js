// The package's entry: importing it defines <vasari-avatar>.
//
//   <script type="module" src="vasari.js"></script>
//   <vasari-avatar src="ws://127.0.0.1:8765/v1/realtime" character="mona_lisa" controls captions></vasari-avatar>
export { VasariAvatar } from "./element/avatar.js";
export { AvatarError, MicrophoneError } from "./element/errors.js";
export { microphonePermission } from "./element/microphone.js";
