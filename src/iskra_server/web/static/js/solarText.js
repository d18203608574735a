// Solar energy as text.

import { kwhShort } from "./energyText.js";
import { decimal } from "./exact.js";
import { words } from "./language.js";
import { solarWords } from "./solarWords.js";

/** A rate from 0 to 1 in percent. @param {number} rate */
export const percent = (rate) => decimal(rate * 100, 0);

/**
 * Production, self-consumption, consumption and self-sufficiency: name, text, and what stands smaller behind it.
 * @param {Api.SolarBucket} bucket
 * @returns {[string, string, string?][]}
 */
export function solarPairs(bucket) {
  const { self_consumption_rate: rate, self_sufficiency: sufficiency } = bucket;
  return [
    [solarWords.production, kwhShort(bucket.production_wh)],
    [solarWords.selfConsumption, kwhShort(bucket.self_consumption_wh),
      rate === undefined ? "" : solarWords.ofProduction(percent(rate))],
    [solarWords.consumption, kwhShort(bucket.consumption_wh)],
    [solarWords.selfSufficiency, sufficiency === undefined ? words.noData : `${percent(sufficiency)} %`],
  ];
}

/** The same in a line. @param {Api.SolarBucket} bucket */
export const bucketText = (bucket) =>
  solarPairs(bucket).map(([name, text, small]) => [name, text, small].filter(Boolean).join(" ")).join(" · ");
