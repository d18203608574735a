// Who asks the emulated devices, how often, and how old the reading was that they were told.

import { ageText } from "../clock.js";
import { make } from "../dom.js";
import { grouped } from "../exact.js";
import { localized } from "../language.js";
import { setupWords } from "../setupWords.js";
import { table } from "../table.js";
import { outputName } from "./stateItems.js";

/** What is worth knowing of outputs. @param {Api.OutputState[]} outputs */
export const outputNotices = (outputs) => outputs.flatMap(({ name, notices }) => notices.map((notice) => {
  const { sentence, next_step: next } = localized(notice);
  return make("p.notice", make("strong", outputName(name)), " ", sentence, " ", next);
}));

/** @param {Api.OutputState[]} outputs */
export function askedCard(outputs) {
  const asked = outputs.filter(({ clients }) => clients.length);
  if (!asked.length) return null;
  const texts = setupWords.asked;
  return make("section.card", make("h2", texts.title),
    asked.map(({ name, clients }) =>
      table([outputName(name), texts.every, texts.answered, texts.age], clients.map(clientRow))),
    make("p.soft.how", texts.how));
}

/** @param {Api.OutputClient} client */
function clientRow({ address, requests, answers, interval_s: interval, age_s: age, max_age_s: highest }) {
  return [address, interval === null ? "–" : ageText(interval),
    `${grouped(String(answers))} / ${grouped(String(requests))}`,
    age === null || highest === null ? "–" : setupWords.asked.max(ageText(age), ageText(highest))];
}
