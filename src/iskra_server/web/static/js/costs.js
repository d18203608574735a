// Money: the cost of a period, in a line; nothing where no contract is configured.

import { askMeter, Problem } from "./api.js";
import { locale } from "./language.js";
import { isFuture, periodQuery } from "./periods.js";

/** An exact amount as money, in the manner of the reader. @param {string} amount @param {string} currency */
export function money(amount, currency) {
  try {
    // it takes the digits of a text as they are, with none of them lost
    const digits = /** @type {`${number}`} */ (amount);
    return new Intl.NumberFormat(locale, { style: "currency", currency }).format(digits).replace("-", "−");
  } catch {
    return `${Number(amount).toFixed(2)} ${currency}`; // not a currency
  }
}

/** Prices of a kWh have four places. @param {string} amount @param {string} currency */
export const price = (amount, currency) => new Intl.NumberFormat(
  locale, { style: "currency", currency, maximumFractionDigits: 6 },
).format(/** @type {`${number}`} */ (amount));

/** @type {boolean | null} whether a contract is configured, asked once until the page is loaded again */
let isConfigured = null;

/** @param {Query} query @param {AbortSignal} signal */
async function cost(query, signal) {
  if (isConfigured === false) return null;
  try {
    const answer = await askMeter("cost", query, signal);
    isConfigured = true;
    return answer;
  } catch (error) {
    if (error instanceof Problem && error.reason === "no_contract") isConfigured = false;
    return null;
  }
}

const totalText = (/** @type {Api.Cost} */ answer) => money(answer.total.total_amount, answer.currency);

/** The cost so far of the month of a day. @param {string} day @param {AbortSignal} signal */
export async function monthCostText(day, signal) {
  const answer = await cost({ from: day.slice(0, 7), bucket: "month" }, signal);
  return answer && totalText(answer);
}

/**
 * The cost of a period and of each of its buckets; null where no contract is configured, and of the future.
 * @param {Kind} kind
 * @param {string} key
 * @param {AbortSignal} signal
 * @returns {Promise<PeriodCost | null>}
 */
export async function periodCost(kind, key, signal) {
  const answer = isFuture(kind, key) ? null : await cost(periodQuery(kind, key), signal);
  if (!answer) return null;
  const amounts = new Map(answer.buckets.map((bucket) => [bucket.begin, bucket.paid?.total_amount]));
  return {
    total: totalText(answer),
    amountOf: ({ begin }) => amounts.get(begin),
    textOf({ begin }) {
      const amount = amounts.get(begin);
      return amount === undefined ? "" : money(amount, answer.currency);
    },
  };
}
