// A group of a central server: the total energy of its meters as bars and as a file for billing, and its meters.

import { messageOf, request } from "../api.js";
import { drawBars } from "../charts/bars.js";
import { energyLegend } from "../charts/legend.js";
import { make } from "../dom.js";
import { axisNumber, chartKwh, energyText, kwhShort } from "../energyText.js";
import { missingText, spanText, totals } from "../fleetText.js";
import { grouped } from "../exact.js";
import { words } from "../language.js";
import { isKind, keyOf, KINDS, periodQuery, SMALLER_KIND } from "../periods.js";
import { navigate } from "../router.js";
import { stepper } from "../toolbar.js";
import { axisLabels, bucketName, isLabelCentred } from "./buckets.js";
import { meterTable } from "./meterTable.js";

/** @typedef {{kind: GroupKind, value: string, period: Kind, key: string}} Shown */

/** @param {HTMLElement} main @param {GroupKind} kind @param {string[]} parts @param {AbortSignal} signal */
export function showGroup(main, kind, [value, periodName = "month", text = ""], signal) {
  const texts = words.fleet;
  const period = isKind(periodName) ? periodName : "month";
  const key = keyOf(period, text);
  const open = (/** @type {string} */ next) => navigate("fleet", [kind, value, period, next]);
  const content = make("div.content", make("p.empty", words.loading));
  const list = make("div");
  main.append(make("h1", texts.group[kind](value)), stepper(period, key, open), content,
    make("section.card", make("h2", texts.meters), list));
  fill(content, { kind, value, period, key }, signal);
  meterTable(list, { group: `${kind}:${value}` }, signal);
}

/** @param {HTMLElement} content @param {Shown} shown @param {AbortSignal} signal */
async function fill(content, shown, signal) {
  const name = `${shown.kind}:${shown.value}`;
  const { bucket, ...days } = periodQuery(shown.period, shown.key);
  try {
    const energy = await request("api/v1/fleet/energy", { group: name, ...days, bucket }, signal);
    if (signal.aborted) return;
    const file = `api/v1/fleet/quarters.csv?${new URLSearchParams({ group: name, ...days })}`;
    await render(content, shown, energy, file, signal);
  } catch (error) {
    if (!signal.aborted) content.replaceChildren(make("p.empty.card", messageOf(error)));
  }
}

/** @param {HTMLElement} content @param {Shown} shown @param {Api.FleetEnergy} energy @param {string} file */
async function render(content, { kind, value, period }, energy, file, /** @type {AbortSignal} */ signal) {
  const texts = words.fleet;
  const { buckets, import_completeness: { meters }, export_completeness: { meters: exporting } } = energy;
  const caption = make("p.caption", { "aria-live": "polite" });
  const box = make("div.chart");
  const [imported, exported] = totals(energy);
  const missing = missingText(energy);
  const span = spanText({ begin: energy.members_begin, end: energy.members_end });
  content.replaceChildren(
    span && make("p", span),
    make("dl.totals", total(`↓ ${words.fromGrid}`, imported, "import"),
      exporting ? total(`↑ ${words.toGrid}`, exported, "export") : null,
      make("div.total", make("dt", texts.meters), make("dd", grouped(String(meters))))),
    missing && make("p.notice", make("strong", `${texts.incomplete}:`), ` ${missing}`),
    make("section.card.chart-card",
      make("div.card-head", make("h2", words.energyPer[KINDS[period].bucket]),
        make("a", { href: file, download: "" }, texts.csv)),
      caption, box, make("p.legal", texts.legal)));
  const bars = buckets.map(barOf);
  const text = (/** @type {number} */ at) =>
    `${bucketName(period, buckets[at])} · ${textOf(buckets[at], bars[at])}`;
  const next = SMALLER_KIND[period];
  await drawBars(box, bars, {
    unit: "kWh", labels: axisLabels(period, buckets), middle: isLabelCentred(period),
    label: words.energyPer[KINDS[period].bucket], text, signal, number: axisNumber,
    caption, legend: energyLegend(exporting > 0),
    onOpen: next && ((at) => {
      const date = buckets[at].begin.slice(0, next === "day" ? 10 : 7);
      navigate("fleet", [kind, value, next, keyOf(next, date)]);
    }),
  });
}

/** @param {string} name @param {string | null} wh @param {string} flow */
const total = (name, wh, flow) =>
  make("div.total", { "data-flow": flow }, make("dt", name), make("dd", wh === null ? "–" : kwhShort(wh)));

const isFuture = (/** @type {Api.FleetBucket} */ bucket) => Date.parse(bucket.end) > Date.now();
const isOutside = (/** @type {Api.FleetBucket} */ { import_completeness: imported, export_completeness: exported }) =>
  !imported.meters && !exported.meters;

/** The bar of a sum is partial if a meter has no reading at an end. @param {Api.FleetBucket} bucket @returns {Bar} */
function barOf(bucket) {
  const { complete, meters } = bucket.import_completeness;
  const isMissing = bucket.import_wh === undefined;
  // neither is a gap: what is to come, and the time before and after all members
  const isEmpty = isMissing && (isFuture(bucket) || isOutside(bucket));
  const kind = isEmpty ? "future" : isMissing ? "missing" : complete < meters ? "partial" : "complete";
  return { up: chartKwh(bucket.import_wh), down: chartKwh(bucket.export_wh), kind };
}

/** @param {Api.FleetBucket} bucket @param {Bar} bar */
function textOf(bucket, bar) {
  if (bar.kind === "future" && !isFuture(bucket)) return words.fleet.nobody;
  const energy = energyText(bucket, { kind: bar.kind === "partial" ? "complete" : bar.kind });
  return [energy, bar.kind === "future" ? "" : missingText(bucket)].filter(Boolean).join(" · ");
}
