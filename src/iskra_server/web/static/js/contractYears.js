// Contract years: from one anniversary of a contract's first day to the next.

import { shiftDays } from "./calendar.js";

/** The anniversary of a day in a year; that of February 29 is March 1. @param {string} day @param {number} year */
function anniversary(day, year) {
  const date = new Date(Date.UTC(year, Number(day.slice(5, 7)) - 1, Number(day.slice(8, 10)), 12));
  return date.toISOString().slice(0, 10);
}

/** The calendar year in which the contract year of a day begins. @param {string} begins @param {string} day */
export function contractYearOf(begins, day) {
  const year = Number(day.slice(0, 4));
  return anniversary(begins, year) <= day ? year : year - 1;
}

/**
 * First and last day of the contract year that begins in a calendar year.
 * @param {string} begins
 * @param {number} year
 */
export const contractYear = (begins, year) => [anniversary(begins, year), shiftDays(anniversary(begins, year + 1), -1)];

/**
 * How many instalments were due until a day: one at the beginning of each month of the contract year.
 * @param {string} first day of the contract year
 * @param {string} day
 */
export function instalmentsDue(first, day) {
  const months = (Number(day.slice(0, 4)) - Number(first.slice(0, 4))) * 12 + Number(day.slice(5, 7))
    - Number(first.slice(5, 7)) + (day.slice(8) >= first.slice(8) ? 1 : 0);
  return Math.min(12, Math.max(0, months));
}
