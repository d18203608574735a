// A contract of the comparison as a card.

import { times } from "../arithmetic.js";
import { dateText } from "../calendar.js";
import { comparisonWords } from "../comparisonWords.js";
import { money, paymentPart, price, totalText } from "../costs.js";
import { make, pair } from "../dom.js";
import { roundedKwh } from "../energyText.js";
import { decimal, rounded } from "../exact.js";
import { words } from "../language.js";

/** @typedef {Api.ComparedContract} Contract */

/** Its name; of one without a name, since when it applies. @param {Contract} contract */
export function displayName({ name, begins, source }) {
  if (source === "dynamic") return comparisonWords.dynamic;
  if (name) return name;
  return begins && begins > "1970-01-01" ? comparisonWords.since(dateText(begins, { dateStyle: "medium" }))
    : comparisonWords.own;
}

/** @param {string} amount per kWh @param {string} currency */
const perKwh = (amount, currency) => (currency === "EUR" ? `${rounded(times(amount, 100), 2)} ct/kWh`
  : `${price(Number(amount).toFixed(4), currency)} / kWh`);

/** @param {Contract} contract @param {Api.MeterAnswers["compare-contracts"]} answer */
export function contractCard(contract, { currency }) {
  const texts = comparisonWords;
  const amount = (/** @type {string} */ value) => money(value, currency);
  const nonZero = (/** @type {string} */ name, /** @type {string} */ value) =>
    (Number(value) ? pair(name, amount(value)) : null);
  const payment = paymentPart(contract.export_amount, currency);
  const unpriced = String(Number(contract.unpriced_import_wh) + Number(contract.unpriced_export_wh));
  const kind = contract.is_own ? texts.own : texts.sources[contract.source];
  return make("section.card.offer", { "data-own": contract.is_own },
    make("h2", displayName(contract)), make("p.soft", `${kind} · ${texts.pricings[contract.pricing]}`),
    make("p.middle", totalText(contract, currency)),
    make("p.outcome", differenceText(contract, currency)),
    make("dl.pairs",
      pair(words.fromGrid, amount(contract.import_amount)),
      payment && pair(...payment),
      pair(texts.fees, amount(contract.base_amount)),
      nonZero(texts.estimatedPart, contract.estimated_amount),
      Number(unpriced) ? pair(texts.unpricedPart, roundedKwh(unpriced)) : null),
    make("dl.pairs",
      contract.mean_amount === undefined ? null : pair(texts.mean, perKwh(contract.mean_amount, currency)),
      contract.even_amount === undefined ? null : pair(texts.even, perKwh(contract.even_amount, currency)),
      monthPair(texts.cheapestMonth, contract.cheapest_month, currency),
      monthPair(texts.dearestMonth, contract.dearest_month, currency),
      contract.negative ? pair(texts.negative, texts.negativeText(rounded(String(contract.negative.quarters)),
        roundedKwh(contract.negative.import_wh))) : null),
    contract.shift_amount === undefined || Number(unpriced) ? null
      : make("p.soft", texts.shift(amount(contract.shift_amount))));
}

/** @param {Contract} contract @param {string} currency */
function differenceText({ is_own: isOwn, difference_amount: text, difference_percent: percent }, currency) {
  const texts = comparisonWords;
  if (isOwn || text === undefined) return isOwn ? "" : texts.noDifference;
  const share = percent === undefined ? "" : ` (${percent > 0 ? "+" : ""}${decimal(percent, 1)} %)`;
  const amount = money(text.replace("-", ""), currency);
  return `${text.startsWith("-") ? texts.less(amount) : texts.more(amount)}${share}`;
}

/** @param {string} name @param {Api.NamedMonth | undefined} month @param {string} currency */
function monthPair(name, month, currency) {
  if (!month) return null;
  const text = dateText(month.begin.slice(0, 10), { month: "long", year: "numeric" });
  return pair(name, `${text}, ${perKwh(month.mean_amount, currency)}`);
}
