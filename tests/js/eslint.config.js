// Rules that find errors rather than style.

import js from "@eslint/js";
import globals from "globals";

const PAGE = ["src/iskra_server/web/static/js/**/*.js", "docs/site/**/*.js"];
const TOOLS = ["tests/js/**/*.js", "tests/docs_site/*.js"];

export default [
  { ignores: ["**/node_modules/"] },
  { files: [...PAGE, ...TOOLS], ...js.configs.recommended },
  { files: PAGE, languageOptions: { globals: globals.browser } },
  { files: TOOLS, languageOptions: { globals: globals.nodeBuiltin } },
  {
    files: [...PAGE, ...TOOLS],
    linterOptions: { reportUnusedDisableDirectives: "error", reportUnusedInlineConfigs: "error" },
    rules: {
      "array-callback-return": "error",
      complexity: ["error", 15],
      "consistent-return": "error",
      "default-case-last": "error",
      eqeqeq: ["error", "always", { null: "ignore" }],
      "max-len": ["error", { code: 120, ignoreUrls: false }],
      "no-constructor-return": "error",
      "no-else-return": "error",
      "no-eval": "error",
      "no-implicit-globals": "error",
      "no-implied-eval": "error",
      "no-loop-func": "error",
      "no-new-wrappers": "error",
      "no-param-reassign": "error",
      "no-promise-executor-return": "error",
      "no-restricted-globals": ["error", "event", "name", "status", "length", "top", "self", "parent"],
      "no-return-assign": "error",
      "no-self-compare": "error",
      "no-sequences": "error",
      "no-shadow": "error",
      "no-throw-literal": "error",
      "no-unmodified-loop-condition": "error",
      "no-unreachable-loop": "error",
      "no-unused-expressions": "error",
      "no-unused-vars": ["error", { argsIgnorePattern: "^_", caughtErrors: "all" }],
      "no-use-before-define": ["error", { functions: false, variables: false }],
      "no-useless-assignment": "error",
      "no-var": "error",
      "prefer-const": "error",
      "prefer-promise-reject-errors": "error",
    },
  },
  // written from docker-compose.yml, whose texts stay one line
  { files: ["docs/site/generator/js/reference.js"], rules: { "max-len": "off" } },
];
