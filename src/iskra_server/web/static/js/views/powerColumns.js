// Powers as columns for a chart: an answer of the route `power`, and the last hour.

/** Points are joined by a line up to this distance, or up to one and a half steps. */
const GAP_S = 60;
export const HOUR_S = 3600;

/** @typedef {(number | null)[]} Values @typedef {{times: number[], mean: Values}} Points */

/** @param {Pick<Api.Power, "points" | "resolution_s">} answer */
export function powerColumns({ points, resolution_s: step }) {
  /** @type {{times: number[], mean: Values, min: Values, max: Values}} */
  const columns = { times: [], mean: [], min: [], max: [] };
  /** @param {number} at @param {Values} values */
  const add = (at, [mean, min, max]) => {
    columns.times.push(at);
    columns.mean.push(mean);
    columns.min.push(min);
    columns.max.push(max);
  };
  for (const point of points) {
    const at = Date.parse(point.begin) / 1000 + step / 2;
    const last = columns.times.at(-1);
    if (last !== undefined && at - last > Math.max(GAP_S, step * 1.5)) add(last + step, [null, null, null]);
    add(at, [Number(point.mean_w), Number(point.min_w), Number(point.max_w)]);
  }
  return columns;
}

/**
 * The last hour: history up to the first telegram, then telegrams.
 * @param {Points} past
 * @param {[number[], number[]]} recent
 */
export function lastHourOf(past, [times, powers] = [[], []], now = Date.now() / 1000) {
  const end = Math.max(now, times.at(-1) ?? 0);
  const begin = end - HOUR_S;
  const from = firstIndex(past.times, begin);
  const to = firstIndex(past.times, times[0] ?? Infinity);
  const recent = firstIndex(times, begin);
  return {
    times: [...past.times.slice(from, to), ...times.slice(recent)],
    mean: [...past.mean.slice(from, to), ...powers.slice(recent)],
    begin,
    end,
  };
}

/** The index of the first time at or after `begin`, the length if there is none. */
function firstIndex(/** @type {number[]} */ times, /** @type {number} */ begin) {
  const index = times.findIndex((at) => at >= begin);
  return index < 0 ? times.length : index;
}
