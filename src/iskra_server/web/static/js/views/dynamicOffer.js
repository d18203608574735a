// The numbers of a dynamic contract, to compare with, and its section of the configuration to copy.

import { dateText, shiftDays } from "../calendar.js";
import { comparisonWords } from "../comparisonWords.js";
import { copy } from "../copy.js";
import { make } from "../dom.js";
import { grouped } from "../exact.js";
import { words } from "../language.js";

/** @type {("markup" | "grid_fee" | "tax" | "kwkg" | "offshore" | "special" | "concession")[]} per kWh, net */
const PER_KWH = ["markup", "grid_fee", "tax", "kwkg", "offshore", "special", "concession"];
export const PRICES = [...PER_KWH, "vat_percent", "base_fee"];

/** Cents from a price, and back; a person types a few digits. */
const cents = (/** @type {number} */ value) => grouped(String(Number((value * 100).toFixed(6))));
const fromCents = (/** @type {number} */ value) => (value / 100).toFixed(8).replace(/\.?0+$/, "");

/**
 * @param {Api.MeterAnswers["compare-contracts"]} answer
 * @param {boolean} isCompared
 * @param {(query: Record<string, string>) => void} onCompare
 */
export function dynamicForm({ dynamic, zones }, isCompared, onCompare) {
  const texts = comparisonWords;
  if (!zones.length) return withoutPrices();
  const zone = make("select", { name: "zone" }, zones.map(({ zone: name }) =>
    make("option", { selected: name === dynamic.zone }, name)));
  /** @param {keyof typeof texts.fields} name @param {string} value @param {string} unit */
  const field = (name, value, unit) => make("label", make("span", texts.fields[name]),
    make("span.typed", make("input", {
      name, value, inputmode: "decimal", required: true, pattern: "[0-9]+([.,][0-9]+)?",
    }), make("span.soft", unit)));
  const toml = make("pre", { tabindex: "0" });
  const done = make("p.soft", { role: "status" });
  const form = make("form.dynamic",
    make("label", make("span", texts.fields.zone), zone),
    PER_KWH.map((name) => field(name, cents(Number(dynamic[name])), texts.centsNet)),
    field("vat_percent", grouped(String(dynamic.vat_percent)), "%"),
    field("base_fee", grouped(String(dynamic.base_fee)), texts.perMonth),
    make("button", { type: "submit" }, isCompared ? texts.compareAgain : texts.compareDynamic));
  /** The query of what is typed. */
  const typed = () => Object.fromEntries([["zone", zone.value], ...[...form.querySelectorAll("input")].map((input) => {
    const value = Number(input.value.replace(",", "."));
    return [input.name, PER_KWH.some((name) => name === input.name) ? fromCents(value) : String(value)];
  })]);
  const update = () => { toml.textContent = tomlOf(typed()); };
  form.addEventListener("input", update);
  form.addEventListener("submit", (event) => { event.preventDefault(); onCompare(typed()); });
  update();
  return make("section.card.prose", make("h2", texts.tryDynamic), make("p", texts.dynamicHow),
    make("p.soft", zones.map(({ zone: name, begin, end }) => texts.stored(name, day(begin), day(end, -1))).join(" ")),
    form, make("details", make("summary", texts.keep), make("p", texts.keepHow), toml,
      make("button", { type: "button", onclick: () => copy(toml, done) }, words.copying.copy), done));
}

const day = (/** @type {string} */ instant, by = 0) =>
  dateText(shiftDays(instant.slice(0, 10), by), { dateStyle: "medium" });

function withoutPrices() {
  const texts = comparisonWords;
  return make("section.card.prose", make("h2", texts.tryDynamic), make("p", texts.noPrices),
    make("pre", { tabindex: "0" }, "iskra-server prices fetch --zone DE-LU --from 2025-01-01\n"),
    make("p.soft", texts.noPricesNote));
}

/** @param {Record<string, string>} query */
function tomlOf(query) {
  const { zone, markup, grid_fee: grid, vat_percent: vat, base_fee: base, ...levies } = query;
  return `[[offers]]
name = "${comparisonWords.dynamic}"
base_fee = ${base}
vat_percent = ${vat}

[offers.energy]
kind = "spot"
zone = "${zone}"
fixed = ${markup}

[offers.grid]
kind = "fixed"
price = ${grid}

[offers.levies]
${Object.entries(levies).map(([name, price]) => `${name} = ${price}`).join("\n")}
`;
}
