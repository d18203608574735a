// Axes: ranges, round numbers, labels that fit, the nearest point.

/**
 * A position on an axis and its text.
 * @typedef {[number, string]} Label
 */

const LABEL_PX = 46;

/**
 * The lowest and the highest value of bars, with zero between them; below it is what goes to the grid, or is negative.
 * @param {Pick<Bar, "up" | "down" | "wholeUp" | "wholeDown">[]} bars
 * @returns {[number, number]}
 */
export function barRange(bars) {
  const up = Math.max(0, ...bars.map((bar) => Math.max((bar.up ?? 0) - Math.min(bar.down ?? 0, 0), bar.wholeUp ?? 0)));
  const down = Math.max(0, ...bars.map((bar) => Math.max(bar.down ?? 0, bar.wholeDown ?? 0, -(bar.up ?? 0))));
  return [0 - down, up];
}

const FACTORS = [1, 2, 5];

/**
 * The ticks of an axis that has zero on it, at round numbers: from the first to the last tick everything is covered,
 * so each side where something is drawn has a tick.
 * @param {number} low
 * @param {number} high
 * @param {number} max steps between ticks, at least one for each side
 */
export function roundTicks(low, high, max) {
  const [from, to] = [Math.min(0, low), Math.max(0, high)];
  const size = to - from || 1;
  const steps = Math.max(max, from < 0 && to > 0 ? 2 : 1);
  // a part of 1e-9 is rounding of the browser, not energy
  const count = (/** @type {number} */ length, /** @type {number} */ step) => Math.ceil(length / step - 1e-9);
  const first = Math.floor(Math.log10(size / steps));
  for (let power = first; ; power += 1) {
    for (const factor of FACTORS) {
      const step = factor * 10 ** power;
      const [below, above] = [count(-from, step), count(to || (from ? 0 : 1), step)];
      if (below + above > steps) continue;
      return Array.from({ length: below + above + 1 }, (_, at) => (at - below) * step);
    }
  }
}

/** As many labels as fit next to each other on `width` px. @param {Label[]} labels @param {number} width */
export function fittingLabels(labels, width) {
  const stride = Math.max(1, Math.ceil((labels.length * LABEL_PX) / width));
  const step = labels.length > 24 ? [1, 2, 5, 7, 10].find((size) => size >= stride) ?? stride : stride;
  return labels.filter((_, at) => at % step === 0);
}

/** The index of the time nearest to `time`. @param {number[]} times @param {number} time */
export function nearest(times, time) {
  let [low, high] = [0, times.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (times[middle] < time) low = middle; else high = middle;
  }
  return time - times[low] < times[high] - time ? low : high;
}
