// Two periods side by side, on one scale.

import { messageOf, requestHistory } from "../api.js";
import { minus, percentOf } from "../arithmetic.js";
import { drawBars } from "../charts/bars.js";
import { energyLegend } from "../charts/legend.js";
import { barRange } from "../charts/scales.js";
import { make, pair } from "../dom.js";
import { axisNumber, energyBar, kwhShort } from "../energyText.js";
import { rounded } from "../exact.js";
import { words } from "../language.js";
import { firstDay, isKind, keyOf, KINDS, periodQuery, step } from "../periods.js";
import { navigate, PERIODS } from "../router.js";
import { whenChosen } from "../store.js";
import { kindsBar, stepper } from "../toolbar.js";
import { historyNote } from "../widgets.js";
import { axisLabels, bucketText, isLabelCentred } from "./buckets.js";

// 52 weeks, so that a Monday is compared with a Monday
const YEAR_DAYS = 364;

/** @typedef {Exclude<Kind, "all">} Compared */

/** @type {View} */
export function show(main, { parts: [kindName, leftKey, rightKey] }, signal) {
  const kind = isKind(kindName) && kindName !== "all" ? kindName : "month";
  const left = keyOf(kind, leftKey);
  const right = rightKey ? keyOf(kind, rightKey) : yearBefore(kind, left);
  const first = firstDay(kind, left);
  const select = make("select", { "aria-label": words.kindsLabel, onchange: ({ target: { value } }) => {
    if (isKind(value)) navigate("compare", [value, keyOf(value, KINDS[value].key(first))]);
  } }, PERIODS.filter((name) => name !== "all").map((name) =>
    make("option", { value: name, selected: name === kind }, words.kinds[name])));
  const content = make("div.content", historyNote(signal));
  main.append(kindsBar("compare", first),
    make("div.stepper.compare-head", make("h1", words.compareTitle), select), content);
  whenChosen(signal, () => fill(content, kind, [left, right], signal));
}

/** @param {Compared} kind @param {string} key */
function yearBefore(kind, key) {
  if (kind === "day" || kind === "week") return step("day", key, -YEAR_DAYS);
  return step(kind, key, kind === "year" ? -1 : -12);
}

/** @param {HTMLElement} content @param {Compared} kind @param {string[]} keys @param {AbortSignal} signal */
async function fill(content, kind, keys, signal) {
  const sides = make("div.sides");
  content.append(sides);
  try {
    const answers = await Promise.all(keys.map((key) => requestHistory("energy", periodQuery(kind, key), signal)));
    if (signal.aborted) return;
    const bars = answers.map((energy) => energy.buckets.map((bucket) => energyBar(bucket, energy)));
    const ranges = bars.map(barRange);
    /** @type {[number, number]} */
    const range = [Math.min(...ranges.map(([low]) => low)), Math.max(...ranges.map(([, high]) => high))];
    for (const [at, energy] of answers.entries()) {
      const open = (/** @type {string} */ next) =>
        navigate("compare", [kind, ...keys.map((key, place) => (place === at ? next : key))]);
      const head = stepper(kind, keys[at], open);
      await side(sides, head, { kind, energy, bars: bars[at], range, signal });
    }
    content.append(differences(answers[0], answers[1]));
  } catch (error) {
    if (!signal.aborted) content.replaceChildren(make("p.empty.card", messageOf(error)));
  }
}

/**
 * @param {HTMLElement} sides
 * @param {HTMLElement} head
 * @param {{kind: Compared, energy: Api.Energy, bars: Bar[], range: [number, number], signal: AbortSignal}} data
 */
async function side(sides, head, { kind, energy, bars, range, signal }) {
  const caption = make("p.caption", { "aria-live": "polite" });
  const box = make("div.chart");
  sides.append(make("section.card.chart-card", head, caption, box));
  const text = (/** @type {number} */ at) => bucketText(kind, energy.buckets[at], bars[at]);
  await drawBars(box, bars, {
    unit: "kWh", range, labels: axisLabels(kind, energy.buckets), middle: isLabelCentred(kind),
    label: words.energyPer[KINDS[kind].bucket], text, signal, number: axisNumber,
    caption, legend: energyLegend(Boolean(energy.export)),
  });
}

/** @param {Api.Energy} left @param {Api.Energy} right */
function differences(left, right) {
  const isRunning = [left, right].some(({ end }) => Date.parse(end) > Date.now());
  return make("section.card", make("h2", words.difference),
    make("dl.pairs", row(words.fromGrid, left.import, right.import), row(words.toGrid, left.export, right.export)),
    isRunning && make("p.soft", words.stillRunning));
}

/** @param {string} name @param {Api.CounterEnergy | undefined} left @param {Api.CounterEnergy | undefined} right */
function row(name, left, right) {
  if (!left?.total_wh || !right?.total_wh) return null;
  const difference = minus(left.total_wh, right.total_wh);
  const sign = Number(difference) > 0 ? "+" : "";
  const percent = Number(right.total_wh) ? ` (${sign}${percentOf(difference, right.total_wh)} %)` : "";
  const result = `${sign}${rounded(difference, 3, 3)} kWh${percent}`;
  return pair(name, `${kwhShort(left.total_wh)} − ${kwhShort(right.total_wh)} = ${result}`);
}
