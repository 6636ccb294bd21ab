import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [react()],
  base: "./",
  build: { assetsInlineLimit: 0 }, // the worklets stay files: a content policy may forbid data: addresses
  optimizeDeps: { exclude: ["vasari-avatar"] }, // `vite dev` would lose the files beside the module
});
