// Today in quarter-hours, its total compared with yesterday, the base load and the highest quarter-hour.

import { requestHistory } from "../api.js";
import { QUARTER_MS, shiftDays, today } from "../calendar.js";
import { drawBars } from "../charts/bars.js";
import { energyLegend } from "../charts/legend.js";
import { shortTime } from "../clock.js";
import { moneyShort, partText, requestCost, totalText } from "../costs.js";
import { make, pair, setContent, setText } from "../dom.js";
import {
  axisNumber, differenceText, energyBar, exportAmount, exportName, opposite, quarterText,
} from "../energyText.js";
import { rounded } from "../exact.js";
import { failureText } from "../failure.js";
import { words } from "../language.js";
import { link } from "../router.js";
import {
  chosenStatus, currentReading, isPlant, placesOf, registerValue, store, subscribe, whenChosen,
} from "../store.js";
import { rateNow, requestTodayCost, todayCostText } from "../todayCost.js";
import {
  comparison, countsWholeKwh, localQuarters, highestQuarter, sinceMidnight, totalsOf,
} from "../todayStats.js";
import { axisLabels } from "./buckets.js";
import { emptyText } from "./emptyHistory.js";

// the time that history needs to record a quarter-hour that has ended
const RECORDING_MS = 5_000;

/** @typedef {Awaited<ReturnType<typeof loadHistory>>} History */

/**
 * Draws the chart of today, shows its facts and the cost of the power; refreshes them after each quarter-hour.
 * @param {{day: HTMLElement, caption: HTMLElement, facts: HTMLElement, rate: HTMLElement}} nodes
 * @param {AbortSignal} signal
 */
export function showToday({ day, caption, facts, rate }, signal) {
  /** @type {History | string | null} a string is the reason why there is no history */
  let history = null;
  let drawing = new AbortController();
  signal.addEventListener("abort", () => drawing.abort());
  const show = () => {
    const meter = currentReading();
    if (history !== null) renderFacts(facts, history, meter);
    setText(rate, history && typeof history !== "string" ? rateNow(history.paid, meter) : "");
  };
  signal.addEventListener("abort", subscribe(show));
  const refresh = async () => {
    const next = await refreshDay(day, caption, signal, () => {
      drawing.abort();
      drawing = new AbortController();
      return drawing.signal;
    });
    if (signal.aborted) return;
    history = next;
    show();
  };
  whenChosen(signal, async () => {
    await refresh();
    if (signal.aborted) return;
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
 * @param {() => AbortSignal} begin ends the drawing before
 */
async function refreshDay(box, caption, signal, begin) {
  try {
    const history = await loadHistory(signal);
    if (!signal.aborted) await drawDay(box, caption, history.energy, begin());
    return history;
  } catch (error) {
    const message = failureText(error);
    if (!signal.aborted) box.replaceChildren(make("p.empty", message));
    return message;
  }
}

/** @param {AbortSignal} signal */
async function loadHistory(signal) {
  const date = today();
  const year = { from: "this_year", bucket: "month" };
  const [energy, days, months, standby] = await Promise.all([
    requestHistory("energy", { from: date, bucket: "15min" }, signal),
    requestHistory("quarters", { from: shiftDays(date, -1), to: date }, signal),
    requestHistory("energy", year, signal),
    requestHistory("standby", {}, signal),
  ]);
  const paid = await requestTodayCost(signal);
  const costs = paid && await requestCost(year, signal);
  const quarters = localQuarters(days);
  const hasPower = !countsWholeKwh(quarters.map(({ imported }) => imported));
  return {
    date, energy, months, paid, costs, standby,
    totals: totalsOf(quarters, date), compared: comparison(quarters, date),
    highest: hasPower ? highestQuarter(quarters, date) : null,
  };
}

/** @param {HTMLElement} box @param {HTMLElement} caption @param {Api.Energy} energy @param {AbortSignal} signal */
async function drawDay(box, caption, energy, signal) {
  box.replaceChildren();
  const bars = energy.buckets.map((bucket) => energyBar(bucket, energy));
  if (!bars.some(({ kind }) => kind === "complete" || kind === "partial")) {
    caption.replaceChildren();
    box.replaceChildren(make("p.empty", emptyText(energy)));
    return;
  }
  const text = (/** @type {number} */ at) => quarterText(energy.buckets[at], bars[at]);
  await drawBars(box, bars, {
    unit: "kWh", labels: axisLabels("day", energy.buckets), label: words.todayChart, text, signal,
    number: axisNumber,
    caption, legend: energyLegend(Boolean(energy.export), energy.export?.total_wh),
  });
}

/** @param {HTMLElement} box @param {History | string} history @param {ReturnType<typeof currentReading>} meter */
function renderFacts(box, history, meter) {
  if (typeof history === "string") {
    setContent(box, make("p.soft", history));
    return;
  }
  const { date, totals, compared, highest, standby } = history;
  if (isPlant(store.chosen) && chosenStatus()?.facts.production_counter === "export") {
    renderProduction(box, history);
    return;
  }
  const isToday = date === today() && meter && !meter.locked;
  const total = isToday ? registerValue(meter, "energy_import") : undefined;
  const exact = sinceMidnight(history.energy.import, date, total) ?? totals.imported;
  const paid = todayCostText(history.paid, meter);
  const energy = exact === null ? null : rounded(exact, placesOf(meter), 3);
  /** @type {[string, Content<HTMLElement>][]} */
  const rows = [];
  if (totals.exported !== null) {
    const text = `${rounded(exportAmount(totals.exported), placesOf(meter, "energy_export"), 3)} kWh`;
    const earned = earnedText(history.paid, totals.exported);
    rows.push([exportName(totals.exported), [text, earned].filter(Boolean).join(" · ")]);
  }
  if (highest) rows.push([words.highest["15min"], `${shortTime(highest.at)} · ${rounded(highest.watts)} W`]);
  rows.push(...periodRows(history, meter), ...standbyRow(standby));
  setContent(box,
    make("p.middle", energy === null ? make("span.soft", words.noDataYet)
      : [make("span", energy), make("span.unit", "kWh"), paid && [" ", make("span.paid", paid)]]),
    make("p.compared", compared && `${differenceText(compared, placesOf(meter))}\u00a0· `,
      make("a", { href: link("normal") }, words.kinds.normal)),
    make("dl.pairs", rows.map(([name, text]) => pair(name, text))),
  );
}

/** What a plant has produced today, this month and this year. @param {HTMLElement} box @param {History} history */
function renderProduction(box, { totals, months }) {
  const text = (/** @type {string | undefined} */ wh) =>
    (wh === undefined ? words.noDataYet : `${rounded(wh, 1, 3)} kWh`);
  const month = months.buckets.filter(({ begin }) => Date.parse(begin) <= Date.now()).at(-1);
  setContent(box,
    make("p.middle", totals.exported === null ? make("span.soft", words.noDataYet)
      : [make("span", rounded(totals.exported, 3, 3)), make("span.unit", "kWh")]),
    make("dl.pairs", pair(words.cost.thisMonth, text(month?.export_wh)),
      pair(words.cost.thisYear, text(months.export?.total_wh))));
}

/**
 * What energy to the grid earned, or what it cost where it is below 0.
 * @param {import("../todayCost.js").TodayCost | null} paid @param {string} wh
 */
function earnedText(paid, wh) {
  if (!paid) return "";
  const { export_amount: amount, unpriced_export_wh: unpriced } = paid.cost.total;
  return partText(Number(wh) < 0 ? opposite(amount) ?? "" : amount, unpriced, paid.cost.currency);
}

/**
 * The energy of this month and of this year, and what each cost.
 * @param {History} history
 * @param {ReturnType<typeof currentReading>} meter
 * @returns {[string, string][]}
 */
function periodRows({ months, costs }, meter) {
  const isBegun = (/** @type {{begin: string}} */ { begin }) => Date.parse(begin) <= Date.now();
  const month = months.buckets.filter(isBegun).at(-1);
  const monthCost = costs?.buckets.filter(isBegun).at(-1)?.paid;
  const text = (/** @type {string | null | undefined} */ wh, /** @type {Api.Money | undefined} */ amount) => {
    const energy = wh == null ? words.noDataYet : `${rounded(wh, Math.min(1, placesOf(meter)), 3)} kWh`;
    return amount === undefined || !costs ? energy : `${energy} · ${totalText(amount, costs.currency)}`;
  };
  return [
    [words.cost.thisMonth, text(month?.import_wh, monthCost)],
    [words.cost.thisYear, text(months.import.total_wh, costs?.total)],
  ];
}

/** The base load and what it costs in a year. @returns {[string, Content<HTMLElement>][]} */
function standbyRow(/** @type {Api.Standby} */ { base_load_w: watts, year_amount: amount, currency }) {
  if (watts === undefined) return [];
  const text = `${rounded(watts)} W`;
  if (!amount || !currency || Number(amount) <= 0) return [[words.baseLoad, text]];
  const cost = words.cost.perYear(moneyShort(amount, currency));
  return [[words.baseLoad, make("a", { href: link("cost") }, `${text} · ${cost}`)]];
}
