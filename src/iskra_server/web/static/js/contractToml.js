// A contract as the page asks for it, written as the section [[contracts]] of the configuration.

import { isNumber, product } from "./arithmetic.js";

/** @typedef {"fixed" | "daynight" | "windows" | "registers" | "spot"} PriceKind */
/** @typedef {{name: string, months: string, days: string, from: string, to: string, price: string}} PriceWindow */

/**
 * The fields as they were typed: prices per kWh in hundredths of the currency (ct), fees in the currency.
 * @typedef {{name: string, begins: string, meter: string, kind: PriceKind, price: string, windows: PriceWindow[],
 *   low: string, zone: string, per: "quarter" | "hour", percent: string, markup: string, isByParts: boolean,
 *   vat: string, levies: [string, string][], grid: string, gridWindows: PriceWindow[], module: "0" | "1" | "3",
 *   credit: string, feedInKind: "none" | "fixed" | "spot", feedIn: string, isUnpaidWhenNegative: boolean,
 *   baseFee: string, baseFeePer: "month" | "year", gridFee: string, meteringFee: string,
 *   instalment: string}} ContractFields
 */

/** Levies of Germany in 2026, net in ct/kWh; the concession fee depends on the town. @type {[string, string][]} */
const LEVIES = [
  ["tax", "2.05"], ["kwkg", "0.446"], ["offshore", "0.941"], ["special", "1.559"], ["concession", "1.59"],
];
export const LOW_TARIFF = { from: "22:00", to: "06:00" };

/** @param {string} begins @returns {ContractFields} */
export const emptyContract = (begins) => ({
  name: "", begins, meter: "", kind: "fixed", price: "", windows: [], low: "", zone: "DE-LU", per: "quarter",
  percent: "", markup: "", isByParts: false, vat: "19", levies: LEVIES, grid: "", gridWindows: [], module: "0",
  credit: "", feedInKind: "none", feedIn: "", isUnpaidWhenNegative: false, baseFee: "", baseFeePer: "month",
  gridFee: "", meteringFee: "", instalment: "",
});

/** @param {string} name @returns {PriceWindow} */
export const emptyWindow = (name = "") => ({ name, months: "1-12", days: "mon-sun", ...LOW_TARIFF, price: "" });

/** Whether the price is given net, by energy, grid and levies. @param {ContractFields} fields */
export const hasParts = ({ kind, isByParts }) => kind === "spot" || isByParts;

/** Whether each price of energy was entered: without one it would count as free. @param {ContractFields} fields */
export function isPriced({ kind, price, low, windows }) {
  const ofWindows = [price, ...windows.map((window) => window.price)];
  const needed = { fixed: [price], daynight: ofWindows, windows: ofWindows, registers: [price, low], spot: [] };
  return needed[kind].every((text) => text.trim() !== "");
}

/** A number as typed, with a comma or a point, as TOML; a text that is none stays, for the server to say so. */
function number(/** @type {string} */ typed, scale = "1") {
  const text = typed.trim().replace(",", ".").replace(/^\+/, "");
  if (!isNumber(text)) return text === "" ? "0" : string(typed.trim());
  const scaled = product(text, scale);
  return scaled.includes(".") ? scaled.replace(/0+$/, "").replace(/\.$/, "") : scaled;
}

const perKwh = (/** @type {string} */ ct) => number(ct, "0.01");
/** A text as TOML writes it. */
export const string = (/** @type {string} */ text) =>
  // JSON escapes as TOML does, but for the character DEL
  JSON.stringify(text).replace(/\u007f/g, "\\u007f");
/** @param {string} name @param {string} typed @param {(typed: string) => string} write */
const line = (name, typed, write = number) => (typed.trim() === "" ? [] : [`${name} = ${write(typed)}`]);

/** @param {string} name @param {PriceWindow[]} windows */
function windowsLines(name, windows) {
  const text = windows.map(({ name: title, months, days, from, to, price }) =>
    `  { name = ${string(title)}, months = ${string(months)}, days = ${string(days)}, from = ${string(from)}, `
    + `to = ${string(to)}, price = ${perKwh(price)} },`);
  return [`${name} = [`, ...text, "]"];
}

/** The section of a contract. @param {ContractFields} fields */
export function contractToml(fields) {
  const hasOwnTables = fields.kind !== "fixed" || fields.isByParts;
  const lines = [
    "[[contracts]]", `begins = ${fields.begins || string("")}`, ...line("name", fields.name, string),
    ...line("meter", fields.meter, string),
    ...(hasOwnTables ? [] : [`energy_price = ${perKwh(fields.price)}`]),
    ...line("base_fee", fields.baseFee),
    ...(fields.baseFee.trim() && fields.baseFeePer === "year" ? ['base_fee_per = "year"'] : []),
    ...line("grid_fee", fields.gridFee), ...line("metering_fee", fields.meteringFee),
    ...(fields.feedInKind === "fixed" && !fields.isUnpaidWhenNegative ? line("feed_in", fields.feedIn, perKwh) : []),
    ...line("instalment", fields.instalment),
    ...(hasParts(fields) ? line("vat_percent", fields.vat) : []),
    ...(hasOwnTables ? energyLines(fields) : []),
    ...(hasParts(fields) ? [...gridLines(fields), ...leviesLines(fields)] : []),
    ...feedInLines(fields),
  ];
  return `${lines.join("\n")}\n`;
}

/** @param {ContractFields} fields */
function energyLines({ kind, price, low, windows, zone, per, percent, markup }) {
  const head = ["", "[contracts.energy]", `kind = ${string(kind === "daynight" ? "windows" : kind)}`];
  switch (kind) {
    case "fixed": return [...head, `price = ${perKwh(price)}`];
    case "registers": return [...head, `prices = { "1.8.1" = ${perKwh(price)}, "1.8.2" = ${perKwh(low)} }`];
    case "spot": return [...head, `zone = ${string(zone)}`, `per = ${string(per)}`, ...line("percent", percent),
      `fixed = ${perKwh(markup)}`];
    default: return [...head, `default = ${perKwh(price)}`, ...windowsLines("windows", windows)];
  }
}

/** @param {ContractFields} fields */
function gridLines({ grid, gridWindows, module, credit }) {
  const hasWindows = module === "3";
  return ["", "[contracts.grid]", `kind = ${string(hasWindows ? "windows" : "fixed")}`,
    `${hasWindows ? "default" : "price"} = ${perKwh(grid)}`,
    ...(module === "0" ? [] : [`module = ${module}`, ...line("credit", credit)]),
    ...(hasWindows ? windowsLines("windows", gridWindows) : [])];
}

/** @param {ContractFields} fields */
const leviesLines = ({ levies }) =>
  ["", "[contracts.levies]", ...levies.flatMap(([name, typed]) => line(name, typed, perKwh))];

/** @param {ContractFields} fields */
function feedInLines({ feedInKind, feedIn, isUnpaidWhenNegative, zone }) {
  if (feedInKind === "none" || (feedInKind === "fixed" && !isUnpaidWhenNegative)) return [];
  const unpaid = isUnpaidWhenNegative ? ["unpaid_when_negative = true"] : [];
  const head = ["", "[contracts.feed_in]", `kind = ${string(feedInKind)}`, `zone = ${string(zone)}`];
  return [...head, `${feedInKind === "spot" ? "fixed" : "price"} = ${perKwh(feedIn)}`, ...unpaid];
}
