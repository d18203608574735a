// The energy of a day, week, month, year or all years of a meter, as a chart or a table; the address has both.

import { requestHistory } from "../api.js";
import { times } from "../arithmetic.js";
import { QUARTERS_PER_HOUR, wallTime } from "../calendar.js";
import { drawBars } from "../charts/bars.js";
import { energyLegend } from "../charts/legend.js";
import { dateTime } from "../clock.js";
import { periodCost } from "../costs.js";
import { make } from "../dom.js";
import { axisNumber, energyBar, epochsOf, exportName, kwh, kwhShort, opposite } from "../energyText.js";
import { grouped, rounded } from "../exact.js";
import { failureCard } from "../failure.js";
import { words } from "../language.js";
import { KINDS, periodQuery, SMALLER_KIND } from "../periods.js";
import { navigate, replaceAddress } from "../router.js";
import { isPlant, store, whenChosen, whenPlant } from "../store.js";
import { reloadForPart } from "../stream.js";
import { csvText, download, table } from "../table.js";
import { countsWholeKwh } from "../todayStats.js";
import { stepper } from "../toolbar.js";
import { historyNote } from "../widgets.js";
import { axisLabels, bucketName, bucketText, isLabelCentred, opensText } from "./buckets.js";
import { showPowerCurve } from "./curve.js";
import { emptyText } from "./emptyHistory.js";

/**
 * @typedef {(kind: Kind, key: string, as?: string) => Parameters<typeof navigate>} PeriodAddress
 * @typedef {{kind: Kind, key: string, as: string, address: PeriodAddress}} Place `address` is that of a period
 * @typedef {{energy: Api.Energy, bars: Bar[], cost: PeriodCost | null, costs: Promise<PeriodCost | null>}} Known
 *   `cost` is what `costs` has brought so far
 * @typedef {Place & Known} Shown
 */

/**
 * Shows the energy of a period of the chosen meter, as soon as one is chosen.
 * @param {HTMLElement} main
 * @param {Place} place
 * @param {AbortSignal} signal
 */
export function showPeriodEnergy(main, place, signal) {
  const { kind, key, as, address } = place;
  const content = make("div.content", historyNote(signal));
  main.append(stepper(kind, key, (next) => navigate(...address(kind, next, as))), content);
  whenChosen(signal, () => fill(content, place, signal));
}

/** @param {HTMLElement} content @param {Place} place @param {AbortSignal} signal */
async function fill(content, place, signal) {
  const { kind, key } = place;
  try {
    // energy is shown at once, and its cost as soon as it is there
    const costs = periodCost(kind, key, signal);
    const answer = await requestHistory("energy", periodQuery(kind, key), signal);
    if (signal.aborted) return;
    const energy = kind === "all" ? trimmed(answer) : answer;
    const bars = energy.buckets.map((bucket) => energyBar(bucket, energy));
    content.replaceChildren();
    await render(content, { ...place, energy, bars, cost: null, costs }, signal);
  } catch (error) {
    if (!signal.aborted) content.replaceChildren(failureCard(error));
  }
}

/** Without the years before the first measured one. @param {Api.Energy} energy */
function trimmed(energy) {
  const first = energy.buckets.findIndex((bucket) => bucket.import_wh !== undefined || bucket.export_wh !== undefined);
  return { ...energy, buckets: first < 0 ? [] : energy.buckets.slice(first) };
}

/** @param {HTMLElement} content @param {Shown} shown @param {AbortSignal} signal */
async function render(content, shown, signal) {
  if (!shown.bars.some(({ kind }) => kind === "complete" || kind === "partial")) {
    content.append(make("p.empty.card", emptyText(shown.energy)));
    return;
  }
  const card = make("section.card.chart-card", cardHead(shown));
  const parts = amounts(shown);
  content.append(parts[0], card);
  card.append(...parts.slice(1));
  void shown.costs.then((cost) => {
    if (!cost || signal.aborted) return;
    shown.cost = cost;
    const priced = amounts(shown);
    parts.forEach((part, place) => part.replaceWith(priced[place]));
  });
  if (shown.as !== "table") {
    await chart(card, shown, signal);
    if (shown.kind === "day") await showPowerCurve(content, shown.key, shown.energy, signal);
  }
  if (signal.aborted) return;
  const end = notes(shown.energy);
  content.append(end);
  whenPlant(signal, async () => {
    const solar = await import("./solarHistory.js").catch(reloadForPart);
    if (solar && !signal.aborted) await solar.showSolarHistory(end, shown, signal);
  });
}

/** What has amounts of money: the totals, and the table if there is one. @param {Shown} shown @returns {Element[]} */
const amounts = (shown) =>
  [totals(shown), ...(shown.as === "table" ? [table(columnsOf(shown), rowsOf(shown))] : [])];

/** @param {Shown} shown */
function cardHead(shown) {
  const { kind, key, as, address } = shown;
  const choice = (/** @type {string} */ name, /** @type {boolean} */ isPressed, /** @type {string} */ label) =>
    make("button", { type: "button", "aria-pressed": String(isPressed), onclick: () => {
      replaceAddress(...address(kind, key, name));
      dispatchEvent(new Event("hashchange"));
    } }, label);
  const save = async () => {
    await shown.costs;
    download(`iskra-${kind}-${key || "years"}.csv`, csvOf(shown));
  };
  return make("div.card-head", make("h2", words.energyPer[KINDS[kind].bucket]),
    make("div.switch", { role: "group", "aria-label": words.showAs },
      choice("", as !== "table", words.chart), choice("table", as === "table", words.table)),
    make("button.quiet", { type: "button", onclick: save }, "CSV"));
}

/** @param {HTMLElement} card @param {Shown} shown @param {AbortSignal} signal */
async function chart(card, shown, signal) {
  const { kind, energy, bars, address } = shown;
  const caption = make("p.caption", { "aria-live": "polite" });
  const box = make("div.chart");
  card.append(caption, box);
  const text = (/** @type {number} */ at) =>
    [bucketText(kind, energy.buckets[at], bars[at]), shown.cost?.textOf(energy.buckets[at])]
      .filter(Boolean).join(" · ");
  const next = SMALLER_KIND[kind];
  await drawBars(box, bars, {
    unit: "kWh", labels: axisLabels(kind, energy.buckets), middle: isLabelCentred(kind),
    label: words.energyPer[KINDS[kind].bucket], text, signal, number: axisNumber,
    caption, legend: energyLegend(Boolean(energy.export), energy.export?.total_wh), opens: next && opensText(next),
    onOpen: next && ((at) => navigate(...address(next, KINDS[next].key(energy.buckets[at].begin.slice(0, 10))))),
  });
  void shown.costs.then((cost) => cost && box.dispatchEvent(new Event("change")));
}

/** @param {Shown} shown */
function totals({ kind, energy, cost }) {
  /** @type {(name: string, text: Content<HTMLElement>, flow?: string) => HTMLElement} */
  const total = (name, text, flow) =>
    make("div.total", { "data-flow": flow }, make("dt", name), make("dd", text));
  // of what an inverter draws at night
  const highest = isPlant(store.chosen) ? null : highestText(kind, energy, cost);
  const isSolar = isOwnSolar(energy);
  const exported = energy.export?.total_wh;
  // on a phone the amount is on a line of its own
  const priced = (/** @type {string} */ text, /** @type {string | undefined} */ amount) =>
    [make("span", text), amount ? [" ", make("span", `· ${amount}`)] : null];
  return make("dl.totals",
    total(`↓ ${words.fromGrid}`, priced(kwhShort(energy.import.total_wh), cost?.imported), "import"),
    energy.export && total(isSolar ? words.virtual.solar : `↑ ${words.toGrid}`,
      priced(kwhShort(isSolar ? opposite(exported) : exported),
        isSolar ? cost?.exported.replace("−", "") : cost?.exported), "export"),
    cost && total(words.cost.cost, cost.total),
    highest && total(words.highest[KINDS[kind].bucket], highest));
}

/** Whether an export below 0 is the solar power that a virtual meter has used. @param {Api.Energy} energy */
const isOwnSolar = ({ export: exported }) => Number(exported?.total_wh ?? 0) < 0;

/** @param {Kind} kind @param {Api.Energy} energy @param {PeriodCost | null} cost */
function highestText(kind, energy, cost) {
  const measured = energy.buckets.flatMap(({ begin, end, import_wh: wh }) =>
    (wh === undefined ? [] : { begin, end, wh }));
  if (measured.length < 2 || (kind === "day" && countsWholeKwh(measured.map(({ wh }) => wh)))) return null;
  const highest = measured.reduce((best, bucket) => (Number(bucket.wh) > Number(best.wh) ? bucket : best));
  if (kind === "day") return `${wallTime(highest.begin)} · ${rounded(times(highest.wh, QUARTERS_PER_HOUR))} W`;
  return [bucketName(kind, highest), kwhShort(highest.wh), cost?.textOf(highest)].filter(Boolean).join(" · ");
}

/** The meter readings at both ends, their difference, gaps and counter restarts. @param {Api.Energy} energy */
function notes(energy) {
  const at = (/** @type {string} */ instant) => dateTime(new Date(instant));
  /** @type {(name: string, counter: Api.CounterEnergy | undefined) => Node[]} */
  const readings = (name, counter) => {
    if (!counter?.first || !counter.last) return [];
    const obis = counter.obis.replace("1-0:", "").replace("*255", "");
    /** @type {(label: string, reading: NonNullable<Api.CounterEnergy["first"]>) => Node} */
    const reading = (label, { at: instant, register_wh: wh }) =>
      make("td", { "data-label": label }, make("span.number", kwhCell(wh)), make("small", at(instant)));
    return [make("tr", make("th", { scope: "row" }, name, make("small", `${obis} · kWh`)),
      reading(words.from, counter.first), reading(words.to, counter.last),
      make("td.number", { "data-label": words.difference }, kwhCell(counter.total_wh)))];
  };
  const gaps = energy.import.gaps.map((gap) => words.gap(at(gap.begin), at(gap.end), kwh(gap.energy_wh)));
  const epochs = epochsOf(energy).map((epoch) =>
    words.restartedAt(at(epoch.at), epoch.before_wh && kwh(epoch.before_wh), kwh(epoch.after_wh)));
  const columns = [words.counter, words.from, words.to, words.difference];
  return make("section.card.notes", make("h2", words.readings),
    make("table", make("thead", make("tr", columns.map((name, place) =>
      make(place ? "th.number" : "th", { scope: "col" }, name)))),
    make("tbody", readings(words.counters.import, energy.import), readings(words.counters.export, energy.export))),
    make("ul.marks", [...gaps, ...epochs].map((text) => make("li", text))));
}

/** @param {Shown} shown */
const columnsOf = (shown) => [
  words.period, `${words.fromGrid} (kWh)`,
  ...(shown.energy.export ? [`${exportName(shown.energy.export.total_wh)} (kWh)`] : []),
  ...(shown.cost ? [words.cost.cost] : []), ...(hasExceptions(shown) ? [words.quality] : []),
];

/** @param {Shown} shown */
function rowsOf(shown) {
  const { kind, energy, bars, cost } = shown;
  const isQualityShown = hasExceptions(shown);
  const isSolar = isOwnSolar(energy);
  return energy.buckets.map((bucket, at) => [
    // the column is narrow: no word "Uhr" behind each time
    bucketName(kind, bucket).replace(/ Uhr$/, ""),
    kwhCell(bucket.import_wh),
    ...(energy.export ? [kwhCell(isSolar ? opposite(bucket.export_wh) : bucket.export_wh)] : []),
    ...(cost ? [cost.textOf(bucket) || "–"] : []), ...(isQualityShown ? [qualityText(bucket, bars[at])] : []),
  ]);
}

/** Whether not everything was measured: else a column of qualities says nothing. @param {Shown} shown */
const hasExceptions = ({ energy, bars }) => energy.buckets.some(({ import_quality: quality }, at) =>
  bars[at].kind === "missing" || bars[at].kind === "partial" || quality === "interpolated");

const kwhCell = (/** @type {string | undefined} */ wh) => (wh === undefined ? "–" : grouped(wh, 3));

/** @param {Api.EnergyBucket} bucket @param {Bar} bar */
function qualityText({ import_quality: quality }, { kind }) {
  if (kind === "future") return words.future;
  return words.qualities[kind === "complete" && quality === "partial" ? "running" : quality];
}

/** @param {Shown} shown */
function csvOf({ energy, bars, cost }) {
  const exported = energy.export ? ["export_wh", "export_quality"] : [];
  const columns = ["begin", "end", "import_wh", "import_quality", ...exported];
  const rows = energy.buckets.filter((_, at) => bars[at].kind !== "future").map((bucket) => {
    /** @type {Record<string, string | undefined>} */
    const values = { ...bucket };
    return [...columns.map((name) => values[name] ?? ""), ...(cost ? [cost.amountOf(bucket) ?? ""] : [])];
  });
  const head = [...columns, ...(cost ? ["cost_amount"] : [])];
  return csvText([head, ...rows]);
}
