// Powers as columns for a chart: an answer of the route `power`, and the last hour.

/** Points are joined by a line up to this distance, or up to one and a half steps. */
export const GAP_S = 60;
export const HOUR_S = 3600;
export const QUARTER_S = 900;

/** @typedef {(number | null)[]} Values @typedef {{times: number[], mean: Values}} Points */

/**
 * The means of quarter-hours are level for their time: a slope between two of them was not measured.
 * @param {Pick<Api.Power, "points" | "resolution_s">} answer
 */
export function powerColumns({ points, resolution_s: step }) {
  /** @type {{times: number[], mean: Values, min: Values, max: Values}} */
  const columns = { times: [], mean: [], min: [], max: [] };
  /** @param {number} at @param {Values} values */
  const append = (at, [mean, min, max]) => {
    columns.times.push(at);
    columns.mean.push(mean);
    columns.min.push(min);
    columns.max.push(max);
  };
  let last = Infinity;
  for (const point of points) {
    const begin = Date.parse(point.begin) / 1000;
    if (begin - last > Math.max(GAP_S, step * 1.5)) append(last + step * 1.5, [null, null, null]);
    const values = [Number(point.mean_w), Number(point.min_w), Number(point.max_w)];
    if (step < QUARTER_S) append(begin + step / 2, values);
    else for (const at of [begin, begin + step - 1]) append(at, values);
    last = begin;
  }
  return columns;
}

/**
 * The last hour: history up to the first telegram, then telegrams; `gaps` have neither.
 * @param {Points} past
 * @param {[number[], number[]]} recent
 * @param {number} now
 * @param {number} least seconds without a telegram that are a gap
 */
export function lastHourOf(past, [times, powers] = [[], []], now = Date.now() / 1000, least = GAP_S) {
  const end = Math.max(now, times.at(-1) ?? 0);
  const begin = end - HOUR_S;
  const from = firstIndex(past.times, begin);
  const to = firstIndex(past.times, times[0] ?? Infinity);
  /** @type {Points} */
  const hour = { times: past.times.slice(from, to), mean: past.mean.slice(from, to) };
  for (let at = firstIndex(times, begin); at < times.length; at += 1) {
    const last = hour.times.at(-1);
    if (last !== undefined && times[at] - last > least) add(hour, (last + times[at]) / 2, null);
    add(hour, times[at], powers[at]);
  }
  return { ...hour, begin, end, gaps: gapsOf(hour, begin, end, least) };
}

/** @param {Points} points @param {number} at @param {number | null} value */
function add(points, at, value) {
  points.times.push(at);
  points.mean.push(value);
}

/** @param {Points} points @param {number} begin @param {number} end @param {number} least */
function gapsOf({ times, mean }, begin, end, least) {
  /** @type {[number, number][]} */
  const gaps = [];
  let [last, isBroken] = [begin, true];
  times.forEach((at, index) => {
    if (mean[index] === null) { isBroken = true; return; }
    if (isBroken && at - last > least) gaps.push([last, at]);
    [last, isBroken] = [at, false];
  });
  if (end - last > least) gaps.push([last, end]);
  return gaps;
}

/** The index of the first time at or after `begin`, the length if there is none. */
function firstIndex(/** @type {number[]} */ times, /** @type {number} */ begin) {
  const index = times.findIndex((at) => at >= begin);
  return index < 0 ? times.length : index;
}
