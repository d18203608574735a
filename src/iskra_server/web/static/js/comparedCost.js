// The cost of two parts of periods, where a contract holds for both and all that was measured has a price.

import { minus, percentOf, sum } from "./arithmetic.js";
import { isUnpriced } from "./costs.js";
import { coversAll, measured } from "./samePart.js";

/** @typedef {import("./costs.js").Billed} Billed */
/** The energy of a part, and its cost. @typedef {{energy: Api.Energy, cost: Billed | null}} Priced */
/** @typedef {{left: string, right: string, difference: string, percent: string | null, currency: string}} CostResult */

/**
 * Of the buckets with data in both parts, unless both are known as a whole; null where a part of it has no price.
 * @param {Priced} left
 * @param {Priced} right
 * @returns {CostResult | null}
 */
export function comparedCost(left, right) {
  const costs = [left.cost, right.cost];
  const [one, other] = costs;
  if (!one || !other || !isPriced(one) || !isPriced(other)) return null;
  const isWhole = [left, right].every(({ energy }) => coversAll(energy, energy.import));
  const amounts = isWhole ? [one.total.total_amount, other.total.total_amount] : amountsOfBoth(left, right);
  const [amount, before] = amounts;
  if (amount == null || before == null) return null;
  const difference = minus(amount, before);
  return {
    left: amount, right: before, difference, currency: one.currency,
    percent: Number(before) > 0 ? percentOf(difference, before) : null,
  };
}

/** Whether a contract holds from the beginning on, and no energy lacks its price. @param {Billed} cost */
const isPriced = ({ begin, counts_from: from, total }) => from !== undefined && from <= begin.slice(0, 10)
  && !isUnpriced(total);

/** The sums over the buckets that were measured in both. @param {Priced} left @param {Priced} right */
function amountsOfBoth(left, right) {
  const places = left.energy.buckets.flatMap((bucket, at) =>
    ([bucket, right.energy.buckets[at]].every((side) => measured(side, "import") !== null) ? [at] : []));
  return [left, right].map(({ cost }) => {
    const paid = places.map((at) => cost?.buckets[at]?.paid?.total_amount);
    return paid.includes(undefined) ? null : sum(paid);
  });
}
