// Dates and times in the time zone of the server, wherever the browser is.

import { decimal } from "./exact.js";
import { locale } from "./language.js";
import { zone } from "./page.js";

/** @type {Map<string, Intl.DateTimeFormat>} a cache: making one takes milliseconds on a small device */
const formats = new Map();

/** @param {Intl.DateTimeFormatOptions} options @returns {Intl.DateTimeFormat} */
export function format(options, tz = zone, language = locale) {
  const key = `${tz} ${language} ${JSON.stringify(options)}`;
  const made = formats.get(key) ?? new Intl.DateTimeFormat(language, { ...options, timeZone: tz });
  formats.set(key, made);
  return made;
}

/** @type {Intl.DateTimeFormatOptions} */
export const SHORT = { hour: "numeric", minute: "2-digit" };
/** @type {Intl.DateTimeFormatOptions} */
const TIME = { ...SHORT, second: "2-digit" };

/** @typedef {Date | number} Moment a number is milliseconds since 1970 */

export const time = (/** @type {Moment} */ moment) => format(TIME).format(moment);
export const shortTime = (/** @type {Moment} */ moment) => format(SHORT).format(moment);
export const dateTime = (/** @type {Moment} */ moment) =>
  format({ dateStyle: "medium", timeStyle: "short" }).format(moment);

/** The time of a moment of today, else its date too. @param {number} moment */
export function timeOrDate(moment) {
  const day = format({ dateStyle: "short" });
  return day.format(moment) === day.format(Date.now()) ? time(moment) : dateTime(moment);
}

/** @param {number} seconds */
export function ageText(seconds) {
  if (seconds < 10) return `${decimal(seconds, 1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
