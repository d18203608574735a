// Money: what a period has cost, in a line; nothing where no contract is configured.

import { askMeter } from "./api.js";
import { locale } from "./language.js";
import { asked, isFuture } from "./periods.js";

/** An exact amount as money, in the manner of the reader. */
export const money = (amount, currency) => {
  try {
    return new Intl.NumberFormat(locale, { style: "currency", currency }).format(amount).replace("-", "−");
  } catch {
    return `${Number(amount).toFixed(2)} ${currency}`; // a currency that is none
  }
};

/** Prices of a kWh have four places. */
export const price = (amount, currency) =>
  new Intl.NumberFormat(locale, { style: "currency", currency, maximumFractionDigits: 6 }).format(amount);

// whether there is a contract is asked once: a server has to be started again to get one
let isConfigured = null;

async function cost(query, signal) {
  if (isConfigured === false) return null;
  try {
    const answer = await askMeter("cost", query, signal);
    isConfigured = true;
    return answer;
  } catch (problem) {
    if (problem.reason === "no_contract") isConfigured = false;
    return null;
  }
}

const total = (answer) => answer && money(answer.total.total_amount, answer.currency);

/** What the month of a day has cost so far. */
export const costLine = async (day, signal) => total(await cost({ from: day.slice(0, 7), bucket: "month" }, signal));

/** What a period has cost, and `of` each of its buckets; null where no contract is configured, and of the future. */
export async function costOf(kind, key, signal) {
  const answer = isFuture(kind, key) ? null : await cost(asked(kind, key), signal);
  if (!answer) return null;
  const paid = new Map(answer.buckets.map((bucket) => [bucket.begin, bucket.paid?.total_amount]));
  const of = ({ begin }) => paid.get(begin);
  return { total: total(answer), of, text: (bucket) => (of(bucket) === undefined ? "" : money(of(bucket), answer.currency)) };
}
