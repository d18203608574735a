// Items of a list that say whether something works: outputs, readers.

import { make } from "../dom.js";
import { grouped } from "../exact.js";
import { words } from "../language.js";

export const SIGNS = { passed: "✓", failed: "✕", unknown: "·" };

/** @type {("delivered" | "waiting" | "refused" | "dropped")[]} */
const COUNTS = ["delivered", "waiting", "refused", "dropped"];

/** An output: whether it delivers, and how much it has. @param {Api.OutputState} output */
export function outputItem({ name, ok, sentence, ...counts }) {
  const summary = COUNTS.filter((kind) => counts[kind] || kind === "delivered")
    .map((kind) => `${grouped(String(counts[kind]))} ${words.setup.handedOn[kind]}`).join(" · ");
  /** @type {Record<string, string>} */
  const names = words.setup.names;
  return stateItem(ok, names[name] ?? name, sentence || summary);
}

/** @param {boolean} isWell @param {string} name @param {string} sentence */
export function stateItem(isWell, name, sentence) {
  const state = isWell ? "passed" : "failed";
  return make("li", { "data-check": state }, make("span.node", { "aria-hidden": "true" }, SIGNS[state]),
    make("span", make("strong", name), make("span.hidden", ` ${words.setup.states[state]}`), ` ${sentence}`));
}
