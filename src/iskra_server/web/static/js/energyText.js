// Energy of buckets as bars and as text.

import { times } from "./arithmetic.js";
import { QUARTERS_PER_HOUR, wallTimeRange } from "./calendar.js";
import { grouped, rounded } from "./exact.js";
import { words } from "./language.js";

const WH_PER_KWH = 1000;

/**
 * A bucket of energy; a central server sends no qualities.
 * @typedef {Pick<Api.EnergyBucket, "begin" | "end" | "import_wh" | "export_wh"> & Partial<Api.EnergyBucket>} Bucket
 */

/** Exact Wh as a JavaScript number of kWh, for a chart. */
export const chartKwh = (/** @type {string | undefined} */ wh) => (wh === undefined ? null : Number(wh) / WH_PER_KWH);

/** A bucket as a bar in kWh; `energy` is the answer that it is part of. */
export function energyBar(/** @type {Bucket} */ bucket, /** @type {Api.Energy} */ energy, now = Date.now()) {
  const [begin, end] = [Date.parse(bucket.begin), Date.parse(bucket.end)];
  const isEmpty = bucket.import_wh === undefined && bucket.export_wh === undefined;
  const isMissing = bucket.import_quality === "partial" && end <= now;
  /** @type {Bar} */
  const bar = {
    up: chartKwh(bucket.import_wh),
    down: chartKwh(bucket.export_wh),
    mark: epochsOf(energy).some(({ at }) => begin <= Date.parse(at) && Date.parse(at) < end),
    kind: begin > now || (isEmpty && end > now) ? "future" : isEmpty ? "missing" : isMissing ? "partial" : "complete",
  };
  return bar;
}

/** Where counters of the answer restarted. @param {Api.Energy} energy */
export const epochsOf = (energy) => [...energy.import.epochs, ...(energy.export?.epochs ?? [])];

/** @typedef {string | null | undefined} MaybeWh */

export const kwh = (/** @type {MaybeWh} */ wh) => (wh == null ? words.noData : `${grouped(wh, 3)} kWh`);
/** With three places. */
export const kwhShort = (/** @type {MaybeWh} */ wh) => (wh == null ? words.noData : `${rounded(wh, 3, 3)} kWh`);

/** Of a heat pump between two meters, an export below 0 is the solar power that it has used. @param {MaybeWh} wh */
export const exportName = (wh) => (Number(wh ?? 0) < 0 ? words.virtual.solar : words.toGrid);
/** A number with the other sign. @param {string | undefined} wh */
export const opposite = (wh) => (wh === undefined || Number(wh) === 0 ? wh
  : wh.startsWith("-") ? wh.slice(1) : `-${wh}`);
export const exportAmount = (/** @type {string} */ wh) => wh.replace("-", "");

/**
 * Today compared with yesterday: "0.242 kWh less than by 21:30 yesterday".
 * @param {{until: string, difference: string}} compared @param {number} places
 */
export function differenceText({ until, difference }, places) {
  const text = `${rounded(difference.replace("-", ""), places, 3)} kWh`;
  if (Number(difference) === 0) return words.sameAsYesterday(until);
  return Number(difference) < 0 ? words.lessThanYesterday(text, until) : words.moreThanYesterday(text, until);
}

/** As precise as a message needs: 26.6 kWh, 0.266 kWh. @param {string} wh */
export const roundedKwh = (wh) => `${rounded(wh, Math.abs(Number(wh)) < WH_PER_KWH ? 3 : 1, 3)} kWh`;

/** A JavaScript number of watts. @param {number} watts */
export const wattsText = (watts) => `${rounded(String(Math.round(watts)))} W`;

/** "18:30 – 18:45 · from grid 0.5775 kWh (2 310 W) · to grid 0 kWh" */
export const quarterText = (/** @type {Bucket} */ bucket, /** @type {Bar} */ bar) =>
  `${wallTimeRange(bucket.begin, bucket.end)} · ${energyText(bucket, bar, QUARTERS_PER_HOUR)}`;

/** The energy of a bucket; with its mean power if `perHour` buckets are an hour. */
export function energyText(/** @type {Bucket} */ bucket, /** @type {Pick<Bar, "kind" | "mark">} */ bar, perHour = 0) {
  if (bar.kind === "future") return words.future;
  if (bar.kind === "missing") return words.noData;
  const { import_wh: imported, export_wh: exported } = bucket;
  const watts = (/** @type {string} */ wh) => (perHour ? ` (${rounded(times(wh, perHour))} W)` : "");
  const parts = imported === undefined ? [`${words.fromGrid}: ${words.noData}`]
    : [`${words.fromGrid} ${kwh(imported)}${watts(imported)}`];
  if (exported !== undefined) {
    const amount = exportAmount(exported);
    parts.push(`${exportName(exported)} ${kwh(amount)}${Number(exported) ? watts(amount) : ""}`);
  }
  if (bar.kind === "partial") parts.push(words.partial);
  if (bucket.import_quality === "interpolated") parts.push(words.interpolated);
  if (bar.mark) parts.push(words.counterRestarted);
  return parts.join(" · ");
}

/** A number of an axis, with as few places as possible. @param {number} value */
export function axisNumber(value) {
  const size = Math.abs(value);
  const text = value.toFixed(size >= 10 ? 0 : size >= 1 ? 1 : 3);
  return grouped(text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text);
}
