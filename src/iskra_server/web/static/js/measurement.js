// Measures one appliance between two moments: by the counter, exact, and by the power of each telegram, summed up live.

import { minus } from "./arithmetic.js";

/** A value of power holds until the next one, at most for so long. */
const HOLDS_S = 60;
/** The level before the start is the median of the telegrams of so many seconds. */
export const LEVEL_S = 10;
const HOUR_S = 3600;

/**
 * `level`: W before the start; null if unknown. `imported`, `exported`: Wh of the counters, undefined if not sent.
 * `houseWs` and `aboveWs`: the sums of power, and of power above that level, in watt-seconds; `missingS` has neither.
 * @typedef {{at: number, level: number | null, imported?: string, exported?: string, last: [number, number] | null,
 *   houseWs: number, aboveWs: number, missingS: number}} Measurement
 */

/**
 * Starts at `at`, Unix seconds. `times` and `powers` are the telegrams until then.
 * @param {number} at @param {number[]} times @param {number[]} powers
 * @param {string | undefined} imported @param {string | undefined} exported
 * @returns {Measurement}
 */
export function startMeasurement(at, times, powers, imported, exported) {
  const before = powers.filter((_, index) => times[index] <= at && times[index] > at - LEVEL_S).sort((a, b) => a - b);
  const level = before.length ? before[before.length >> 1] : null;
  const held = powers.filter((_, index) => times[index] <= at && times[index] > at - HOLDS_S);
  const last = held.length ? /** @type {[number, number]} */ ([at, held[held.length - 1]]) : null;
  return { at, level, imported, exported, last, houseWs: 0, aboveWs: 0, missingS: 0 };
}

/** Adds a telegram. @param {Measurement} measurement @param {number} at @param {number} watts */
export function addTelegram(measurement, at, watts) {
  const [from, value] = measurement.last ?? [measurement.at, null];
  if (at <= from) return;
  const held = value === null ? 0 : Math.min(at - from, HOLDS_S);
  measurement.houseWs += (value ?? 0) * held;
  measurement.aboveWs += ((value ?? 0) - (measurement.level ?? 0)) * held;
  measurement.missingS += at - from - held;
  measurement.last = [at, watts];
}

/**
 * What was measured so far. `houseWh`: from the grid by the counter, as exact text; null if the counter restarted or is
 * not sent. `netWh` and `applianceWh`: estimates from power, of the house and above the level before the start.
 * @param {Measurement} measurement @param {string | undefined} imported
 */
export function measured({ at, level, last, houseWs, aboveWs, missingS, ...begun }, imported) {
  const seconds = last ? last[0] - at : 0;
  const difference = begun.imported === undefined || imported === undefined ? null : minus(imported, begun.imported);
  return {
    seconds,
    missingS,
    houseWh: difference?.startsWith("-") ? null : difference,
    netWh: houseWs / HOUR_S,
    applianceWh: level === null ? null : Math.max(0, aboveWs / HOUR_S),
  };
}
