// Periods and their names in an address: day/2026-11-22, week/2026-11-16 (its Monday), month/2026-11, year/2026, all.

import { dated, dates, shifted, today, weekday, weekOf } from "./clock.js";
import { words } from "./language.js";

const FIRST_YEAR = 1970;
/** @type {Record<string, {bucket: string, form: RegExp, key: (date: string) => string}>} */
export const KINDS = {
  day: { bucket: "15min", form: /^\d{4}-\d\d-\d\d$/, key: (date) => date },
  week: { bucket: "hour", form: /^\d{4}-\d\d-\d\d$/, key: (date) => shifted(date, 1 - weekday(date)) },
  month: { bucket: "day", form: /^\d{4}-\d\d$/, key: (date) => date.slice(0, 7) },
  year: { bucket: "month", form: /^\d{4}$/, key: (date) => date.slice(0, 4) },
  all: { bucket: "year", form: /^$/, key: () => "" },
};

/** The name of the period around a date; a name that is none means the present. */
export function keyOf(kind, text) {
  const { form, key } = KINDS[kind];
  if (!text || !form.test(text)) return key(today());
  const first = firstDay(kind, text);
  return Number.isNaN(Date.parse(first)) ? key(today()) : key(first);
}

/** The first day of a period; of all years today, which stands for them. */
export const firstDay = (kind, key) => ({ month: `${key}-01`, year: `${key}-01-01`, all: today() }[kind] ?? key);

export function step(kind, key, by) {
  if (kind === "day") return shifted(key, by);
  if (kind === "week") return shifted(key, 7 * by);
  if (kind === "year") return String(Number(key) + by).padStart(4, "0");
  if (kind === "all") return key;
  const months = Number(key.slice(0, 4)) * 12 + Number(key.slice(5)) - 1 + by;
  return `${String(Math.floor(months / 12)).padStart(4, "0")}-${String((months % 12) + 1).padStart(2, "0")}`;
}

/** What the routes of history are asked for. */
export function asked(kind, key) {
  const bucket = KINDS[kind].bucket;
  if (kind === "week") return { from: key, to: shifted(key, 6), bucket };
  if (kind === "all") return { from: String(FIRST_YEAR), to: today().slice(0, 4), bucket };
  return { from: key, bucket };
}

export function title(kind, key) {
  const first = firstDay(kind, key);
  if (kind === "day") return dated(first, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
  if (kind === "week") return `${words.week} ${weekOf(key)} · ${dates(key, shifted(key, 6), { day: "numeric", month: "short", year: "numeric" })}`;
  if (kind === "month") return dated(first, { month: "long", year: "numeric" });
  return kind === "year" ? key : words.allYears;
}

export const isNow = (kind, key) => key === KINDS[kind].key(today());
export const isFuture = (kind, key) => kind !== "all" && key > KINDS[kind].key(today());
/** The period of a smaller kind that a bar leads to. */
export const inside = { week: "day", month: "day", year: "month", all: "year" };
