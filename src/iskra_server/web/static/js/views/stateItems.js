// List items with a state: outputs, readers.

import { make } from "../dom.js";
import { grouped } from "../exact.js";
import { localized } from "../language.js";
import { setupWords } from "../setupWords.js";
import { partsText } from "../store.js";

export const SIGNS = { passed: "✓", failed: "✕", unknown: "·" };

/** @type {("delivered" | "waiting" | "refused" | "dropped")[]} */
const COUNTS = ["delivered", "waiting", "refused", "dropped"];

/** An output: whether it works, and what it has delivered. @param {Api.OutputState} output */
export function outputItem({ name, ok, sentence, ...counts }) {
  const summary = COUNTS.filter((kind) => counts[kind] || kind === "delivered")
    .map((kind) => `${grouped(String(counts[kind]))} ${setupWords.counts[kind]}`).join(" · ");
  /** @type {Record<string, string>} */
  const names = setupWords.names;
  return stateItem(ok, names[name] ?? name, sentence || summary);
}

/** A virtual meter: what it is computed from, and why it has no power. @param {Api.VirtualState} state */
export function virtualItem(state) {
  const sentences = [...(state.ok ? [] : [state.advice]), ...state.notices].map(localized);
  const text = sentences.map(({ sentence, next_step: next }) => `${sentence} ${next}`).join(" ");
  return stateItem(state.ok, state.id, `= ${partsText(state)}${text && `. ${text}`}`);
}

/** @param {boolean} ok @param {string} name @param {string} sentence */
export function stateItem(ok, name, sentence) {
  const state = ok ? "passed" : "failed";
  return make("li", { "data-check": state }, make("span.node", { "aria-hidden": "true" }, SIGNS[state]),
    make("span", make("strong", name), make("span.hidden", ` ${setupWords.states[state]}`), ` ${sentence}`));
}
