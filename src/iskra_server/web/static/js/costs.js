// Money: amounts as text, and the cost of a period if a contract is configured.

import { requestHistory } from "./api.js";
import { sum } from "./arithmetic.js";
import { exportName, opposite, roundedKwh } from "./energyText.js";
import { locale, words } from "./language.js";
import { isFuture, periodQuery } from "./periods.js";
import { store, virtualState } from "./store.js";

/** @param {string} amount @param {string} currency @param {Intl.NumberFormatOptions} options */
function format(amount, currency, options = {}) {
  try {
    // format() takes text without rounding it to a JavaScript number
    const digits = /** @type {`${number}`} */ (amount);
    return new Intl.NumberFormat(locale, { style: "currency", currency, ...options }).format(digits).replace("-", "−");
  } catch {
    return `${Number(amount).toFixed(2)} ${currency}`; // unknown currency
  }
}

/** An exact amount as money, in the format of the language. @param {string} amount @param {string} currency */
export const money = (amount, currency) => format(amount, currency);

/** Energy that is in no amount because its price is unknown, in Wh. @param {Unpriced} paid */
const unpricedWh = ({ unpriced_import_wh: imported, unpriced_export_wh: exported }) =>
  sum([imported, exported].filter((wh) => wh !== undefined)) ?? "0";

/** Whether there is such energy. @param {Unpriced} paid */
export const isUnpriced = (paid) => Number(unpricedWh(paid)) !== 0;

/** @typedef {{total_amount: string, unpriced_import_wh?: string, unpriced_export_wh?: string}} Unpriced */

/** A total, and how much energy is not in it. @param {Unpriced} paid @param {string} currency */
export function totalText(paid, currency, amount = paid.total_amount) {
  const wh = unpricedWh(paid);
  return Number(wh) ? words.cost.without(money(amount, currency), roundedKwh(wh)) : money(amount, currency);
}

/** The cost of an energy; empty where a part of it has no known price. */
export const partText = (/** @type {string} */ amount, /** @type {string | undefined} */ unpriced,
  /** @type {string} */ currency) => (Number(unpriced ?? 0) ? "" : money(amount, currency));

/**
 * What is paid for energy to the grid as a part of a cost: its name, and the amount below 0; null if there is none.
 * Above 0 it is a cost: by a price below 0, or of a virtual meter, what the solar power that it has used would have
 * earned.
 * @param {string} amount @param {string} currency @returns {[string, string] | null}
 */
export const paymentPart = (amount, currency) => (Number(amount)
  ? [virtualState(store.chosen) ? exportName(amount) : words.toGrid, money(opposite(amount) ?? "", currency)] : null);

/** Without cents. @param {string} amount @param {string} currency */
export const moneyShort = (amount, currency) => format(amount, currency, { maximumFractionDigits: 0 });

/** A price per kWh, with up to six places. @param {string} amount @param {string} currency */
export const price = (amount, currency) => format(amount, currency, { maximumFractionDigits: 6 });

/** What the power of this moment costs, with a tenth of a cent below 1 an hour. */
export function rateText(/** @type {string} */ amount, /** @type {string} */ currency) {
  const places = Math.abs(Number(amount)) < 1 ? 3 : 2;
  const options = { minimumFractionDigits: places, maximumFractionDigits: places };
  const text = `${format(amount.replace("-", ""), currency, options)}/h`;
  return Number(amount) < 0 ? words.cost.earning(text) : text;
}

/** The sign of a currency, for an axis. @param {string} currency */
export const currencySign = (currency) => format("0", currency, { maximumFractionDigits: 0 }).replace(/[\d\s]/g, "");

/**
 * The cost of the periods that an answer has; `total` is absent without a contract.
 * @typedef {Api.Cost & {total: Api.Money, currency: string}} Billed
 */

/** The cost of a period of the chosen meter; null without a contract. @param {Query} query */
export async function requestCost(query, /** @type {AbortSignal} */ signal) {
  const answer = await requestHistory("cost", query, signal).catch(() => null);
  return answer?.total && answer.currency ? /** @type {Billed} */ (answer) : null;
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
  const { total, currency, buckets } = answer;
  const paid = new Map(buckets.map((bucket) => [bucket.begin, bucket.paid]));
  return {
    total: totalText(total, currency),
    imported: partText(total.import_amount, total.unpriced_import_wh, currency),
    exported: partText(total.export_amount, total.unpriced_export_wh, currency),
    amountOf: ({ begin }) => paid.get(begin)?.total_amount,
    textOf({ begin }) {
      const amount = paid.get(begin);
      return amount ? totalText(amount, currency) : "";
    },
  };
}
