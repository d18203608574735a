// The prices of the contract at each quarter-hour, and what the power and the energy of this moment cost.

import { requestHistory } from "./api.js";
import { minus, product, sum } from "./arithmetic.js";
import { QUARTER_MS, shiftDays, today } from "./calendar.js";
import { textOf } from "./exact.js";

const WH_PLACES = 3;

/** Prices per kWh of the quarter-hours from `begin` (ms) on; null where the price is unknown. */
/** @typedef {{currency: string, begin: number, imported: (string | null)[], exported: (string | null)[]}} Prices */

/** @typedef {Pick<Api.MeterAnswers["prices"], "currency" | "begin" | "import_amount" | "export_amount">} Columns */

/** An amount per kWh for an energy in Wh. @param {string} wh @param {string} perKwh */
const amountOf = (wh, perKwh) => product(product(wh, perKwh), textOf(1n, WH_PLACES));

/** The prices of today and tomorrow; null without a contract. @param {AbortSignal} signal */
export async function requestPrices(signal) {
  const query = { from: today(), to: shiftDays(today(), 1) };
  const answer = await requestHistory("prices", query, signal).catch(() => null);
  return answer && pricesOf(answer);
}

/** @returns {Prices | null} */
export function pricesOf(/** @type {Columns} */ { currency, begin, import_amount: imported, export_amount: exported }) {
  return currency ? { currency, begin: Date.parse(begin), imported, exported } : null;
}

const placeOf = (/** @type {Prices} */ { begin }, /** @type {number} */ at) => Math.floor((at - begin) / QUARTER_MS);

/**
 * What power costs for an hour, below zero what it earns; null where the price is unknown.
 * @param {Prices} prices
 * @param {string} watts
 */
export function rateOf(prices, watts, at = Date.now()) {
  const place = placeOf(prices, at);
  const perKwh = (watts.startsWith("-") ? prices.exported : prices.imported)[place] ?? null;
  return perKwh === null ? null : amountOf(watts, perKwh);
}

/**
 * @typedef {{until: number, amount: string, counters: [string | undefined, string | undefined]}} Measured
 * what was paid until a moment (ms), and what both counters showed then, in Wh
 */

/**
 * What was paid until now: the amount of history and the energy that the counters have counted since. Null where the
 * price since then is unknown or has changed: the energy on either side of the change is unknown.
 * @param {Measured} measured
 * @param {[string | undefined, string | undefined]} totals what both counters show now
 * @param {Prices} prices
 */
export function amountUntilNow({ until, amount, counters }, totals, prices, now = Date.now()) {
  const [first, last] = [placeOf(prices, until), placeOf(prices, now)];
  if (first < 0 || last < first) return null;
  const parts = [prices.imported, prices.exported].map((column, side) => {
    const [before, total] = [counters[side], totals[side]];
    if (before === undefined && total === undefined) return "0";
    const [perKwh, ...others] = new Set(column.slice(first, last + 1));
    if (before === undefined || total === undefined || perKwh == null || others.length) return null;
    const energy = minus(total, before);
    return energy.startsWith("-") ? null : amountOf(energy, perKwh);
  });
  const [paid, earned] = parts;
  return paid === null || earned === null ? null : minus(/** @type {string} */ (sum([amount, paid])), earned);
}
