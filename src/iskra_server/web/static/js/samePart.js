// The parts of two periods that may be compared: both of the same length, up to the same local time of the same day.

import { minus, percentOf, sum } from "./arithmetic.js";
import { instantOf, localClock, QUARTER_MS, shiftDays } from "./calendar.js";
import { zone } from "./page.js";
import { firstDay, step } from "./periods.js";

// after that, history has recorded a quarter-hour
const RECORDED_MS = 60_000;
const MIDNIGHT = "00:00";

/** @typedef {Exclude<Kind, "all">} Compared */
/** A local moment. @typedef {{day: string, clock: string}} Moment */
/** The part from the first day of a period until before `end`; `isWhole` if that is all of it. */
/** @typedef {{end: Moment, isWhole: boolean}} Part */

/**
 * How far into its period a moment is, as text that sorts: days and time, in a year month, day and time.
 * @param {Compared} kind @param {string} key @param {Moment} moment
 */
function reachOf(kind, key, { day, clock }) {
  if (kind === "year") return `${day.slice(0, 4) > key ? "13-01" : day.slice(5)} ${clock}`;
  const days = Math.round((Date.parse(day) - Date.parse(firstDay(kind, key))) / 86_400_000);
  return `${String(days).padStart(3, "0")} ${clock}`;
}

/** The moment that is so far into a period. @param {Compared} kind @param {string} key @param {string} reach */
function momentAt(kind, key, reach) {
  const [place, clock] = reach.split(" ");
  if (kind !== "year") return { day: shiftDays(firstDay(kind, key), Number(place)), clock };
  if (place === "13-01") return { day: `${step("year", key, 1)}-01-01`, clock: MIDNIGHT };
  const day = `${key}-${place}`;
  // the 29th of February in a year without one
  const isDay = !Number.isNaN(Date.parse(day)) && shiftDays(day, 0) === day;
  return isDay ? { day, clock } : { day: `${key}-03-01`, clock: MIDNIGHT };
}

/** @param {Compared} kind @param {string} key @returns {Moment} */
const endOf = (kind, key) => ({ day: firstDay(kind, step(kind, key, 1)), clock: MIDNIGHT });

/**
 * The parts of periods that are compared: as long as the shortest of them has lasted until `now`.
 * @param {Compared} kind
 * @param {string[]} keys
 * @param {number} now
 * @returns {Part[]}
 */
export function sameParts(kind, keys, now = Date.now(), tz = zone) {
  const recorded = now - RECORDED_MS - ((now - RECORDED_MS) % QUARTER_MS);
  const [day, clock] = localClock(tz)(recorded);
  const wholes = keys.map((key) => reachOf(kind, key, endOf(kind, key)));
  const reaches = keys.map((key, at) => {
    const isOver = endOf(kind, key).day <= day;
    const begin = { day: firstDay(kind, key), clock: MIDNIGHT };
    return isOver ? wholes[at] : reachOf(kind, key, begin.day <= day ? { day, clock } : begin);
  });
  const shortest = reaches.reduce((least, reach) => (reach < least ? reach : least));
  return keys.map((key, at) => ({
    end: momentAt(kind, key, shortest < wholes[at] ? shortest : wholes[at]), isWhole: shortest >= wholes[at],
  }));
}

/** The parameters of the request for a part. @param {PeriodQuery} query of the whole period @param {Part} part */
export function partQuery(query, { end, isWhole }, tz = zone) {
  return isWhole ? query : { ...query, to: new Date(instantOf(end.day, end.clock, tz)).toISOString() };
}

/** @typedef {Pick<Api.Energy, "begin" | "end" | "buckets" | "import" | "export">} Energy */
/** Exact Wh. @typedef {{left: string, right: string, difference: string, percent: string | null}} Result */

/**
 * The energy of two parts, and its difference; null if it is not known for both. `buckets` is the number of buckets
 * with data in both, if only these could be compared.
 * @param {Energy} left
 * @param {Energy} right
 * @param {"import" | "export"} flow
 * @returns {(Result & {buckets: number | null}) | null}
 */
export function compared(left, right, flow) {
  const [one, other] = [left[flow], right[flow]];
  if (!one || !other) return null;
  if (coversAll(left, one) && coversAll(right, other)) {
    return { ...result(one.total_wh ?? "0", other.total_wh ?? "0"), buckets: null };
  }
  const pairs = left.buckets.flatMap((bucket, at) => {
    const values = [bucket, right.buckets[at]].map((side) => measured(side, flow));
    return values[0] !== null && values[1] !== null ? [values] : [];
  });
  const [sumOne, sumOther] = [0, 1].map((side) => sum(pairs.map((pair) => pair[side])));
  return sumOne === null || sumOther === null ? null : { ...result(sumOne, sumOther), buckets: pairs.length };
}

/** Whether the counter was read at both ends: then its difference is exact, gaps or not. @param {Energy} period */
export function coversAll({ begin, end }, /** @type {Api.CounterEnergy} */ { first, last, total_wh: total }) {
  const isAt = (/** @type {{at: string} | undefined} */ reading, /** @type {string} */ instant) =>
    reading !== undefined && Date.parse(reading.at) === Date.parse(instant);
  return total !== undefined && isAt(first, begin) && isAt(last, end);
}

/** The energy of a bucket that was measured from end to end. @param {Api.EnergyBucket | undefined} bucket */
export function measured(bucket, /** @type {"import" | "export"} */ flow) {
  const [wh, quality] = flow === "import" ? [bucket?.import_wh, bucket?.import_quality]
    : [bucket?.export_wh, bucket?.export_quality];
  return wh === undefined || quality === "partial" || quality === "absent" ? null : wh;
}

/** @param {string} left @param {string} right @returns {Result} */
function result(left, right) {
  const difference = minus(left, right);
  return { left, right, difference, percent: Number(right) ? percentOf(difference, right) : null };
}

/**
 * The running totals of a period in kWh, at the beginning of each bucket and at its end; null where nothing is known.
 * @param {Pick<Api.EnergyBucket, "import_wh" | "export_wh">[]} buckets
 * @param {"import_wh" | "export_wh"} name
 * @returns {(number | null)[]}
 */
export function runningTotals(buckets, name) {
  /** @type {(number | null)[]} */
  const totals = [0];
  let total = 0;
  for (const bucket of buckets) {
    const wh = bucket[name];
    if (wh !== undefined) total += Number(wh) / 1000;
    totals.push(wh === undefined ? null : total);
  }
  return totals;
}
