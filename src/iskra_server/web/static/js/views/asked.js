// Who asks the emulated devices, how often, and how old the reading was that they were told.

import { ageText } from "../clock.js";
import { make } from "../dom.js";
import { grouped } from "../exact.js";
import { localized } from "../language.js";
import { setupWords } from "../setupWords.js";
import { table } from "../table.js";
import { outputName } from "./stateItems.js";

/** What is worth knowing of outputs; what several share, once. @param {Api.OutputState[]} outputs */
export function outputNotices(outputs) {
  /** @type {Map<string, Set<string>>} */
  const found = new Map();
  for (const { name, notices } of outputs) {
    for (const { sentence, next_step: next } of notices.map((notice) => localized(notice))) {
      const text = `${sentence} ${next}`;
      // without its port
      found.set(text, (found.get(text) ?? new Set()).add(outputName(name.split(" at ")[0])));
    }
  }
  return [...found].map(([text, names]) => make("p.notice", make("strong", `${[...names].join(", ")}:`), " ", text));
}

/** A reading may be told within a millisecond. @param {number} seconds */
const age = (seconds) => (seconds < 1 ? `${Math.round(seconds * 1000)} ms` : ageText(seconds));

/** @param {Api.OutputState[]} outputs */
export function askedCard(outputs) {
  const asked = outputs.filter(({ clients }) => clients.length);
  if (!asked.length) return null;
  const texts = setupWords.asked;
  return make("section.card.asked", make("h2", texts.title),
    asked.map(({ name, clients }) =>
      table([outputName(name), texts.every, texts.answered, texts.age], clients.map(clientRow))),
    make("p.soft.how", texts.how));
}

/** @param {Api.OutputClient} client */
function clientRow({ address, requests, answers, interval_s: interval, age_s: last, max_age_s: highest }) {
  return [address, interval === null ? "–" : age(interval),
    `${grouped(String(answers))} / ${grouped(String(requests))}`,
    last === null || highest === null ? "–" : setupWords.asked.max(age(last), age(highest))];
}
