// Money: amounts as text, and the cost of a period if a contract is configured.

import { requestHistory, Problem } from "./api.js";
import { locale } from "./language.js";
import { isFuture, periodQuery } from "./periods.js";

/** An exact amount as money, in the format of the language. @param {string} amount @param {string} currency */
export function money(amount, currency) {
  try {
    // format() takes text without rounding it to a JavaScript number
    const digits = /** @type {`${number}`} */ (amount);
    return new Intl.NumberFormat(locale, { style: "currency", currency }).format(digits).replace("-", "−");
  } catch {
    return `${Number(amount).toFixed(2)} ${currency}`; // unknown currency
  }
}

/** A price per kWh, with up to six places. @param {string} amount @param {string} currency */
export const price = (amount, currency) => new Intl.NumberFormat(
  locale, { style: "currency", currency, maximumFractionDigits: 6 },
).format(/** @type {`${number}`} */ (amount));

/** @type {boolean | null} whether a contract is configured, null until the first answer */
let isConfigured = null;

/** @param {Query} query @param {AbortSignal} signal */
async function requestCost(query, signal) {
  if (isConfigured === false) return null;
  try {
    const answer = await requestHistory("cost", query, signal);
    isConfigured = true;
    return answer;
  } catch (error) {
    if (error instanceof Problem && error.reason === "no_contract") isConfigured = false;
    return null;
  }
}

const totalText = (/** @type {Api.Cost} */ answer) => money(answer.total.total_amount, answer.currency);

/** The cost of the month of a day, so far. @param {string} day @param {AbortSignal} signal */
export async function monthCostText(day, signal) {
  const answer = await requestCost({ from: day.slice(0, 7), bucket: "month" }, signal);
  return answer && totalText(answer);
}

/**
 * The cost of a period and of each of its buckets; null without a contract and for the future.
 * @param {Kind} kind
 * @param {string} key
 * @param {AbortSignal} signal
 * @returns {Promise<PeriodCost | null>}
 */
export async function periodCost(kind, key, signal) {
  const answer = isFuture(kind, key) ? null : await requestCost(periodQuery(kind, key), signal);
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
