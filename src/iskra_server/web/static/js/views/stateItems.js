// List items with a state: outputs, readers.

import { timeOrDate } from "../clock.js";
import { make } from "../dom.js";
import { grouped } from "../exact.js";
import { localized } from "../language.js";
import { partsText } from "../readingText.js";
import { setupWords } from "../setupWords.js";

export const SIGNS = { passed: "✓", failed: "✕", unknown: "·" };

/** @type {("delivered" | "waiting" | "refused" | "dropped")[]} */
const COUNTS = ["delivered", "waiting", "refused", "dropped"];

/** Emulated devices; their names are the same in every language. */
const DEVICES = {
  ecotracker: "EcoTracker",
  shelly_pro_3em: "Shelly Pro 3EM",
  shelly_em1: "Shelly EM",
  shelly_3em: "Shelly 3EM",
  vzlogger: "vzlogger",
  sma_energy_meter: "SMA Energy Meter",
  victron: "Victron",
  sunspec: "SunSpec",
  shelly_modbus: "Shelly Modbus",
};

/** An output: whether it works, and what it has delivered. @param {Api.OutputState} output */
export function outputItem({ name, ok, sentence, sentence_de: german, requests, confirmed_at: confirmed, ...counts }) {
  const summary = requests === null
    ? [
      ...COUNTS.filter((kind) => counts[kind] || kind === "delivered")
        .map((kind) => `${grouped(String(counts[kind]))} ${setupWords.counts[kind]}`),
      ...(confirmed ? [setupWords.confirmed(timeOrDate(Date.parse(confirmed)))] : []),
    ].join(" · ")
    : requests ? setupWords.asked.count(grouped(String(counts.delivered)), grouped(String(requests)))
      : setupWords.asked.none;
  return stateItem(ok, outputName(name), localized({ en: sentence, de: german || sentence }) || summary);
}

/** "shelly_pro_3em at UDP port 1010": Shelly Pro 3EM, UDP 1010. @param {string} name of an output */
export function outputName(name) {
  /** @type {Record<string, string>} */
  const names = { ...DEVICES, ...setupWords.names };
  const [output, place] = name.split(" at ");
  return [names[output] ?? output, place?.replace(" port", "")].filter(Boolean).join(", ");
}

/** A virtual meter: what it is computed from. @param {Api.VirtualState} state */
export const virtualItem = (state) => stateItem(state.ok, state.id, `= ${partsText(state)}`);

/** Why virtual meters have no power, and what is worth knowing. @param {Api.VirtualState[]} states */
export const virtualNotices = (states) => states.flatMap(({ id, ok, advice, notices }) =>
  [...(ok ? [] : [advice]), ...notices].map((fault) => {
    const { sentence, next_step: next } = localized(fault);
    return make("p.notice", make("strong", `${id}:`), ` ${sentence} ${next}`);
  }));

/** @param {boolean} ok @param {string} name @param {string} sentence */
export function stateItem(ok, name, sentence) {
  const state = ok ? "passed" : "failed";
  return make("li", { "data-check": state }, make("span.node", { "aria-hidden": "true" }, SIGNS[state]),
    make("span", make("strong", name), make("span.hidden", ` ${setupWords.states[state]}`), ` ${sentence}`));
}
