// Today: by quarter-hour, so far, against yesterday, with the base load and the strongest quarter-hour.

import { askMeter, messageOf } from "../api.js";
import { shiftDays, today } from "../calendar.js";
import { drawBars } from "../charts/bars.js";
import { energyLegend } from "../charts/legend.js";
import { shortTime } from "../clock.js";
import { monthCostText } from "../costs.js";
import { isNew, make, pair } from "../dom.js";
import { axisNumber, energyBar, quarterText } from "../energyText.js";
import { rounded } from "../exact.js";
import { words } from "../language.js";
import { freshMeter, registerValue, subscribe, whenChosen } from "../store.js";
import { baseLoad, comparison, localQuarters, NIGHTS, peak, sinceMidnight, totalsOf } from "../todayStats.js";
import { axisLabels } from "./buckets.js";

const QUARTER_MS = 900_000;
// a quarter-hour that has ended is in history a little later
const LATER_MS = 5_000;

/** What history says of today. @typedef {Awaited<ReturnType<typeof askHistory>>} History */

/**
 * Fills the chart of the day with a caption for the picked bar, and what there is to say of today.
 * @param {{day: HTMLElement, caption: HTMLElement, facts: HTMLElement}} nodes
 * @param {AbortSignal} signal
 */
export function showToday({ day, caption, facts }, signal) {
  /** @type {History | string | null} a text is why there is no history */
  let history = null;
  const show = () => { if (history !== null) renderFacts(facts, history, freshMeter()); };
  signal.addEventListener("abort", subscribe(show));
  const renew = async () => {
    const next = await renewDay(day, caption, signal);
    if (signal.aborted) return;
    history = next;
    show();
  };
  whenChosen(signal, async () => {
    await renew();
    const next = QUARTER_MS - (Date.now() % QUARTER_MS) + LATER_MS;
    let timer = setTimeout(function repeat() { renew(); timer = setTimeout(repeat, QUARTER_MS); }, next);
    signal.addEventListener("abort", () => clearTimeout(timer));
  });
}

/**
 * Draws today anew; gives what history says, or why it says nothing.
 * @param {HTMLElement} box
 * @param {HTMLElement} caption
 * @param {AbortSignal} signal
 */
async function renewDay(box, caption, signal) {
  try {
    const history = await askHistory(signal);
    if (!signal.aborted) await drawDay(box, caption, history.energy, signal);
    return history;
  } catch (error) {
    const message = messageOf(error);
    if (!signal.aborted) box.replaceChildren(make("p.empty", message));
    return message;
  }
}

/** @param {AbortSignal} signal */
async function askHistory(signal) {
  const date = today();
  const [energy, days] = await Promise.all([
    askMeter("energy", { from: date, bucket: "15min" }, signal),
    askMeter("quarters", { from: shiftDays(date, -NIGHTS), to: date }, signal),
  ]);
  const quarters = localQuarters(days);
  const cost = await monthCostText(date, signal);
  return {
    date, energy, cost, totals: totalsOf(quarters, date), compared: comparison(quarters, date),
    strongest: peak(quarters, date), base: baseLoad(quarters),
  };
}

/** @param {HTMLElement} box @param {HTMLElement} caption @param {Api.Energy} energy @param {AbortSignal} signal */
async function drawDay(box, caption, energy, signal) {
  box.replaceChildren();
  const bars = energy.buckets.map((bucket) => energyBar(bucket, energy));
  const text = (/** @type {number} */ at) => quarterText(energy.buckets[at], bars[at]);
  await drawBars(box, bars, {
    unit: "kWh", labels: axisLabels("day", energy.buckets), label: words.todayChart, text, signal,
    number: axisNumber,
    caption, legend: energyLegend(Boolean(energy.export)),
  });
}

/** @param {HTMLElement} box @param {History | string} history @param {ReturnType<typeof freshMeter>} meter */
function renderFacts(box, history, meter) {
  if (typeof history === "string") {
    if (isNew(box, history)) box.replaceChildren(make("p.soft", history));
    return;
  }
  const { date, cost, totals, compared, strongest, base } = history;
  const total = date === today() && meter && !meter.locked ? registerValue(meter, "energy_import") : undefined;
  const exact = sinceMidnight(history.energy.import, date, total) ?? totals.up;
  const energy = exact === null ? null : rounded(exact, 3, 3);
  /** @type {[string, string][]} */
  const rows = [];
  if (totals.down !== null) rows.push([words.toGrid, `${rounded(totals.down, 3, 3)} kWh`]);
  if (base !== null) rows.push([words.baseLoad, `${rounded(base)} W`]);
  if (strongest) rows.push([words.highest["15min"], `${shortTime(strongest.at)} · ${rounded(strongest.watts)} W`]);
  if (cost) rows.push([words.cost.thisMonth, cost]);
  if (!isNew(box, [energy, rows, compared])) return;
  box.replaceChildren(
    make("p.middle", energy === null ? make("span.soft", words.noDataYet)
      : [make("span", energy), make("span.unit", "kWh")]),
    compared ? make("p.compared", comparisonText(compared)) : "",
    make("dl.pairs", rows.map(([name, text]) => pair(name, text))),
  );
}

/** @param {NonNullable<ReturnType<typeof comparison>>} compared */
function comparisonText({ until, difference }) {
  const text = `${rounded(difference.replace("-", ""), 3, 3)} kWh`;
  if (Number(difference) === 0) return words.sameAsYesterday(until);
  return Number(difference) < 0 ? words.lessThanYesterday(text, until) : words.moreThanYesterday(text, until);
}
