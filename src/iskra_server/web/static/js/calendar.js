// Days, weeks and times of day, as the server's zone counts them: what no view needs before it shows history.

import { format, SHORT } from "./clock.js";
import { zone } from "./page.js";

const DAY_MS = 86_400_000;
const QUARTER_MS = 900_000;

/** @typedef {import("./clock.js").Moment} Moment */

/** "2026-11-22 18:30" of a moment: Swedes write it so. @param {Moment} moment */
const isoText = (moment, tz = zone) => format({ dateStyle: "short", timeStyle: "short" }, tz, "sv-SE").format(moment);

/** The day of a moment, 2026-11-22. @param {Moment} moment */
export const dayOf = (moment) => isoText(moment).slice(0, 10);
export const today = () => dayOf(new Date());

/**
 * Of many moments the day and the time of a zone, ["2026-11-22", "18:30"]: where a day has one offset, it is looked up
 * once.
 * @param {string} tz
 * @returns {(at: number) => [string, string]}
 */
export function localClock(tz) {
  const offset = (/** @type {number} */ at) => Date.parse(`${isoText(at, tz).replace(" ", "T")}:00Z`) - at;
  /** @type {Map<number, number | null>} the offset of a day, null where it has two */
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

/** "18:30" of an instant as the server writes it, 2026-11-22T18:30:00+01:00, in the reader's manner. */
export const wallTime = (/** @type {string} */ instant) => format(SHORT, "UTC").format(asUtc(instant));

/** "18:30 – 18:45" from one instant to another of the same day, or to its end. */
export function wallTimeRange(/** @type {string} */ begin, /** @type {string} */ end) {
  const text = format(SHORT, "UTC").formatRange(asUtc(begin), asUtc(end));
  // over midnight the dates would be there too
  return text.length <= 24 ? text : `${wallTime(begin)} – ${wallTime(end)}`;
}

const asUtc = (/** @type {string} */ instant) => new Date(`${instant.slice(0, 19)}Z`);

/** A date such as 2026-11-22 as a moment that every zone calls by this date. */
const noon = (/** @type {string} */ date) => new Date(`${date}T12:00:00Z`);

/** A date in words. @param {string} date @param {Intl.DateTimeFormatOptions} options */
export const dateText = (date, options) => format(options, "UTC").format(noon(date));
/** @param {string} first @param {string} last @param {Intl.DateTimeFormatOptions} options */
export const dateRange = (first, last, options) => format(options, "UTC").formatRange(noon(first), noon(last));

/** The date so many days later. @param {string} date @param {number} days */
export const shiftDays = (date, days) => new Date(noon(date).getTime() + days * DAY_MS).toISOString().slice(0, 10);
/** 1 is Monday, 7 is Sunday. @param {string} date */
export const weekday = (date) => noon(date).getUTCDay() || 7;

/** ISO 8601: the week of a year that has its Thursday. @param {string} date */
export function weekOf(date) {
  const thursday = shiftDays(date, 4 - weekday(date));
  const first = `${thursday.slice(0, 4)}-01-01`;
  return 1 + Math.floor((noon(thursday).getTime() - noon(first).getTime()) / (7 * DAY_MS));
}
