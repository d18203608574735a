// Cost: the month and the contract year with forecasts, each month, the budget, the base load, prices, the contract.

import { requestHistory } from "../api.js";
import { dateRange, dateText, shiftDays, today } from "../calendar.js";
import { drawBars } from "../charts/bars.js";
import { legendItem } from "../charts/legend.js";
import { currentYear, isComparable } from "../contractYears.js";
import { currencySign, money, requestCost } from "../costs.js";
import { make } from "../dom.js";
import { axisNumber } from "../energyText.js";
import { failureCard } from "../failure.js";
import { icon } from "../icons.js";
import { words } from "../language.js";
import { link, navigate } from "../router.js";
import { isPlant, store, whenChosen } from "../store.js";
import { reloadForPart, reloadPage } from "../stream.js";
import { costPages } from "../toolbar.js";
import { historyNote } from "../widgets.js";
import { showBudget } from "./budget.js";
import { contractCard, monthCard, parts, pastYearCard, yearCard } from "./costCards.js";

/** @typedef {import("../costs.js").Billed} Billed */

/** @type {View} */
export async function show(main, { parts: [part] }, signal) {
  if (part === "contract") {
    const form = await import("./contractForm.js").catch(reloadPage);
    if (form && !signal.aborted) form.showContractForm(main, signal);
    return;
  }
  const content = make("div.content", make("h1.hidden", words.sections.cost), historyNote(signal));
  main.append(costPages("cost"), content);
  whenChosen(signal, async () => {
    try {
      const month = await requestHistory("cost", { from: "this_month", bucket: "month" }, signal);
      if (!month.total || !month.currency) content.replaceChildren(await instructions());
      else await render(content, /** @type {Billed} */ (month), part ?? "", signal);
    } catch (error) {
      if (!signal.aborted) content.replaceChildren(failureCard(error));
    }
  });
}

/**
 * @param {HTMLElement} content
 * @param {Billed} month
 * @param {string} wanted the beginning of the year in the address: 2025-03-01, or 2025 for the first one in it
 * @param {AbortSignal} signal
 */
async function render(content, month, wanted, signal) {
  const { currency, contract } = month;
  const answer = await requestHistory("contract-years", {}, signal);
  const { years, place } = chosenYear(answer.years, wanted);
  const shown = years[place];
  const [from, to] = [shown.begin, shiftDays(shown.end, -1)];
  const [year, forecasts] = await Promise.all([
    requestCost({ from, to, bucket: "month" }, signal),
    place === years.length - 1 ? requestHistory("forecast", {}, signal) : null,
  ]);
  if (signal.aborted || !year) return;
  const hasData = year.buckets.some(({ paid }) => paid);
  content.replaceChildren(
    yearStepper(years, place),
    forecasts ? make("div.costs", monthCard(month, forecasts), yearCard(year, forecasts, shown))
      : hasData ? pastYearCard(year, shown) : make("p.empty.card", words.cost.nothingBilled),
  );
  if (hasData) await monthsChart(content, year, signal);
  const budget = make("section.card.chart-card", { hidden: true });
  content.append(budget);
  if (hasData && Number(shown.instalments_amount) > 0 && isComparable(year, shown)) {
    await showBudget(budget, { from, to, currency, instalments: shown.instalments, forecast: forecasts?.year }, signal);
  }
  if (forecasts && contract && !signal.aborted) {
    await showContract(content, contractCard(contract, currency, month.counts_from), signal);
  }
}

/**
 * The place of the wanted year, by default the last; a first contract of the future has no year yet.
 * @param {Api.PastYear[]} known
 * @param {string} wanted
 */
function chosenYear(known, wanted) {
  const years = known.length ? known : [currentYear(today())];
  const place = wanted ? years.findIndex(({ begin }) => begin.startsWith(wanted)) : -1;
  return { years, place: place < 0 ? years.length - 1 : place };
}

/** The prices of the contract, and the base load. @param {HTMLElement} content @param {HTMLElement} card */
async function showContract(content, card, /** @type {AbortSignal} */ signal) {
  const prices = make("section.card.chart-card", { hidden: true });
  const standby = make("section.card.chart-card.standby");
  content.append(prices, make("div.costs", card, standby));
  const loaded = await Promise.all([import("./standby.js"), import("./priceCurve.js")]).catch(reloadForPart);
  if (!loaded || signal.aborted) return;
  const [{ showStandby }, { showPrices }] = loaded;
  await Promise.all([showStandby(standby, signal), showPrices(prices, signal)]);
}

/** @param {Api.PastYear[]} years @param {number} shown the place of a year */
function yearStepper(years, shown) {
  const { begin, end } = years[shown];
  const isCalendarYear = begin.endsWith("-01-01") && end.endsWith("-01-01");
  const title = isCalendarYear ? begin.slice(0, 4)
    : dateRange(begin, shiftDays(end, -1), { day: "numeric", month: "short", year: "numeric" });
  /** @param {number} place @param {Attributes<HTMLButtonElement>} attributes @param {SVGElement} sign */
  const button = (place, attributes, sign) => make("button.step", { type: "button", disabled: !years[place],
    ...attributes, onclick: () => navigate("cost", place === years.length - 1 ? [] : [years[place].begin]) }, sign);
  return make("div.stepper",
    button(shown - 1, { "aria-label": words.cost.earlierYear, "data-key": "ArrowLeft" }, icon("left")),
    button(shown + 1, { "aria-label": words.cost.laterYear, "data-key": "ArrowRight" }, icon("right")),
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

/** Where to enter a contract; the meter of a solar plant needs none. */
async function instructions() {
  if (isPlant(store.chosen)) {
    const solar = await import("../solarWords.js").catch(reloadPage);
    return make("p.empty.card", solar ? solar.solarWords.noCost : "");
  }
  return make("section.card.prose", make("h1", words.cost.none), make("p", words.cost.how),
    make("p", make("a", { href: link("cost", ["contract"]) }, words.cost.enter)));
}
