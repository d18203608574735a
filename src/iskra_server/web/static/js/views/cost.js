// Cost: the month and the contract year with forecasts, each month, the budget, the base load, prices, the contract.

import { requestHistory } from "../api.js";
import { dateRange, dateText, shiftDays, today } from "../calendar.js";
import { drawBars } from "../charts/bars.js";
import { legendItem } from "../charts/legend.js";
import { contractYear, contractYearOf } from "../contractYears.js";
import { currencySign, money, requestCost } from "../costs.js";
import { make } from "../dom.js";
import { axisNumber } from "../energyText.js";
import { failureCard } from "../failure.js";
import { icon } from "../icons.js";
import { words } from "../language.js";
import { link, navigate } from "../router.js";
import { whenChosen } from "../store.js";
import { costPages } from "../toolbar.js";
import { historyNote } from "../widgets.js";
import { showBudget } from "./budget.js";
import { contractCard, monthCard, parts, yearCard } from "./costCards.js";

/** @typedef {import("../costs.js").Billed} Billed */

/** @type {View} */
export async function show(main, { parts: [part] }, signal) {
  if (part === "contract") {
    const { showContractForm } = await import("./contractForm.js");
    showContractForm(main, signal);
    return;
  }
  const content = make("div.content", make("h1.hidden", words.sections.cost), historyNote(signal));
  main.append(costPages("cost"), content);
  whenChosen(signal, async () => {
    try {
      const month = await requestHistory("cost", { from: "this_month", bucket: "month" }, signal);
      if (!month.total || !month.currency) content.replaceChildren(instructions());
      else await render(content, /** @type {Billed} */ (month), Number(part) || 0, signal);
    } catch (error) {
      if (!signal.aborted) content.replaceChildren(failureCard(error));
    }
  });
}

/** @param {HTMLElement} content @param {Billed} month @param {number} wanted the year in the address, 0: the current */
async function render(content, month, wanted, /** @type {AbortSignal} */ signal) {
  const { currency, contract } = month;
  const begins = contract?.begins ?? today();
  const current = contractYearOf(begins, today());
  const shown = wanted && wanted < current ? wanted : current;
  const [from, to] = contractYear(begins, shown);
  const [year, forecasts] = await Promise.all([
    requestCost({ from, to, bucket: "month" }, signal),
    shown === current ? requestHistory("forecast", {}, signal) : null,
  ]);
  if (signal.aborted || !year) return;
  const hasData = year.buckets.some(({ paid }) => paid);
  content.replaceChildren(
    yearStepper(from, to, shown, current, hasData),
    forecasts ? make("div.costs", monthCard(month, forecasts), yearCard(year, forecasts, contract))
      : hasData ? yearCard(year, null) : make("p.empty.card", words.cost.nothingBilled),
  );
  if (hasData) await monthsChart(content, year, signal);
  if (!forecasts || !contract) return;
  const budget = make("section.card.chart-card", { hidden: true });
  const prices = make("section.card.chart-card", { hidden: true });
  const standby = make("section.card.chart-card.standby");
  content.append(budget, prices, make("div.costs", contractCard(contract, currency), standby));
  if (Number(contract.instalment_amount) > 0) {
    await showBudget(budget, { from, to, contract, currency, forecast: forecasts.year }, signal);
  }
  const [{ showStandby }, { showPrices }] = await Promise.all([import("./standby.js"), import("./priceCurve.js")]);
  await Promise.all([showStandby(standby, signal), showPrices(prices, signal)]);
}

/** @param {string} from @param {string} to @param {number} shown @param {number} current @param {boolean} hasData */
function yearStepper(from, to, shown, current, hasData) {
  const title = from.slice(5) === "01-01" ? from.slice(0, 4)
    : dateRange(from, to, { day: "numeric", month: "short", year: "numeric" });
  /** @param {number} year @param {Attributes<HTMLButtonElement>} attributes @param {SVGElement} sign */
  const button = (year, attributes, sign) => make("button.step", { type: "button", ...attributes,
    onclick: () => navigate("cost", year === current ? [] : [String(year)]) }, sign);
  return make("div.stepper",
    button(shown - 1, { "aria-label": words.cost.earlierYear, "data-key": "ArrowLeft", disabled: !hasData },
      icon("left")),
    button(shown + 1, { "aria-label": words.cost.laterYear, "data-key": "ArrowRight", disabled: shown === current },
      icon("right")),
    make("h1", { "aria-live": "polite" }, title));
}

/** @param {HTMLElement} content @param {Billed} year @param {AbortSignal} signal */
async function monthsChart(content, { buckets, currency }, signal) {
  const caption = make("p.caption", { "aria-live": "polite" });
  const box = make("div.chart");
  content.append(make("section.card.chart-card", make("h2", words.cost.byMonth), caption, box));
  const bars = buckets.map((bucket) => costBar(bucket));
  await drawBars(box, bars, {
    unit: currencySign(currency), label: words.cost.byMonth, signal, number: axisNumber, middle: true,
    text: (at) => bucketText(buckets[at], bars[at], currency),
    labels: buckets.map(({ begin }, at) => [at, dateText(begin.slice(0, 10), { month: "short" })]),
    caption, legend: [legendItem("money", words.cost.legend), legendItem("hatch", words.noData)],
  });
}

/** @param {Api.CostBucket} bucket @returns {Bar} */
function costBar({ begin, paid }) {
  const amount = paid ? Number(paid.total_amount) : null;
  return {
    up: amount === null ? null : Math.max(0, amount),
    down: amount !== null && amount < 0 ? -amount : null,
    kind: Date.parse(begin) > Date.now() ? "future" : paid ? "complete" : "missing",
    ink: "money",
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
  return dateRange(first, last, { day: "numeric", month: "short", year: "numeric" });
}

/** Where to enter a contract. */
function instructions() {
  return make("section.card.prose", make("h1", words.cost.none), make("p", words.cost.how),
    make("p", make("a", { href: link("cost", ["contract"]) }, words.cost.enter)));
}
