// What today has cost until now, and what the power of this moment costs, as text; empty where either is unknown.

import { requestHistory } from "./api.js";
import { today } from "./calendar.js";
import { rateText, requestCost, totalText } from "./costs.js";
import { amountUntilNow, rateOf, requestPrices } from "./prices.js";
import { powerOf, registerValue } from "./store.js";

/** @typedef {import("./prices.js").Prices} Prices */
/** @typedef {{date: string, energy: Api.Energy, cost: import("./costs.js").Billed, prices: Prices | null}} TodayCost */

/** Of the chosen meter; null without a contract. @param {AbortSignal} signal @returns {Promise<TodayCost | null>} */
export async function requestTodayCost(signal) {
  const query = { from: today(), bucket: "15min" };
  const cost = await requestCost(query, signal);
  if (!cost) return null;
  const [energy, prices] = await Promise.all([requestHistory("energy", query, signal), requestPrices(signal)]);
  return { date: query.from, energy, cost, prices };
}

/** @typedef {ReturnType<typeof import("./store.js").currentReading>} Reading */

/** The cost of today: until now with a current reading, else until the last quarter-hour that was measured. */
export function todayCostText(/** @type {TodayCost | null} */ shown, /** @type {Reading} */ meter) {
  const last = shown?.cost.buckets.filter(({ paid }) => paid).at(-1);
  if (!shown || !last || shown.date !== today()) return "";
  const { cost, prices } = shown;
  const now = meter && prices && amountNow(shown, last.end, meter, prices);
  return totalText(cost.total, cost.currency, now || cost.total.total_amount);
}

/** @param {TodayCost} shown @param {string} end @param {NonNullable<Reading>} meter @param {Prices} prices */
function amountNow({ cost, energy }, end, meter, prices) {
  const [imported, exported] = [energy.import.last, energy.export?.last];
  // the counters come from another request: a quarter-hour may have been recorded between the two
  if (meter.locked || imported?.at !== end || (exported && exported.at !== end)) return null;
  return amountUntilNow(
    {
      until: Date.parse(end), amount: cost.total.total_amount,
      counters: [imported.register_wh, exported?.register_wh],
    },
    [registerValue(meter, "energy_import"), exported && registerValue(meter, "energy_export")], prices,
  );
}

/** What the power costs for an hour; empty without a current reading and without a price. */
export function rateNow(/** @type {TodayCost | null} */ shown, /** @type {Reading} */ meter) {
  const watts = powerOf(meter);
  const rate = watts !== undefined && shown?.prices ? rateOf(shown.prices, watts) : null;
  return rate === null || !shown?.prices ? "" : rateText(rate, shown.prices.currency);
}
