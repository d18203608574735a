// The cards of the month, the contract year and the contract.

import { dateText, shiftDays } from "../calendar.js";
import { isComparable } from "../contractYears.js";
import { money, partText, paymentPart, price } from "../costs.js";
import { make, pair } from "../dom.js";
import { kwhShort } from "../energyText.js";
import { grouped } from "../exact.js";
import { words } from "../language.js";
import { link } from "../router.js";

/** @typedef {import("../costs.js").Billed} Billed */

const MONTHS = 12;

/** The parts of an amount by name. @param {Api.Money} paid @param {string} currency @returns {[string, string][]} */
export function parts(paid, currency) {
  const payment = paymentPart(paid.export_amount, currency);
  return [
    [words.fromGrid, partText(paid.import_amount, paid.unpriced_import_wh, currency) || words.cost.incomplete],
    [words.cost.base, money(paid.base_amount, currency)],
    ...(payment ? [payment] : []),
  ];
}

/** What is estimated or missing in an amount. @param {Api.Money} paid */
function doubts({ estimated_import_wh: estimated, unpriced_import_wh: unpriced }) {
  const texts = words.cost;
  return [
    Number(estimated) ? make("p.soft", texts.estimated(kwhShort(estimated))) : null,
    Number(unpriced) ? make("p.soft", texts.unpriced(kwhShort(unpriced))) : null,
  ];
}

/** Without a single price there is nothing to extrapolate. @param {Api.Money} paid */
const isPriced = ({ import_amount: amount, unpriced_import_wh: unpriced }) =>
  Number(amount) !== 0 || Number(unpriced ?? 0) === 0;

const pairs = (/** @type {Billed} */ { total, currency }) =>
  make("dl.pairs", parts(total, currency).map(([name, text]) => pair(name, text)));

/** @param {Billed} month @param {Api.CostForecasts} forecasts */
export function monthCard(month, forecasts) {
  const texts = words.cost;
  const name = dateText(month.begin.slice(0, 10), { month: "long" });
  const forecast = isPriced(month.total) ? forecasts.month : undefined;
  return make("section.card", make("h2", texts.soFar(name)),
    make("p.middle", money(month.total.total_amount, month.currency)),
    forecast ? make("p.compared", texts.expected(money(forecast.total_amount, month.currency)),
      rangeText(forecast, month.currency)) : isPriced(month.total) && make("p.soft", texts.tooEarlyMonth),
    pairs(month), doubts(month.total), forecast && explanation(forecast));
}

/** @param {Api.CostForecast} forecast @param {string} currency */
function rangeText({ low_amount: low, high_amount: high }, currency) {
  return low === undefined || high === undefined ? ""
    : `, ${words.cost.range(money(low, currency), money(high, currency))}`;
}

/** How the forecast was made. @param {Api.CostForecast} forecast */
function explanation({ basis, low_amount: low, windows }) {
  const texts = words.cost;
  return make("p.soft.how", texts.basis[basis], " ", low === undefined ? texts.noRange : texts.rangeFrom(windows));
}

/** @param {Billed} year @param {Api.PastYear} past */
function settled(year, past) {
  const texts = words.cost;
  const { total, currency } = year;
  const difference = Number(total.total_amount) - Number(past.instalments_amount);
  if (!past.whole) return make("p.soft", texts.notWhole);
  if (!Number(past.instalments_amount) || !isComparable(year, past)) return null;
  const amount = money(Math.abs(difference).toFixed(2), currency);
  return make("p.outcome", difference > 0 ? texts.owed(amount) : texts.refunded(amount));
}

/**
 * A cost beside the instalments of its year; null where there are none.
 * @param {string} name @param {string} cost @param {Api.PastYear} past @param {string} currency
 */
function versus(name, cost, { instalments, instalments_amount: paid }, currency) {
  if (!Number(paid)) return null;
  const max = Math.max(Number(cost), Number(paid), 1);
  /** @param {string} label @param {string} value @param {string} kind */
  const bar = (label, value, kind) => make("div.versus", { "data-kind": kind },
    make("span", label), make("span.amount", money(value, currency)),
    make("progress", { max: String(max), value: String(Math.max(0, Number(value))), "aria-label": label }));
  return make("div", bar(name, cost, "forecast"), bar(words.cost.instalmentsOf(instalments.length), paid, "paid"));
}

/** A contract year of the past, and what came of it. @param {Billed} year @param {Api.PastYear} past */
export function pastYearCard(year, past) {
  const { currency, total } = year;
  return make("section.card", make("h2", past.contract || words.cost.year),
    make("p.middle", money(total.total_amount, currency)),
    versus(words.cost.cost, total.total_amount, past, currency), settled(year, past),
    pairs(year), doubts(total));
}

/**
 * The contract year so far, and its forecast.
 * @param {Billed} year
 * @param {Api.CostForecasts} forecasts
 * @param {Api.PastYear} current the year with its instalments
 */
export function yearCard(year, forecasts, current) {
  const texts = words.cost;
  const { currency, total } = year;
  const amount = (/** @type {string} */ value) => money(value, currency);
  const forecast = isPriced(total) ? forecasts.year : undefined;
  if (!forecast) {
    return make("section.card", make("h2", texts.year), make("p.middle", amount(total.total_amount)),
      isPriced(total) && make("p.soft", texts.tooEarly), pairs(year), doubts(total));
  }
  const instalments = Number(current.instalments_amount);
  const difference = Number(forecast.total_amount) - instalments;
  const last = shiftDays(forecast.end.slice(0, 10), -1);
  return make("section.card", make("h2", texts.year),
    make("p.middle", amount(forecast.total_amount)),
    make("p.compared", texts.until(dateText(last, { day: "numeric", month: "long", year: "numeric" })),
      rangeText(forecast, currency)),
    versus(texts.forecast, forecast.total_amount, current, currency),
    instalments > 0 && make("p.outcome", difference > 0 ? texts.owe(amount(difference.toFixed(2)))
      : texts.refund(amount((-difference).toFixed(2)))),
    make("dl.pairs", pair(texts.budgetCost, amount(forecast.so_far_amount)),
      instalments > 0 && pair(texts.suggested, amount((Number(forecast.total_amount) / MONTHS).toFixed(2)))),
    doubts(total), explanation(forecast));
}

/**
 * @param {Api.CurrentContract} contract
 * @param {string} currency
 * @param {string} [countsFrom] the first day with a cost
 */
export function contractCard(contract, currency, countsFrom) {
  const texts = words.cost.contract;
  const { energy_amount: energy, feed_in_amount: feedIn } = contract;
  return make("section.card", make("h2", contract.name || texts.title), make("dl.pairs",
    contract.begins !== undefined ? pair(texts.since, dateText(contract.begins, { dateStyle: "long" }))
      : countsFrom !== undefined && pair(texts.countsFrom, dateText(countsFrom, { dateStyle: "long" })),
    energy !== undefined ? pair(texts.energy, `${price(energy, currency)} / kWh`)
      : pair(texts.pricing, texts.pricings[contract.pricing]),
    contract.zone !== undefined && pair(texts.zone, contract.zone),
    Number(contract.vat_percent) > 0 && pair(texts.vat, `${grouped(String(contract.vat_percent))} %`),
    pair(texts.base[contract.base_per], money(contract.base_amount, currency)),
    feedIn !== undefined && Number(feedIn) ? pair(texts.feedIn, `${price(feedIn, currency)} / kWh`) : null,
    Number(contract.instalment_amount) ? pair(texts.instalment, money(contract.instalment_amount, currency)) : null),
  make("p", make("a", { href: link("cost", ["contract"]) }, texts.change)));
}
