// Cost: this month so far, each month of the contract year, the forecast of the year and its instalments.

import { messageOf, Problem, requestHistory } from "../api.js";
import { dateText, shiftDays, today } from "../calendar.js";
import { drawBars } from "../charts/bars.js";
import { money, price } from "../costs.js";
import { make, pair } from "../dom.js";
import { axisNumber } from "../energyText.js";
import { rounded } from "../exact.js";
import { words } from "../language.js";
import { whenChosen } from "../store.js";
import { historyNote } from "../widgets.js";

/** @type {View} */
export function show(main, _address, signal) {
  const content = make("div.content", historyNote(signal));
  main.append(make("h1.hidden", words.sections.cost), content);
  whenChosen(signal, async () => {
    try {
      const month = await requestHistory("cost", { from: "this_month", bucket: "day" }, signal);
      const [from, to] = yearOf(month);
      const year = await requestHistory("cost", { from, to, bucket: "month" }, signal);
      if (!signal.aborted) await render(content, month, year, signal);
    } catch (error) {
      if (signal.aborted) return;
      const isWithoutContract = error instanceof Problem && error.reason === "no_contract";
      content.replaceChildren(isWithoutContract ? instructions() : make("p.empty.card", messageOf(error)));
    }
  });
}

/** First and last day of the contract year, or of the last twelve months. @param {Api.Cost} cost */
function yearOf({ year }) {
  return year ? [year.begin.slice(0, 10), shiftDays(year.end.slice(0, 10), -1)] : [shiftDays(today(), -364), today()];
}

/** @param {HTMLElement} content @param {Api.Cost} month @param {Api.Cost} year @param {AbortSignal} signal */
async function render(content, month, year, signal) {
  const { currency } = month;
  const forecast = month.year ? forecastCard(month.year, currency)
    : make("section.card", make("h2", words.cost.year), make("p.soft", words.cost.tooEarly));
  content.replaceChildren(make("div.costs", monthCard(month), forecast));
  const caption = make("p.caption", { "aria-live": "polite" });
  const box = make("div.chart");
  content.append(make("section.card.chart-card", make("h2", words.cost.byMonth), caption, box));
  if (month.contract) content.append(contractCard(month.contract, currency));
  const bars = year.buckets.map((bucket) => costBar(bucket));
  const text = (/** @type {number} */ at) => bucketText(year.buckets[at], bars[at], currency);
  await drawBars(box, bars, {
    unit: currency, label: words.cost.byMonth, text, signal, number: axisNumber, middle: true,
    labels: year.buckets.map(({ begin }, at) => [at, dateText(begin.slice(0, 10), { month: "short" })]),
    caption, legend: words.cost.legend,
  });
}

/** @param {Api.CostBucket} bucket @returns {Bar} */
function costBar({ begin, paid }) {
  const amount = paid ? Number(paid.total_amount) : null;
  return {
    up: amount === null ? null : Math.max(0, amount),
    down: amount !== null && amount < 0 ? -amount : null,
    kind: Date.parse(begin) > Date.now() ? "future" : paid ? "complete" : "missing",
  };
}

/** @param {Api.CostBucket} bucket @param {Bar} bar @param {string} currency */
function bucketText({ begin, end, paid }, { kind }, currency) {
  const name = daysText(begin.slice(0, 10), shiftDays(end.slice(0, 10), -1));
  if (!paid) return `${name} · ${kind === "future" ? words.future : words.noData}`;
  const details = parts(paid, currency).map(([part, text]) => `${part} ${text}`).join(", ");
  return `${name} · ${money(paid.total_amount, currency)} (${details})`;
}

/** The name of a month, or the days of a part of one. @param {string} first @param {string} last */
function daysText(first, last) {
  const isMonth = first.slice(8) === "01" && shiftDays(last, 1).slice(8) === "01";
  if (isMonth) return dateText(first, { month: "long", year: "numeric" });
  const end = dateText(last, { day: "numeric", month: "short", year: "numeric" });
  return `${dateText(first, { day: "numeric", month: "short" })} – ${end}`;
}

/** @param {Api.Money} paid @param {string} currency @returns {[string, string][]} */
function parts(paid, currency) {
  /** @type {[string, string][]} */
  const exported = Number(paid.export_amount) ? [[words.toGrid, `−${money(paid.export_amount, currency)}`]] : [];
  return [
    [words.fromGrid, money(paid.import_amount, currency)],
    [words.cost.base, money(paid.base_amount, currency)],
    ...exported,
  ];
}

/** @param {Api.Cost} month */
function monthCard({ begin, total, currency }) {
  return make("section.card", make("h2", words.cost.soFar(dateText(begin.slice(0, 10), { month: "long" }))),
    make("p.middle", money(total.total_amount, currency)),
    make("dl.pairs", parts(total, currency).map(([name, text]) => pair(name, text))));
}

/** @param {Api.ContractYear} year @param {string} currency */
function forecastCard(year, currency) {
  const texts = words.cost;
  const difference = Number(year.difference_amount);
  const hasInstalments = Number(year.instalments_amount) > 0;
  const amount = (/** @type {string} */ value) => money(value, currency);
  const last = shiftDays(year.end.slice(0, 10), -1);
  const max = Math.max(Number(year.total_amount), Number(year.instalments_amount), 1);
  /** @param {string} name @param {string} value @param {string} kind */
  const meter = (name, value, kind) => make("div.versus", { "data-kind": kind },
    make("span", name), make("span.amount", amount(value)),
    make("progress", { max: String(max), value: String(Math.max(0, Number(value))), "aria-label": name }));
  return make("section.card", make("h2", texts.year),
    make("p.middle", amount(year.total_amount)),
    make("p.soft", texts.until(dateText(last, { day: "numeric", month: "long", year: "numeric" })), " ",
      texts.basis[year.basis]),
    hasInstalments && make("div", meter(texts.forecast, year.total_amount, "forecast"),
      meter(texts.instalments, year.instalments_amount, "paid")),
    hasInstalments && make("p.outcome", difference > 0 ? texts.owe(amount(year.difference_amount))
      : texts.refund(amount(String(-difference)))),
    make("dl.pairs", pair(words.fromGrid, `${rounded(year.import_wh, 0, 3)} kWh`),
      Number(year.export_wh) ? pair(words.toGrid, `${rounded(year.export_wh, 0, 3)} kWh`) : null,
      hasInstalments && pair(texts.suggested, amount(String(Number(year.total_amount) / 12)))));
}

/** @param {Api.CurrentContract} contract @param {string} currency */
function contractCard(contract, currency) {
  const texts = words.cost.contract;
  return make("section.card.prose", make("h2", contract.name || texts.title), make("dl.pairs",
    contract.begins > "1970-01-01" && pair(texts.since, dateText(contract.begins, { dateStyle: "long" })),
    pair(texts.energy, `${price(contract.energy_amount, currency)} / kWh`),
    pair(texts.base[contract.base_per], money(contract.base_amount, currency)),
    Number(contract.feed_in_amount) ? pair(texts.feedIn, `${price(contract.feed_in_amount, currency)} / kWh`) : null,
    Number(contract.instalment_amount) ? pair(texts.instalment, money(contract.instalment_amount, currency)) : null));
}

/** How to configure a contract. */
function instructions() {
  const example = `[[contracts]]
begins = ${today().slice(0, 4)}-01-01
energy_price = 0.3265
base_fee = 11.90
feed_in = 0.0811
instalment = 85.00
`;
  return make("section.card.prose", make("h2", words.cost.none), make("p", words.cost.how),
    make("pre", { tabindex: "0" }, example), make("p.soft", words.cost.units));
}
