// Today compared with yesterday, and the highest quarter-hour: exact, from the quarter-hours of both days.

import { minus, sum, times } from "./arithmetic.js";
import { dayOf, localClock, QUARTER_MS, QUARTERS_PER_HOUR, shiftDays } from "./calendar.js";
import { shortTime } from "./clock.js";

/** @typedef {Quarter & {imported: string}} MeasuredQuarter */

const isMeasured = (/** @type {Quarter} */ quarter) => quarter.imported !== null;
const isOf = (/** @type {string} */ day) => (/** @type {Quarter} */ quarter) => quarter.day === day;

/** The answer of the route `quarters` with the local day and time of each. @returns {Quarter[]} */
export function localQuarters(/** @type {Pick<Api.Quarters, "begin" | "tz" | "import_wh" | "export_wh">} */ answer) {
  const begin = Date.parse(answer.begin);
  const clock = localClock(answer.tz);
  return answer.import_wh.map((imported, index) => {
    const at = begin + index * QUARTER_MS;
    const [day, time] = clock(at);
    return { at, day, clock: time, imported, exported: answer.export_wh?.[index] ?? null };
  });
}

/** The measured energy of a day. @param {Quarter[]} quarters @param {string} day */
export function totalsOf(quarters, day) {
  const ofDay = quarters.filter(isOf(day));
  return { imported: sum(ofDay.map(({ imported }) => imported)), exported: sum(ofDay.map(({ exported }) => exported)) };
}

/**
 * Wh from midnight to a total of the meter; null if the total at midnight is unknown or the counter restarted.
 * @param {Pick<Api.CounterEnergy, "first" | "epochs">} counter of this day
 * @param {string} day
 * @param {string | undefined} total
 */
export function sinceMidnight({ first, epochs }, day, total) {
  if (total === undefined || epochs.length || first?.at.slice(0, 16) !== `${day}T00:00`) return null;
  const energy = minus(total, first.register_wh);
  return energy.startsWith("-") ? null : energy;
}

/**
 * The time up to which today is measured, "18:45", and the difference to yesterday up to then, in Wh; null before the
 * first closed quarter, and if either day has a gap.
 * @param {Quarter[]} quarters
 */
export function comparison(quarters, day = dayOf(new Date())) {
  const last = quarters.filter(isOf(day)).filter(isMeasured).at(-1);
  if (!last) return null;
  const isSoFar = (/** @type {Quarter} */ { clock }) => clock <= last.clock;
  const today = quarters.filter(isOf(day)).filter(isSoFar).map(({ imported }) => imported);
  const yesterday = quarters.filter(isOf(shiftDays(day, -1))).filter(isSoFar).map(({ imported }) => imported);
  if (today.includes(null) || yesterday.includes(null)) return null;
  const [total, before] = [sum(today), sum(yesterday)];
  if (total === null || before === null) return null;
  return { until: shortTime(last.at + QUARTER_MS), difference: minus(total, before) };
}

/** Whether a counter has whole kWh only: too coarse for power. @param {(string | null)[]} energies of quarter-hours */
export function countsWholeKwh(energies) {
  return energies.some((wh) => Number(wh) > 0) && energies.every((wh) => Number(wh) % 1000 === 0);
}

/**
 * The quarter-hour of a day with the most energy, and its mean power in W.
 * @param {Quarter[]} quarters
 * @param {string} day
 */
export function highestQuarter(quarters, day) {
  const measured = /** @type {MeasuredQuarter[]} */ (quarters.filter(isOf(day)).filter(isMeasured));
  if (measured.length === 0) return null;
  const highest = measured.reduce((max, quarter) => (Number(quarter.imported) > Number(max.imported) ? quarter : max));
  return { at: highest.at, watts: times(highest.imported, QUARTERS_PER_HOUR) };
}
