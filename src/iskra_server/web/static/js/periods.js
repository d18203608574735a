// Periods and their keys in addresses: day/2026-11-22, week/2026-11-16 (a Monday), month/2026-11, year/2026, all.

import { dateRange, dateText, shiftDays, today, weekday, weekOf } from "./calendar.js";
import { words } from "./language.js";

const FIRST_YEAR = 1970;

/** @type {Record<Kind, {bucket: BucketLength, form: RegExp, key: (date: string) => string}>} */
export const KINDS = {
  day: { bucket: "15min", form: /^\d{4}-\d\d-\d\d$/, key: (date) => date },
  week: { bucket: "hour", form: /^\d{4}-\d\d-\d\d$/, key: (date) => shiftDays(date, 1 - weekday(date)) },
  month: { bucket: "day", form: /^\d{4}-\d\d$/, key: (date) => date.slice(0, 7) },
  year: { bucket: "month", form: /^\d{4}$/, key: (date) => date.slice(0, 4) },
  all: { bucket: "year", form: /^$/, key: () => "" },
};

/** @param {string | undefined} text @returns {text is Kind} */
export const isKind = (text) => text !== undefined && Object.hasOwn(KINDS, text);

/** The key of the period with a date, of the current period if the text is no date. @param {Kind} kind */
export function keyOf(kind, /** @type {string | undefined} */ text) {
  const { form, key } = KINDS[kind];
  if (!text || !form.test(text)) return key(today());
  const first = firstDay(kind, text);
  return Number.isNaN(Date.parse(first)) ? key(today()) : key(first);
}

/** The first day of a period; today for "all". @param {Kind} kind @param {string} key */
export function firstDay(kind, key) {
  if (kind === "month") return `${key}-01`;
  if (kind === "year") return `${key}-01-01`;
  return kind === "all" ? today() : key;
}

/** The key of the period `by` later. @param {Kind} kind @param {string} key @param {number} by */
export function step(kind, key, by) {
  if (kind === "day") return shiftDays(key, by);
  if (kind === "week") return shiftDays(key, 7 * by);
  if (kind === "year") return String(Number(key) + by).padStart(4, "0");
  if (kind === "all") return key;
  const months = Number(key.slice(0, 4)) * 12 + Number(key.slice(5)) - 1 + by;
  return `${String(Math.floor(months / 12)).padStart(4, "0")}-${String((months % 12) + 1).padStart(2, "0")}`;
}

/** The query parameters of a period. @param {Kind} kind @param {string} key @returns {PeriodQuery} */
export function periodQuery(kind, key) {
  const { bucket } = KINDS[kind];
  if (kind === "week") return { from: key, to: shiftDays(key, 6), bucket };
  if (kind === "all") return { from: String(FIRST_YEAR), to: today().slice(0, 4), bucket };
  return { from: key, bucket };
}

/** @param {Kind} kind @param {string} key @param {"long" | "short"} length of the names in a date */
export function periodTitle(kind, key, length = "long") {
  const first = firstDay(kind, key);
  if (kind === "day") return dateText(first, { weekday: length, day: "numeric", month: length, year: "numeric" });
  if (kind === "week") {
    const range = dateRange(key, shiftDays(key, 6), { day: "numeric", month: "short", year: "numeric" });
    return `${words.week} ${weekOf(key)} · ${range}`;
  }
  if (kind === "month") return dateText(first, { month: "long", year: "numeric" });
  return kind === "year" ? key : words.allYears;
}

export const isCurrent = (/** @type {Kind} */ kind, /** @type {string} */ key) => key === KINDS[kind].key(today());
export const isFuture = (/** @type {Kind} */ kind, /** @type {string} */ key) =>
  kind !== "all" && key > KINDS[kind].key(today());

/** The kind of period that a bar opens. @type {Partial<Record<Kind, Kind>>} */
export const SMALLER_KIND = { week: "day", month: "day", year: "month", all: "year" };
