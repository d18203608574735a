// Axes: ranges, round numbers, labels that fit, the nearest point.

/**
 * A position on an axis and its text.
 * @typedef {[number, string]} Label
 */

const LABEL_PX = 46;

/**
 * The range of the bars, with some room.
 * @param {Pick<Bar, "up" | "down">[]} bars
 * @returns {[number, number]}
 */
export function barRange(bars) {
  const up = Math.max(0, ...bars.map((bar) => bar.up ?? 0));
  const down = Math.max(0, ...bars.map((bar) => bar.down ?? 0));
  if (up === 0 && down === 0) return [0, 1];
  const room = (up + down) * 0.04;
  return [down ? -down - room : 0, up ? up + room : 0];
}

/** A range with zero in it and some room at its ends. @returns {[number, number]} */
export function rangeWithZero(/** @type {number | null} */ low, /** @type {number | null} */ high) {
  const [from, to] = [Math.min(0, low ?? 0), Math.max(0, high ?? 0)];
  const room = (to - from || 100) * 0.06;
  return [from < 0 ? from - room : 0, to > 0 || from === 0 ? to + room : 0];
}

/** At most `max` ticks at round numbers, for an axis that has zero on it. */
export function roundSplits(/** @type {number} */ low, /** @type {number} */ high, /** @type {number} */ max) {
  const rough = (high - low || 1) / max;
  const ten = 10 ** Math.floor(Math.log10(rough));
  const size = ([1, 2, 5].find((factor) => factor * ten >= rough) ?? 10) * ten;
  const splits = [];
  for (let at = Math.ceil(low / size - 1e-9); at * size <= high + size * 1e-9; at += 1) splits.push(at * size);
  return splits;
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
