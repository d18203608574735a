// A group of a central server: the total energy of its meters as bars, files to print and for billing, and its meters.

import { messageOf, request } from "../api.js";
import { drawBars } from "../charts/bars.js";
import { energyLegend, legendItem } from "../charts/legend.js";
import { make, setTitle } from "../dom.js";
import { axisNumber, chartKwh, energyText, kwhShort } from "../energyText.js";
import { hasGaps, inNoBucket, isIncomplete, missingText, spanText } from "../fleetText.js";
import { grouped } from "../exact.js";
import { fleetWords } from "../fleetWords.js";
import { language, words } from "../language.js";
import { firstDay, isKind, keyOf, KINDS, periodQuery, SMALLER_KIND } from "../periods.js";
import { link, navigate, PERIODS } from "../router.js";
import { navBar, periodLinks, stepper } from "../toolbar.js";
import { axisLabels, bucketName, isLabelCentred, opensText } from "./buckets.js";
import { meterTable } from "./meterTable.js";
import { missingTimes } from "./missingTimes.js";

/** @typedef {{kind: GroupKind, value: string, period: Exclude<Kind, "all">, key: string}} Shown */

// of a statement that the server makes; `iskra-server fleet statement` makes those of more
const MAX_METERS = 200;

/** @param {HTMLElement} main @param {GroupKind} kind @param {string[]} parts @param {AbortSignal} signal */
export function showGroup(main, kind, [value, periodName = "month", text = ""], signal) {
  const title = fleetWords.group[kind](value);
  // nobody knows when the first meter of all came into a group
  const period = isKind(periodName) && periodName !== "all" ? periodName : "month";
  const key = keyOf(period, text);
  const address = (/** @type {Kind} */ other, /** @type {string} */ at) => link("fleet", [kind, value, other, at]);
  const open = (/** @type {string} */ next) => navigate("fleet", [kind, value, period, next]);
  const content = make("div.content", make("p.empty", words.loading));
  const list = make("div");
  const kinds = PERIODS.filter((name) => name !== "all");
  setTitle(title);
  main.append(make("h1", title), navBar(words.kindsLabel, periodLinks(period, firstDay(period, key), address, kinds)),
    stepper(period, key, open), content, make("section.card", make("h2", fleetWords.metersNow), list));
  fill(content, { kind, value, period, key }, signal);
  meterTable(list, { group: `${kind}:${value}` }, signal, { kind, place: [period, key] });
}

/** @param {HTMLElement} content @param {Shown} shown @param {AbortSignal} signal */
async function fill(content, shown, signal) {
  const { bucket, ...days } = periodQuery(shown.period, shown.key);
  const asked = { group: `${shown.kind}:${shown.value}`, ...days };
  const ask = (/** @type {string} */ length) => request("api/v1/fleet/energy", { ...asked, bucket: length }, signal);
  try {
    // the whole in one bucket has the energy of gaps over several bars too, as the statement has
    const [energy, { buckets: [whole] }] = await Promise.all([ask(bucket), ask(shown.period)]);
    if (!signal.aborted) await render(content, shown, energy, whole, files(asked, energy), signal);
  } catch (error) {
    if (!signal.aborted) content.replaceChildren(make("p.empty.card", messageOf(error)));
  }
}

/**
 * @param {HTMLElement} content
 * @param {Shown} shown
 * @param {Api.FleetEnergy} energy
 * @param {Api.FleetBucket} whole
 * @param {HTMLElement} filesCard
 * @param {AbortSignal} signal
 */
async function render(content, { kind, value, period }, energy, whole, filesCard, signal) {
  const texts = fleetWords;
  const { buckets, import_completeness: { meters }, export_completeness: { meters: exporting } } = energy;
  const caption = make("p.caption", { "aria-live": "polite" });
  const box = make("div.chart");
  const span = spanText({ begin: energy.members_begin, end: energy.members_end });
  content.replaceChildren(
    span && make("p", span),
    make("dl.totals", total(`↓ ${words.fromGrid}`, whole.import_wh, "import"),
      exporting ? total(`↑ ${words.toGrid}`, whole.export_wh, "export") : null,
      make("div.total", make("dt", texts.meters), make("dd", grouped(String(meters))))),
    missingNote(period, whole, energy.buckets),
    make("section.card.chart-card", make("h2", words.energyPer[KINDS[period].bucket]), caption, box),
    filesCard);
  const bars = buckets.map(barOf);
  const text = (/** @type {number} */ at) =>
    `${bucketName(period, buckets[at])} · ${textOf(buckets[at], bars[at])}`;
  const next = SMALLER_KIND[period];
  await drawBars(box, bars, {
    unit: "kWh", labels: axisLabels(period, buckets), middle: isLabelCentred(period),
    label: words.energyPer[KINDS[period].bucket], text, signal, number: axisNumber, caption,
    legend: [...energyLegend(exporting > 0),
      ...(bars.some((bar) => bar.kind === "partial") ? [legendItem("pale", words.partial)] : [])],
    opens: next && opensText(next),
    onOpen: next && ((at) => {
      const date = buckets[at].begin.slice(0, next === "day" ? 10 : 7);
      navigate("fleet", [kind, value, next, keyOf(next, date)]);
    }),
  });
}

/**
 * What the sums lack, and when; empty if nothing.
 * @param {Kind} period
 * @param {Api.FleetBucket} whole
 * @param {Api.FleetBucket[]} buckets
 */
function missingNote(period, whole, buckets) {
  const texts = fleetWords;
  const missing = missingText(whole);
  if (!missing) return "";
  const sums = [whole.import_completeness, whole.export_completeness];
  const title = sums.some(isIncomplete) ? texts.incomplete : sums.some(hasGaps) ? texts.gaps : "";
  if (!title) return make("p.notice", `${missing}.`);
  const times = missingTimes(period, buckets);
  const imported = inNoBucket(whole.import_wh, buckets.map((bucket) => bucket.import_wh));
  const exported = inNoBucket(whole.export_wh, buckets.map((bucket) => bucket.export_wh));
  const rests = [imported && `↓ ${kwhShort(imported)}`, exported && `↑ ${kwhShort(exported)}`].filter(Boolean);
  return make("p.notice", make("strong", `${title}:`), ` ${missing}. `, times && `${texts.missingTimes} ${times}. `,
    texts.whatCounts, rests.length > 0 && ` ${texts.inNoBar(rests.join(", "))}`);
}

/** The files of a period. @param {{group: string, from: string, to?: string}} asked @param {Api.FleetEnergy} energy */
function files(asked, { import_completeness: imported, export_completeness: exported, has_tenants: hasTenants }) {
  const texts = fleetWords.files;
  /** @param {string} route @param {string} text @param {Query} query */
  const file = (route, text, query = {}) => make("li",
    make("a", { href: `api/v1/fleet/${route}?${new URLSearchParams({ ...asked, ...query })}`, download: "" }, text));
  const isTooLarge = Math.max(imported.meters, exported.meters) > MAX_METERS;
  return make("section.card.files", make("h2", texts.title),
    make("p", isTooLarge ? texts.tooLarge(String(MAX_METERS)) : texts.statement),
    make("ul",
      !isTooLarge && file("statement", texts.print, { lang: language }),
      !isTooLarge && file("statement", texts.csv, { lang: language, format: "csv" }),
      !isTooLarge && hasTenants && file("statements.zip", texts.all, { lang: language }),
      file("quarters.csv", texts.quarters)),
    make("p.soft", texts.legal));
}

/** @param {string} name @param {string | undefined} wh @param {string} flow */
const total = (name, wh, flow) =>
  make("div.total", { "data-flow": flow }, make("dt", name), make("dd", wh === undefined ? "–" : kwhShort(wh)));

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
  if (bar.kind === "future" && !isFuture(bucket)) return fleetWords.nobody;
  const energy = energyText(bucket, { kind: bar.kind === "partial" ? "complete" : bar.kind });
  return [energy, bar.kind === "future" ? "" : missingText(bucket)].filter(Boolean).join(" · ");
}
