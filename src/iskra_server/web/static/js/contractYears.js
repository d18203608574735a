// The contract years of a meter are listed by the server; this is what the page adds.

import { shiftDays, today } from "./calendar.js";
import { isUnpriced } from "./costs.js";

/**
 * A year without a contract, from a day on: the first contract begins later.
 * @param {string} day
 * @returns {Api.PastYear}
 */
export const currentYear = (day) => ({
  begin: day, end: shiftDays(day, 365), contract: "", whole: false, instalments: [], instalments_amount: "0",
});

/**
 * Whether the cost of a year is that of all its time until now, so that it can be held against the instalments.
 * @param {import("./costs.js").Billed} cost
 * @param {Api.PastYear} year
 */
export const isComparable = ({ counts_from: from, total }, { begin, end, whole }) =>
  (whole || (today() < end && from !== undefined && from <= begin)) && !isUnpriced(total);

/**
 * What was paid until each day, in the order of the days.
 * @param {Api.DueInstalment[]} instalments
 * @param {string[]} days
 */
export const paidUntil = (instalments, days) => days.map((day) =>
  instalments.reduce((paid, { day: due, amount }) => (due <= day ? paid + Number(amount) : paid), 0));
