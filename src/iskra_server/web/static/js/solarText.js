// Solar energy as text.

import { QUARTER_MS } from "./calendar.js";
import { dateTime } from "./clock.js";
import { kwhShort } from "./energyText.js";
import { decimal } from "./exact.js";
import { words } from "./language.js";
import { solarWords } from "./solarWords.js";
import { meterName } from "./store.js";

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

/** What is missing, and what may be configured wrongly. @param {Api.SolarEnergy} energy */
export function notesOf({ begin, since, has_export: hasExport, production, total }) {
  const { counted_quarters: counted, missing = [] } = total;
  const before = since === undefined ? 0 : (Date.parse(since) - Date.parse(begin)) / QUARTER_MS;
  const quarters = total.quarters - before;
  const turned = production.filter(({ production_wh: own = "0", other_wh: other = "0" }) =>
    Number(other) > Number(own));
  return [
    ...(hasExport ? [] : [solarWords.noExport]),
    ...(since === undefined ? [] : [solarWords.since(dateTime(new Date(since)))]),
    ...(hasExport && counted && counted < quarters
      ? [solarWords.uncounted(sharePercent(counted, quarters), missing.map(meterName).join(", "))] : []),
    ...turned.map(({ meter, counter }) => (counter === "export"
      ? solarWords.otherCounter(meterName(meter), "2.8.0", "1.8.0", "import")
      : solarWords.otherCounter(meterName(meter), "1.8.0", "2.8.0", "export"))),
  ];
}

/** Rounded down: what is missing must not become 100 %. @param {number} part @param {number} whole */
const sharePercent = (part, whole) => decimal(Math.floor((part / whole) * 1000) / 10, 1);
