// Solar energy of a period: production, self-consumption and self-sufficiency, as a chart or a table.

import { request } from "../api.js";
import { drawBars } from "../charts/bars.js";
import { legendItem } from "../charts/legend.js";
import { make } from "../dom.js";
import { axisNumber } from "../energyText.js";
import { grouped } from "../exact.js";
import { words } from "../language.js";
import { KINDS, periodQuery, SMALLER_KIND } from "../periods.js";
import { navigate } from "../router.js";
import { solarBar } from "../solarFlows.js";
import { bucketText, notesOf, percent, solarPairs } from "../solarText.js";
import { solarWords } from "../solarWords.js";
import { isPlant, store } from "../store.js";
import { table } from "../table.js";
import { axisLabels, bucketName, isLabelCentred } from "./buckets.js";

/** @typedef {{kind: Kind, key: string, as: string}} Shown */

/**
 * A card with the household's solar energy, where the chosen meter is one of those that it is made of.
 * @param {HTMLElement} notes what it stands before @param {Shown} shown @param {AbortSignal} signal
 */
export async function showSolarHistory(notes, { kind, key, as }, signal) {
  const card = make("section.card.chart-card.solar");
  if (isPlant(store.chosen)) notes.parentElement?.prepend(make("p.soft", solarWords.ofPlant));
  notes.before(card);
  try {
    const energy = await request("api/v1/solar/energy", periodQuery(kind, key), signal);
    if (signal.aborted) return;
    const isOfHousehold = [energy.grid, ...energy.production.map(({ meter }) => meter)].includes(store.chosen ?? "");
    // all years: without those before the first measured one
    const first = kind === "all" ? energy.buckets.findIndex(({ counted_quarters: counted }) => counted) : 0;
    if (!isOfHousehold) card.remove();
    else await render(card, energy.buckets.slice(Math.max(first, 0)), { kind, key, as }, energy, signal);
  } catch {
    // the energy of the meter above says why history does not answer
    if (!signal.aborted) card.remove();
  }
}

/**
 * @param {HTMLElement} card @param {Api.SolarBucket[]} buckets @param {Shown} shown @param {Api.SolarEnergy} energy
 * @param {AbortSignal} signal
 */
async function render(card, buckets, { kind, as }, energy, signal) {
  const notes = notesOf(energy);
  card.append(make("h2", solarWords.title), totals(energy.total));
  if (as === "table") card.append(table(COLUMNS, buckets.map((bucket) => rowOf(kind, bucket))));
  const box = make("div.chart");
  const caption = make("p.caption", { "aria-live": "polite" });
  if (as !== "table") card.append(caption, box);
  card.append(...notes.map((text) => make("p.soft", text)));
  if (as === "table") return;
  const bars = buckets.map(solarBar);
  const next = SMALLER_KIND[kind];
  await drawBars(box, bars, {
    unit: "kWh", labels: axisLabels(kind, buckets), middle: isLabelCentred(kind), label: solarWords.chart, signal,
    number: axisNumber, caption,
    legend: [legendItem("exp", solarWords.used), legendItem("faint", solarWords.unused),
      legendItem("hatch", words.noData)],
    text: (at) => [bucketName(kind, buckets[at]), textOf(buckets[at], bars[at])].join(" · "),
    onOpen: next && ((at) => navigate(next, [KINDS[next].key(buckets[at].begin.slice(0, 10))])),
  });
}

/** @param {Api.SolarBucket} bucket @param {Bar} bar */
const textOf = (bucket, { kind }) => (kind === "future" ? words.future : kind === "missing" ? words.noData
  : [bucketText(bucket), kind === "partial" ? words.partial : ""].filter(Boolean).join(" · "));

/** @param {Api.SolarBucket} whole */
const totals = (whole) => make("dl.totals", solarPairs(whole).map(([name, text, small]) =>
  make("div.total", make("dt", name), make("dd", text, small && make("small", ` ${small}`)))));

const COLUMNS = [
  words.period, `${solarWords.production} (kWh)`, `${solarWords.selfConsumption} (kWh)`,
  `${solarWords.consumption} (kWh)`, `${solarWords.selfSufficiency} (%)`,
];

/** @param {Kind} kind @param {Api.SolarBucket} bucket */
function rowOf(kind, bucket) {
  const kwh = (/** @type {string | undefined} */ wh) => (wh === undefined ? "–" : grouped(wh, 3));
  const { self_sufficiency: sufficiency } = bucket;
  return [bucketName(kind, bucket).replace(/ Uhr$/, ""), kwh(bucket.production_wh), kwh(bucket.self_consumption_wh),
    kwh(bucket.consumption_wh), sufficiency === undefined ? "–" : percent(sufficiency)];
}
