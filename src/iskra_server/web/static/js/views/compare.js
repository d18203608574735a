// Two periods up to the same day and time, and the one before: the difference, running totals, bars side by side.

import { requestHistory } from "../api.js";
import { dateRange, shiftDays, wallTime } from "../calendar.js";
import { drawBars } from "../charts/bars.js";
import { drawCurves } from "../charts/curves.js";
import { energyLegend, legendItem } from "../charts/legend.js";
import { barRange } from "../charts/scales.js";
import { comparedCost } from "../comparedCost.js";
import { money, requestCost } from "../costs.js";
import { make, setTitle } from "../dom.js";
import { axisNumber, chartKwh, energyBar, kwhShort, roundedKwh } from "../energyText.js";
import { failureCard } from "../failure.js";
import { words } from "../language.js";
import { firstDay, isFuture, isKind, keyOf, KINDS, periodQuery, periodTitle, step } from "../periods.js";
import { navigate, PERIODS } from "../router.js";
import { compared, partQuery, runningTotals, sameParts } from "../samePart.js";
import { whenChosen } from "../store.js";
import { kindsBar, stepper } from "../toolbar.js";
import { historyNote } from "../widgets.js";
import { axisLabels, bucketName, bucketText, isLabelCentred } from "./buckets.js";

// 52 weeks, so that a Monday is compared with a Monday
const YEAR_DAYS = 364;
const WEEK_DAYS = 7;

/**
 * @typedef {import("../samePart.js").Compared} Compared
 * @typedef {import("../samePart.js").Part} Part
 * `whole` is the energy of the period, `energy` and `cost` are those of its part
 * @typedef {{key: string, part: Part, whole: Api.Energy, energy: Api.Energy,
 *   cost: import("../costs.js").Billed | null}} Period
 */

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
  setTitle(`${words.titles.compare} ${periodTitle(kind, left)}`);
  main.append(kindsBar("compare", first),
    make("div.stepper.compare-head", make("h1", words.compareTitle), select), content);
  // the period before stands beside the two, unless it is one of them
  const before = periodBefore(kind, left);
  const keys = [left, right, ...(before === right || before === left ? [] : [before])];
  whenChosen(signal, () => fill(content, kind, keys, signal));
}

/** @param {Compared} kind @param {string} key */
function yearBefore(kind, key) {
  if (kind === "day" || kind === "week") return step("day", key, -YEAR_DAYS);
  return step(kind, key, kind === "year" ? -1 : -12);
}

/** The period before; of a day, the same weekday a week before. @param {Compared} kind @param {string} key */
const periodBefore = (kind, key) => (kind === "day" ? step("day", key, -WEEK_DAYS) : step(kind, key, -1));

/** @param {HTMLElement} content @param {Compared} kind @param {string[]} keys @param {AbortSignal} signal */
async function fill(content, kind, keys, signal) {
  try {
    const parts = sameParts(kind, keys);
    const periods = await Promise.all(keys.map((key, at) => load(kind, key, parts[at], signal)));
    if (signal.aborted) return;
    content.replaceChildren();
    await render(content, kind, periods, signal);
  } catch (error) {
    if (!signal.aborted) content.replaceChildren(failureCard(error));
  }
}

/** @param {Compared} kind @param {string} key @param {Part} part @returns {Promise<Period>} */
async function load(kind, key, part, /** @type {AbortSignal} */ signal) {
  const query = periodQuery(kind, key);
  const whole = requestHistory("energy", query, signal);
  // a part of no length cannot be requested
  const isEmpty = isFuture(kind, key) || `${part.end.day} ${part.end.clock}` <= `${firstDay(kind, key)} 00:00`;
  const energy = isEmpty ? whole.then(emptied)
    : part.isWhole ? whole : requestHistory("energy", partQuery(query, part), signal);
  const cost = isEmpty ? null : requestCost(partQuery(query, part), signal);
  const answers = await Promise.all([whole, energy, cost]);
  return { key, part, whole: answers[0], energy: answers[1], cost: answers[2] };
}

/** @param {Api.Energy} energy @returns {Api.Energy} */
const emptied = (energy) => ({
  ...energy, buckets: [], import: { ...energy.import, total_wh: undefined }, export: undefined,
});

/** @param {HTMLElement} content @param {Compared} kind @param {Period[]} periods @param {AbortSignal} signal */
async function render(content, kind, periods, signal) {
  const [left, right] = periods;
  content.append(make("div.sides", periods.slice(1).map((other) => messageCard(kind, left, other))));
  const sides = make("div.sides");
  const isCut = periods.slice(0, 2).some(({ part }) => !part.isWhole);
  const hasExport = periods.some(({ whole }) => whole.export);
  const card = make("section.card.chart-card", make("h2", words.comparison.totals));
  content.append(card, make("p.legend", energyLegend(hasExport),
    isCut && legendItem("pale", words.comparison.notCompared)), sides);
  await totalsChart(card, kind, periods, signal);
  const bars = [left, right].map((period) => barsOf(period));
  const ranges = bars.map(barRange);
  /** @type {[number, number]} */
  const range = [Math.min(...ranges.map(([low]) => low)), Math.max(...ranges.map(([, high]) => high))];
  for (const [at, period] of [left, right].entries()) {
    const open = (/** @type {string} */ next) =>
      navigate("compare", [kind, ...[left, right].map(({ key }, place) => (place === at ? next : key))]);
    await side(sides, stepper(kind, period.key, open), { kind, period, bars: bars[at], range, signal });
  }
}

/**
 * Pale bars are outside of the part; of a bar in which the part ends, the rest is pale.
 * @param {Period} period
 * @returns {Bar[]}
 */
function barsOf({ part, whole, energy }) {
  return whole.buckets.map((bucket, at) => {
    const bar = energyBar(bucket, whole);
    if (part.isWhole) return bar;
    const inside = energy.buckets[at] && energyBar(energy.buckets[at], energy);
    return { ...bar, up: inside?.up ?? null, down: inside?.down ?? null, wholeUp: bar.up, wholeDown: bar.down };
  });
}

/** @param {Compared} kind @param {Period} period */
function partText(kind, { key, part: { end, isWhole } }) {
  if (isWhole) return periodTitle(kind, key);
  const clock = end.clock === "00:00" ? "" : words.comparison.until(wallTime(`${end.day}T${end.clock}:00`));
  if (kind === "day") return `${periodTitle(kind, key)}${clock}`;
  const last = clock ? end.day : shiftDays(end.day, -1);
  return `${dateRange(firstDay(kind, key), last, { day: "numeric", month: "short", year: "numeric" })}${clock}`;
}

/** @param {Compared} kind @param {Period} left @param {Period} right */
function messageCard(kind, left, right) {
  const texts = words.comparison;
  const results = [compared(left.energy, right.energy, "import"), compared(left.energy, right.energy, "export")];
  const [imported, exported] = results;
  const paid = comparedCost(left, right);
  const only = results.find((result) => result && result.buckets !== null)?.buckets;
  return make("section.card.message", make("h2.plain", texts.against(partText(kind, left), partText(kind, right))),
    make("p.middle", imported ? texts.fromGrid(difference(imported)) : make("span.soft", words.noData)),
    imported && make("p", sumsText(imported)),
    paid && make("p", make("strong", texts.cost(costDifference(paid))), ` · ${costsText(paid)}`),
    exported && make("p", make("strong", texts.toGrid(difference(exported))), ` · ${sumsText(exported)}`),
    only != null && make("p.soft", texts.only(only, words.bucketNames[KINDS[kind].bucket])));
}

/** "26.6 kWh less", "as much". @param {{difference: string}} result */
function difference({ difference: wh }) {
  const text = roundedKwh(wh.replace("-", ""));
  const { less, more, same } = words.comparison;
  return Number(wh) === 0 ? same : Number(wh) < 0 ? less(text) : more(text);
}

/** "126.0 kWh against 152.5 kWh (−17.4 %)". @param {{left: string, right: string, percent: string | null}} result */
const sumsText = ({ left, right, percent }) =>
  `${words.comparison.against(kwhShort(left), kwhShort(right))}${changeText(left, right, percent)}`;

/** @param {string} left @param {string} right @param {string | null} percent */
function changeText(left, right, percent) {
  const sign = percent?.startsWith("−") || left === right ? "" : "+";
  return percent === null ? "" : ` (${sign}${percent}\u00a0%)`;
}

/** @param {import("../comparedCost.js").CostResult} paid */
function costDifference({ difference: amount, currency }) {
  const text = money(amount.replace("-", ""), currency);
  const { less, more, same } = words.comparison;
  return Number(amount) === 0 ? same : Number(amount) < 0 ? less(text) : more(text);
}

/** @param {import("../comparedCost.js").CostResult} paid */
const costsText = ({ left, right, percent, currency }) =>
  `${words.comparison.against(money(left, currency), money(right, currency))}${changeText(left, right, percent)}`;

const INKS = /** @type {const} */ (["line", "thin", "dashed"]);

/** @param {HTMLElement} card @param {Compared} kind @param {Period[]} periods @param {AbortSignal} signal */
async function totalsChart(card, kind, periods, signal) {
  const [longest] = periods.map(({ whole }) => whole).sort((a, b) => b.buckets.length - a.buckets.length);
  const size = longest.buckets.length;
  const cut = cutPosition(periods[0], size);
  const positions = [...Array.from({ length: size + 1 }, (_, at) => at), cut].sort((a, b) => a - b)
    .filter((at, index, all) => at !== all[index - 1]);
  const curves = periods.map((period) => ({
    up: curveOf(period, "import_wh", positions, cut), down: curveOf(period, "export_wh", positions, cut),
  }));
  const caption = make("p.caption", { "aria-live": "polite" });
  const box = make("div.chart");
  card.append(caption, box);
  const name = (/** @type {number} */ at) => (Number.isInteger(positions[at])
    ? endText(kind, longest.buckets[Math.max(0, positions[at] - 1)]) : words.comparison.soFar);
  const text = (/** @type {number} */ at) => [name(at), ...periods.map((period, place) => {
    const { up, down } = curves[place];
    const exported = period.whole.export ? ` ↑ ${totalText(down[at])}` : "";
    return `${shortTitle(kind, period.key)}: ↓ ${totalText(up[at])}${exported}`;
  })].join(" · ");
  await drawCurves(box, {
    positions, curves, cut, text, caption, signal, number: axisNumber, label: words.comparison.totals,
    labels: axisLabels(kind, longest.buckets), middle: isLabelCentred(kind),
    legend: periods.map(({ key }, at) => legendItem(INKS[at], shortTitle(kind, key))),
  });
}

const totalText = (/** @type {number | null} */ total) =>
  (total === null ? "–" : roundedKwh(String(Math.round(total * 1000))));

/** Where the part of a period ends, in buckets from its beginning. @param {Period} period @param {number} size */
function cutPosition({ part, whole, energy }, size) {
  if (part.isWhole) return size;
  const last = energy.buckets.length - 1;
  if (last < 0) return 0;
  const lengthOf = (/** @type {{begin: string, end: string}} */ { begin, end }) => Date.parse(end) - Date.parse(begin);
  return last + lengthOf(energy.buckets[last]) / lengthOf(whole.buckets[last]);
}

/** @param {Period} period @param {"import_wh" | "export_wh"} name @param {number[]} positions @param {number} cut */
function curveOf({ whole, energy }, name, positions, cut) {
  const totals = runningTotals(whole.buckets, name);
  const last = energy.buckets.at(-1)?.[name];
  const now = Date.now();
  return positions.map((at) => {
    if (Number.isInteger(at)) {
      // the running bucket ends in the future
      const isOver = at === 0 || Date.parse(whole.buckets[at - 1]?.end ?? "") <= now;
      return isOver ? totals[at] ?? null : null;
    }
    const before = totals[Math.floor(cut)];
    return before == null || last === undefined ? null : before + (chartKwh(last) ?? 0);
  });
}

/** The time up to which a running total counts. @param {Compared} kind @param {Api.EnergyBucket} bucket */
const endText = (kind, { begin, end }) =>
  (kind === "day" ? wallTime(end) : words.comparison.upTo(bucketName(kind, { begin, end })));

/** @param {Compared} kind @param {string} key */
const shortTitle = (kind, key) => (kind === "day" || kind === "week"
  ? dateRange(key, kind === "week" ? shiftDays(key, 6) : key, { day: "numeric", month: "short", year: "numeric" })
  : periodTitle(kind, key));

/**
 * @param {HTMLElement} sides
 * @param {HTMLElement} head
 * @param {{kind: Compared, period: Period, bars: Bar[], range: [number, number], signal: AbortSignal}} data
 */
async function side(sides, head, { kind, period, bars, range, signal }) {
  const { buckets } = period.whole;
  const caption = make("p.caption", { "aria-live": "polite" });
  const box = make("div.chart");
  sides.append(make("section.card.chart-card", head, caption, box));
  await drawBars(box, bars, {
    unit: "kWh", range, labels: axisLabels(kind, buckets), middle: isLabelCentred(kind),
    label: `${words.energyPer[KINDS[kind].bucket]}, ${shortTitle(kind, period.key)}`, signal, number: axisNumber,
    text: (at) => bucketText(kind, buckets[at], energyBar(buckets[at], period.whole)), caption, legend: "",
  });
}
