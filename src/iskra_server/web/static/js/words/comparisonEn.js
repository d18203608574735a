// The texts of the comparison of contracts in English. comparisonDe.js has the same keys.

export const comparisonWords = {
  period: "Period",
  from: "first day",
  to: "last day",
  lastYear: "last 12 months",
  tenYears: "last ten years",
  ownPeriod: "own period",
  compare: "Compare",
  own: "your contract",
  sources: { contract: "earlier or later contract", offer: "offer", dynamic: "example" },
  pricings: {
    fixed: "fixed price",
    windows: "price by time of day",
    registers: "day and night tariff",
    spot: "spot price",
  },
  dynamic: "Dynamic contract",
  since: (/** @type {string} */ day) => `Contract from ${day}`,
  fees: "fees",
  estimatedPart: "estimated",
  unpricedPart: "without a price",
  mean: "average price you paid",
  even: "if you used power evenly",
  cheapestMonth: "cheapest month",
  dearestMonth: "most expensive month",
  negative: "negative spot price",
  negativeText: (/** @type {string} */ count, /** @type {string} */ energy) => `${count} × 15 minutes, ${energy} used`,
  shift: (/** @type {string} */ amount) =>
    `If you had moved 1 kWh a day into the cheapest 15 minutes of the day: ${amount} saved.`,
  more: (/** @type {string} */ amount) => `${amount} more`,
  less: (/** @type {string} */ amount) => `${amount} less`,
  noDifference: "not comparable",
  costsMore: (/** @type {string} */ name) => `costs more than ${name}`,
  costsLess: (/** @type {string} */ name) => `costs less than ${name}`,
  cheaper: (/** @type {string} */ name, /** @type {string} */ amount, /** @type {string} */ own) =>
    `${name} would have cost ${amount} less than ${own}.`,
  cheapest: (/** @type {string} */ own, /** @type {string} */ name, /** @type {string} */ amount) =>
    `${own} was the cheapest. ${name} would have cost ${amount} more.`,
  refused: (/** @type {string} */ percent) =>
    `No comparison: ${percent} % of the energy was not measured by the quarter-hour. Above 20 % the result ` +
    "would be a guess.",
  caution: (/** @type {string} */ percent) =>
    `${percent} % of the energy was not measured by the quarter-hour. Take the differences with caution.`,
  short: (/** @type {string} */ days) =>
    `Only ${days} ${days === "1" ? "day" : "days"}: less than a year. Spot prices are lower in summer than in ` +
    "winter, so this is no result for a year.",
  unpriced: (/** @type {string} */ names) =>
    `Some spot prices are missing for ${names}. The energy without a price is in no amount; the difference ` +
    "leaves it out.",
  basis: (/** @type {string} */ period, /** @type {string} */ energy) =>
    `${period}: ${energy} measured by the quarter-hour.`,
  estimated: (/** @type {string} */ energy, /** @type {string} */ percent) =>
    `Estimated from gaps: ${energy}, ${percent} %.`,
  byQuarters:
    "The amounts hold if you are billed by your own quarter-hours. With a plain modern meter a dynamic contract is " +
    "often billed by a standard load profile.",
  none: "No contract and no offer configured",
  how: "Write the prices of your contract as [[contracts]] and those of an offer as [[offers]] in iskra-server.toml:",
  howDynamic: "Below you can compare with a dynamic contract without writing anything.",
  notMeasured: "Nothing was measured in this period. Choose one in which the meter was read.",
  byMonth: "By month",
  everyMonth: "Every month",
  month: "month",
  shown: "contract in the chart",
  total: "cost including fees",
  tryDynamic: "Compare with a dynamic contract",
  dynamicHow:
    "Each quarter-hour costs its spot price plus these parts. Replace them with the numbers of an offer and of your " +
    "grid operator's price sheet. The levies are those of Germany in 2026.",
  stored: (/** @type {string} */ zone, /** @type {string} */ first, /** @type {string} */ last) =>
    `Spot prices of ${zone} are stored from ${first} to ${last}.`,
  fields: {
    zone: "bidding zone",
    markup: "supplier's markup",
    grid_fee: "grid fee",
    tax: "electricity tax",
    kwkg: "CHP levy (KWKG)",
    offshore: "offshore levy",
    special: "special grid use levy",
    concession: "concession fee",
    vat_percent: "VAT",
    base_fee: "base fee, gross",
  },
  centsNet: "ct/kWh net",
  perMonth: "per month",
  compareDynamic: "Compare",
  compareAgain: "Compare again",
  keep: "Keep it as an offer",
  keepHow: "Add this to iskra-server.toml and restart the server:",
  noPrices: "No spot prices are stored yet. Fetch them on the computer of the server:",
  noPricesNote: "The server then fetches new prices every day as soon as a contract or an offer needs them.",
};
