// Time as the server's clock on the wall shows it: days begin in its zone, wherever the browser is.

import { locale } from "./language.js";
import { zone } from "./page.js";

const DAY_MS = 86_400_000;

// making one takes milliseconds on a small device: each is made when it is first needed
const formats = new Map();
function format(options, tz = zone, language = locale) {
  const key = `${tz} ${language} ${JSON.stringify(options)}`;
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(language, { ...options, timeZone: tz }));
  return formats.get(key);
}
const SHORT = { hour: "numeric", minute: "2-digit" };
const TIME = { ...SHORT, second: "2-digit" };
const ISO = { year: "numeric", month: "2-digit", day: "2-digit" };

export const time = (moment) => format(TIME).format(moment);
export const shortTime = (moment) => format(SHORT).format(moment);
export const stamp = (moment) => format({ dateStyle: "medium", timeStyle: "short" }).format(moment);
/** The day of a moment, 2026-11-22. */
export const dayOf = (moment) => format(ISO, zone, "en-CA").format(moment);
export const today = () => dayOf(new Date());

/** "18:30" of an instant as the server writes it, 2026-11-22T18:30:00+01:00, in the reader's manner. */
export const wall = (instant) => format(SHORT, "UTC").format(asUtc(instant));
/** "18:30 – 18:45" from one instant to another of the same day, or to its end. */
export function wallRange(begin, end) {
  const text = format(SHORT, "UTC").formatRange(asUtc(begin), asUtc(end));
  // over midnight the dates would be told too
  return text.length <= 24 ? text : `${wall(begin)} – ${wall(end)}`;
}
const asUtc = (instant) => new Date(`${instant.slice(0, 19)}Z`);

/** A date such as 2026-11-22 as a moment that every zone calls by this date. */
const noon = (date) => new Date(`${date}T12:00:00Z`);
/** A date in words. @param {Intl.DateTimeFormatOptions} options */
export const dated = (date, options) => format(options, "UTC").format(noon(date));
export const dates = (first, last, options) => format(options, "UTC").formatRange(noon(first), noon(last));

export const shifted = (date, days) => new Date(noon(date).getTime() + days * DAY_MS).toISOString().slice(0, 10);
/** 1 is Monday, 7 is Sunday. */
export const weekday = (date) => noon(date).getUTCDay() || 7;
/** ISO 8601: the week of a year that has its Thursday. */
export function weekOf(date) {
  const thursday = shifted(date, 4 - weekday(date));
  const first = `${thursday.slice(0, 4)}-01-01`;
  return 1 + Math.floor((noon(thursday) - noon(first)) / (7 * DAY_MS));
}
