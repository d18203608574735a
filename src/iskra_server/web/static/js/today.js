// Today against yesterday, the quiet of the nights, the strongest quarter: read off the quarters of some days. Exact.

import { dayOf, shifted, shortTime } from "./clock.js";
import { minus, sum, times } from "./exact.js";

const QUARTER_MS = 900_000;
const QUARTERS_AN_HOUR = 4;
/** Nights to look at, and hours in which a house is asleep. */
export const NIGHTS = 7;
const ASLEEP = ["00:00", "05:00"];
const ENOUGH_NIGHTS = 3;

/** @typedef {{at: number, day: string, clock: string, up: string | null, down: string | null}} Quarter */

/** The answer of the route `quarters` with the local day and time of each. @returns {Quarter[]} */
export function quarters(answer) {
  const begin = Date.parse(answer.begin);
  const clock = clocks(answer.tz);
  return answer.import_wh.map((up, place) => {
    const at = begin + place * QUARTER_MS;
    const [day, time] = clock(at);
    return { at, day, clock: time, up, down: answer.export_wh?.[place] ?? null };
  });
}

/** Moments to [day, "HH:MM"]: where a day has one offset, it is asked for once. */
function clocks(tz) {
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone: tz, dateStyle: "short", timeStyle: "short" });
  const DAY_MS = 86_400_000;
  const offset = (at) => Date.parse(`${format.format(at).replace(" ", "T")}:00Z`) - at;
  const known = new Map();
  const offsetOf = (at) => {
    const day = Math.floor(at / DAY_MS);
    if (!known.has(day)) {
      const [first, last] = [offset(day * DAY_MS), offset((day + 1) * DAY_MS - QUARTER_MS)];
      known.set(day, first === last ? first : null);
    }
    return known.get(day) ?? offset(at);
  };
  return (at) => {
    const local = new Date(at + offsetOf(at)).toISOString();
    return [local.slice(0, 10), local.slice(11, 16)];
  };
}

/** What was measured of a day, up to a time of it. */
export function soFar(all, day, until = "24:00") {
  const of = all.filter((quarter) => quarter.day === day && quarter.clock < until);
  return { up: sum(of.map((quarter) => quarter.up)), down: sum(of.map((quarter) => quarter.down)) };
}

/** Where the closed quarters of today end, "18:45", or null before the first; and what they are against yesterday's. */
export function comparison(all, day = dayOf(new Date())) {
  const closed = all.filter((quarter) => quarter.day === day && quarter.up !== null);
  const before = all.filter((quarter) => quarter.day === shifted(day, -1));
  if (closed.length === 0) return null;
  const until = closed.at(-1).clock;
  const same = before.filter((quarter) => quarter.clock <= until);
  // a gap on either side would compare what is not alike
  if (same.some((quarter) => quarter.up === null) || same.length === 0) return null;
  if (all.some((quarter) => quarter.day === day && quarter.clock <= until && quarter.up === null)) return null;
  const difference = minus(sum(closed.map((quarter) => quarter.up)), sum(same.map((quarter) => quarter.up)));
  return { until: shortTime(new Date(closed.at(-1).at + QUARTER_MS)), difference };
}

/** The quarter of a day in which most was drawn, with its mean power in W. */
export function peak(all, day) {
  const of = all.filter((quarter) => quarter.day === day && quarter.up !== null);
  if (of.length === 0) return null;
  const most = of.reduce((best, quarter) => (Number(quarter.up) > Number(best.up) ? quarter : best));
  return { at: most.at, watts: times(most.up, QUARTERS_AN_HOUR) };
}

/** W: the middle one of the quietest hours of the last nights; null where too few nights were measured. */
export function baseLoad(all) {
  const nights = new Map();
  for (const quarter of all) {
    if (quarter.clock < ASLEEP[0] || quarter.clock >= ASLEEP[1]) continue;
    nights.set(quarter.day, [...(nights.get(quarter.day) ?? []), quarter]);
  }
  const quiet = [...nights.values()].map(quietest).filter((wh) => wh !== null).sort((a, b) => Number(a) - Number(b));
  return quiet.length < ENOUGH_NIGHTS ? null : quiet[quiet.length >> 1];
}

/** The least that four quarters in a row drew, which is their mean power. */
function quietest(night) {
  let least = null;
  for (let at = 0; at + QUARTERS_AN_HOUR <= night.length; at += 1) {
    const hour = night.slice(at, at + QUARTERS_AN_HOUR).map((quarter) => quarter.up);
    if (hour.includes(null)) continue;
    const drawn = sum(hour);
    if (least === null || Number(drawn) < Number(least)) least = drawn;
  }
  return least;
}
