// The cells of the heat map and their scale.

export const QUARTERS = 96;
// the highest hundredth of the quarter-hours does not set the scale
const SCALE_QUANTILE = 0.99;

/** @typedef {{day: string, cells: (Quarter | null)[]}} Day */

/** Days of 96 cells by local time; of a quarter-hour that occurs twice, the later one. */
export function daysOf(/** @type {Quarter[]} */ quarters) {
  /** @type {Map<string, Day>} */
  const days = new Map();
  for (const quarter of quarters) {
    /** @type {Day} */
    const day = days.get(quarter.day) ?? { day: quarter.day, cells: Array(QUARTERS).fill(null) };
    days.set(quarter.day, day);
    const [hour, minute] = quarter.clock.split(":").map(Number);
    day.cells[hour * 4 + minute / 15] = quarter;
  }
  return [...days.values()];
}

/** Net energy of a cell in Wh, null if it was not measured. @param {Quarter | null} quarter */
export const netEnergy = (quarter) =>
  (quarter?.imported == null ? null : Number(quarter.imported) - Number(quarter.exported ?? 0));

/**
 * The Wh of the strongest colours, in both directions, at least 1; null if nothing was measured.
 * @param {Day[]} days
 */
export function energyScale(days) {
  const energies = days.flatMap(({ cells }) => cells.flatMap((quarter) => netEnergy(quarter) ?? []));
  if (energies.length === 0) return null;
  const reach = (/** @type {number[]} */ values) =>
    values.sort((a, b) => a - b)[Math.floor((values.length - 1) * SCALE_QUANTILE)] ?? 0;
  return Math.max(1, reach(energies.filter((wh) => wh >= 0)), reach(energies.filter((wh) => wh < 0).map((wh) => -wh)));
}

/** The strength of a colour, 0 to 1: a square root, so that small loads differ visibly. @param {number} wh */
export const shadeOf = (wh, /** @type {number} */ scale) => Math.sqrt(Math.min(1, Math.abs(wh) / scale));
