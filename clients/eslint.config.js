import js from "@eslint/js";
import globals from "globals";

const worklet = { AudioWorkletProcessor: "readonly", registerProcessor: "readonly", sampleRate: "readonly", currentTime: "readonly", VasariTimeline: "readonly" };

export default [
  { ignores: ["**/dist/", "**/node_modules/", "**/*.ts", "**/*.tsx"] },
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: 2024, sourceType: "module", globals: globals.browser },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      complexity: ["error", { max: 10, variant: "modified" }],
      curly: ["error", "multi-line"],
      eqeqeq: "error",
      "max-params": ["error", 5],
      "no-implicit-globals": "error",
      "no-shadow": "error",
      "no-throw-literal": "error",
      "no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "no-use-before-define": ["error", { functions: false, classes: false, variables: false }],
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
    },
  },
  { files: ["web/element/*-worklet.js"], languageOptions: { globals: worklet } },
  { files: ["tests/**", "examples/**/*.config.js", "*.config.js"], languageOptions: { globals: globals.node } },
  { files: ["**/*.jsx"], languageOptions: { parserOptions: { ecmaFeatures: { jsx: true } } } },
];
