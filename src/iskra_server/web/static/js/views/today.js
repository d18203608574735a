// Today in quarter-hours, its total compared with yesterday, the base load and the highest quarter-hour.

import { messageOf, requestHistory } from "../api.js";
import { QUARTER_MS, shiftDays, today } from "../calendar.js";
import { drawBars } from "../charts/bars.js";
import { energyLegend } from "../charts/legend.js";
import { shortTime } from "../clock.js";
import { monthCostText } from "../costs.js";
import { make, pair, setContent } from "../dom.js";
import { axisNumber, differenceText, energyBar, quarterText } from "../energyText.js";
import { rounded } from "../exact.js";
import { words } from "../language.js";
import { currentReading, placesOf, registerValue, subscribe, whenChosen } from "../store.js";
import {
  baseLoad, comparison, countsWholeKwh, localQuarters, highestQuarter, NIGHTS, sinceMidnight, totalsOf,
} from "../todayStats.js";
import { axisLabels } from "./buckets.js";

// the time that history needs to record a quarter-hour that has ended
const RECORDING_MS = 5_000;

/** @typedef {Awaited<ReturnType<typeof loadHistory>>} History */

/**
 * Draws the chart of today and shows its facts; refreshes both after each quarter-hour.
 * @param {{day: HTMLElement, caption: HTMLElement, facts: HTMLElement}} nodes
 * @param {AbortSignal} signal
 */
export function showToday({ day, caption, facts }, signal) {
  /** @type {History | string | null} a string is the reason why there is no history */
  let history = null;
  const show = () => { if (history !== null) renderFacts(facts, history, currentReading()); };
  signal.addEventListener("abort", subscribe(show));
  const refresh = async () => {
    const next = await refreshDay(day, caption, signal);
    if (signal.aborted) return;
    history = next;
    show();
  };
  whenChosen(signal, async () => {
    await refresh();
    const next = QUARTER_MS - (Date.now() % QUARTER_MS) + RECORDING_MS;
    let timer = setTimeout(function repeat() { refresh(); timer = setTimeout(repeat, QUARTER_MS); }, next);
    signal.addEventListener("abort", () => clearTimeout(timer));
  });
}

/**
 * Loads and draws today; returns its history, or the reason why there is none.
 * @param {HTMLElement} box
 * @param {HTMLElement} caption
 * @param {AbortSignal} signal
 */
async function refreshDay(box, caption, signal) {
  try {
    const history = await loadHistory(signal);
    if (!signal.aborted) await drawDay(box, caption, history.energy, signal);
    return history;
  } catch (error) {
    const message = messageOf(error);
    if (!signal.aborted) box.replaceChildren(make("p.empty", message));
    return message;
  }
}

/** @param {AbortSignal} signal */
async function loadHistory(signal) {
  const date = today();
  const [energy, days] = await Promise.all([
    requestHistory("energy", { from: date, bucket: "15min" }, signal),
    requestHistory("quarters", { from: shiftDays(date, -NIGHTS), to: date }, signal),
  ]);
  const quarters = localQuarters(days);
  const cost = await monthCostText(date, signal);
  const hasPower = !countsWholeKwh(quarters.map(({ imported }) => imported));
  return {
    date, energy, cost, totals: totalsOf(quarters, date), compared: comparison(quarters, date),
    highest: hasPower ? highestQuarter(quarters, date) : null, base: hasPower ? baseLoad(quarters) : null,
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

/** @param {HTMLElement} box @param {History | string} history @param {ReturnType<typeof currentReading>} meter */
function renderFacts(box, history, meter) {
  if (typeof history === "string") {
    setContent(box, make("p.soft", history));
    return;
  }
  const { date, cost, totals, compared, highest, base } = history;
  const total = date === today() && meter && !meter.locked ? registerValue(meter, "energy_import") : undefined;
  const exact = sinceMidnight(history.energy.import, date, total) ?? totals.imported;
  const energy = exact === null ? null : rounded(exact, placesOf(meter), 3);
  /** @type {[string, string][]} */
  const rows = [];
  if (totals.exported !== null) {
    rows.push([words.toGrid, `${rounded(totals.exported, placesOf(meter, "energy_export"), 3)} kWh`]);
  }
  if (base !== null) rows.push([words.baseLoad, `${rounded(base)} W`]);
  if (highest) rows.push([words.highest["15min"], `${shortTime(highest.at)} · ${rounded(highest.watts)} W`]);
  if (cost) rows.push([words.cost.thisMonth, cost]);
  setContent(box,
    make("p.middle", energy === null ? make("span.soft", words.noDataYet)
      : [make("span", energy), make("span.unit", "kWh")]),
    compared ? make("p.compared", differenceText(compared, placesOf(meter))) : "",
    make("dl.pairs", rows.map(([name, text]) => pair(name, text))),
  );
}
