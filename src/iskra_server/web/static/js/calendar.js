// Days, weeks and times of day in the time zone of the server. Not loaded before a view shows history.

import { format, SHORT } from "./clock.js";
import { zone } from "./page.js";

const DAY_MS = 86_400_000;
export const QUARTER_MS = 900_000;
export const QUARTERS_PER_HOUR = 4;

/** @typedef {import("./clock.js").Moment} Moment */

/** "2026-11-22 18:30", the Swedish format. @param {Moment} moment */
const isoText = (moment, tz = zone) => format({ dateStyle: "short", timeStyle: "short" }, tz, "sv-SE").format(moment);

/** The day of a moment, 2026-11-22. @param {Moment} moment */
export const dayOf = (moment) => isoText(moment).slice(0, 10);
export const today = () => dayOf(new Date());

/**
 * A fast function from a moment to its local day and time, ["2026-11-22", "18:30"]. The UTC offset is cached for days
 * with a single one.
 * @param {string} tz
 * @returns {(at: number) => [string, string]}
 */
export function localClock(tz) {
  const offset = (/** @type {number} */ at) => Date.parse(`${isoText(at, tz).replace(" ", "T")}:00Z`) - at;
  /** @type {Map<number, number | null>} the offset of a day, null if it has two */
  const offsets = new Map();
  const offsetOf = (/** @type {number} */ at) => {
    const day = Math.floor(at / DAY_MS);
    let whole = offsets.get(day);
    if (whole === undefined) {
      const [first, last] = [offset(day * DAY_MS), offset((day + 1) * DAY_MS - QUARTER_MS)];
      whole = first === last ? first : null;
      offsets.set(day, whole);
    }
    return whole ?? offset(at);
  };
  return (at) => {
    const local = new Date(at + offsetOf(at)).toISOString();
    return [local.slice(0, 10), local.slice(11, 16)];
  };
}

/** The moment of a local day and time, "2026-11-22" and "18:30"; of two the later one. */
export function instantOf(/** @type {string} */ day, /** @type {string} */ clock, tz = zone) {
  const utc = Date.parse(`${day}T${clock}:00Z`);
  const offset = (/** @type {number} */ at) => Date.parse(`${isoText(at, tz).replace(" ", "T")}:00Z`) - at;
  const near = utc - offset(utc);
  return utc - offset(near);
}

/** The full hours of a time span that are multiples of `every` o'clock. @param {[number, number]} span in seconds */
export function roundHours([begin, end], /** @type {number} */ every, tz = zone) {
  const clock = localClock(tz);
  const first = Math.ceil(begin / 1800) * 1800;
  return Array.from({ length: Math.max(0, Math.ceil((end - first) / 1800)) }, (_, at) => first + at * 1800)
    .filter((at) => {
      const [hour, minute] = clock(at * 1000)[1].split(":").map(Number);
      return minute === 0 && hour % every === 0;
    });
}

/** "18:30" of an instant such as 2026-11-22T18:30:00+01:00, in the format of the language. */
export const wallTime = (/** @type {string} */ instant) => format(SHORT, "UTC").format(asUtc(instant));

/** "18:30 – 18:45" from one instant to another of the same day, or to its end. */
export function wallTimeRange(/** @type {string} */ begin, /** @type {string} */ end) {
  const text = format(SHORT, "UTC").formatRange(asUtc(begin), asUtc(end));
  // over midnight formatRange adds the dates
  return text.length <= 24 ? text : `${wallTime(begin)} – ${wallTime(end)}`;
}

const asUtc = (/** @type {string} */ instant) => new Date(`${instant.slice(0, 19)}Z`);

/** A moment that has this date in every time zone. */
const noon = (/** @type {string} */ date) => new Date(`${date}T12:00:00Z`);

/** A date in words. @param {string} date @param {Intl.DateTimeFormatOptions} options */
export const dateText = (date, options) => format(options, "UTC").format(noon(date));
/** @param {string} first @param {string} last @param {Intl.DateTimeFormatOptions} options */
export const dateRange = (first, last, options) => format(options, "UTC").formatRange(noon(first), noon(last));

/** The date `days` later. @param {string} date @param {number} days */
export const shiftDays = (date, days) => new Date(noon(date).getTime() + days * DAY_MS).toISOString().slice(0, 10);
/** 1 is Monday, 7 is Sunday. @param {string} date */
export const weekday = (date) => noon(date).getUTCDay() || 7;

/** The number of the ISO 8601 week, which belongs to the year of its Thursday. @param {string} date */
export function weekOf(date) {
  const thursday = shiftDays(date, 4 - weekday(date));
  const first = `${thursday.slice(0, 4)}-01-01`;
  return 1 + Math.floor((noon(thursday).getTime() - noon(first).getTime()) / (7 * DAY_MS));
}
