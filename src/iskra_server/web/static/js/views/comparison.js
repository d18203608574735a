// What would it have cost? Contracts side by side on the own quarter-hours of a period.

import { requestHistory } from "../api.js";
import { sum } from "../arithmetic.js";
import { dateRange, dateText, shiftDays, today } from "../calendar.js";
import { drawBars } from "../charts/bars.js";
import { legendItem } from "../charts/legend.js";
import { comparisonWords } from "../comparisonWords.js";
import { currencySign, money } from "../costs.js";
import { make } from "../dom.js";
import { axisNumber, roundedKwh } from "../energyText.js";
import { decimal } from "../exact.js";
import { failureCard } from "../failure.js";
import { words } from "../language.js";
import { navigate } from "../router.js";
import { whenChosen } from "../store.js";
import { table } from "../table.js";
import { costPages } from "../toolbar.js";
import { historyNote } from "../widgets.js";
import { contractCard, displayName } from "./comparedContract.js";
import { dynamicForm, PRICES } from "./dynamicOffer.js";

/** @typedef {Api.MeterAnswers["compare-contracts"]} Comparison */

const YEAR_DAYS = 365;
const DAY = /^\d{4}-\d\d-\d\d$/;

/** @type {View} */
export function show(main, { parts: [fromText, toText], query }, signal) {
  const isDay = (/** @type {string | undefined} */ text) => Boolean(text && DAY.test(text));
  const [from, to] = isDay(fromText) && isDay(toText) ? [fromText, toText]
    : [shiftDays(today(), -YEAR_DAYS), shiftDays(today(), -1)];
  const numbers = Object.fromEntries(["zone", ...PRICES].flatMap((name) => {
    const value = query.get(name);
    return value === null ? [] : [[name, value]];
  }));
  const content = make("div.content", historyNote(signal));
  main.append(
    costPages("contracts"), make("h1", words.titles.contracts), periodForm(from, to, numbers), content);
  whenChosen(signal, async () => {
    try {
      const answer = await requestHistory("compare-contracts", { from, to, ...numbers }, signal);
      if (!signal.aborted) await render(content, answer, numbers, [from, to], signal);
    } catch (error) {
      if (!signal.aborted) content.replaceChildren(failureCard(error));
    }
  });
}

/**
 * The period: the last twelve months, a calendar year, or two days.
 * @param {string} from
 * @param {string} to
 * @param {Record<string, string>} numbers
 */
function periodForm(from, to, numbers) {
  const texts = comparisonWords;
  const open = (/** @type {string[]} */ days) => navigate("contracts", days, numbers);
  const year = Number(today().slice(0, 4));
  /** @type {[string, string[]][]} */
  const periods = [
    [texts.lastYear, [shiftDays(today(), -YEAR_DAYS), shiftDays(today(), -1)]],
    ...[0, 1, 2].map((ago) => /** @type {[string, string[]]} */ (
      [String(year - ago), [`${year - ago}-01-01`, `${year - ago}-12-31`]])),
    [texts.tenYears, [`${year - 10}-01-01`, shiftDays(today(), -1)]],
  ];
  const chosen = periods.findIndex(([, [first, last]]) => first === from && last === to);
  const select = make("select", { "aria-label": texts.period, onchange: ({ target }) => {
    const period = periods[Number(target.value)];
    if (period) open(period[1]);
  } }, periods.map(([name], at) => make("option", { value: at, selected: at === chosen }, name)),
  chosen < 0 ? make("option", { value: "", selected: true }, texts.ownPeriod) : null);
  const day = (/** @type {string} */ label, /** @type {string} */ value) =>
    make("input", { type: "date", "aria-label": label, value, max: today(), required: true });
  const [first, last] = [day(texts.from, from), day(texts.to, to)];
  return make("form.compare-period", { onsubmit: (event) => {
    event.preventDefault();
    if (first.value && last.value) open([first.value, last.value].sort());
  } }, select, make("span.days", first, make("span", { "aria-hidden": "true" }, "–"), last),
  make("button", { type: "submit" }, texts.compare));
}

/**
 * @param {HTMLElement} content
 * @param {Comparison} answer
 * @param {Record<string, string>} numbers
 * @param {string[]} days
 * @param {AbortSignal} signal
 */
async function render(content, answer, numbers, days, signal) {
  const { contracts } = answer;
  const form = dynamicForm(answer, Boolean(numbers.zone), (query) => navigate("contracts", days, query));
  if (!answer.months.length) {
    content.replaceChildren(make("p.empty.card", comparisonWords.notMeasured));
    return;
  }
  content.replaceChildren(summary(answer), contracts.length
    ? make("div.offers", contracts.map((contract) => contractCard(contract, answer))) : noContracts());
  if (contracts.length) await monthsCard(content, answer, signal);
  if (!signal.aborted) content.append(form);
}

/** What the comparison says, in sentences: the verdict first, then what it leaves open. @param {Comparison} answer */
function summary(answer) {
  const texts = comparisonWords;
  const [own, ...others] = answer.contracts;
  const period = dateRange(answer.begin.slice(0, 10), shiftDays(answer.end.slice(0, 10), -1), { dateStyle: "medium" });
  const verdict = others.length && own && answer.verdict !== "refused" ? verdictOf(own, others, answer.currency) : null;
  const estimated = Number(answer.estimated_import_wh) + Number(answer.estimated_export_wh);
  const share = decimal(answer.estimated_percent, 1);
  const missing = answer.contracts.filter((contract) => Number(contract.unpriced_import_wh) > 0);
  return make("section.card.prose",
    verdict && make("p.conclusion", verdict),
    answer.verdict === "refused" && make("p.conclusion", texts.refused(share)),
    answer.verdict === "estimated" && make("p.caution", texts.caution(share)),
    !answer.has_year && make("p.caution", texts.short(String(answer.days))),
    missing.length > 0 && make("p.caution", texts.unpriced(missing.map(displayName).join(", "))),
    make("p.soft", texts.basis(period, roundedKwh(answer.import_wh)),
      estimated > 0 ? ` ${texts.estimated(roundedKwh(String(estimated)), share)}` : "", " ", texts.byQuarters));
}

/**
 * @param {Api.ComparedContract} own
 * @param {Api.ComparedContract[]} others
 * @param {string} currency
 */
function verdictOf(own, others, currency) {
  const texts = comparisonWords;
  const known = others.filter((contract) => contract.difference_amount !== undefined);
  if (!known.length) return null;
  const best = known.reduce((left, right) => (difference(right) < difference(left) ? right : left));
  const amount = money(String(Math.abs(difference(best))), currency);
  if (difference(best) < 0) return texts.cheaper(displayName(best), amount, displayName(own));
  return texts.cheapest(displayName(own), displayName(best), amount);
}

const difference = (/** @type {Api.ComparedContract} */ { difference_amount: amount }) => Number(amount);

function noContracts() {
  const texts = comparisonWords;
  const example = `[[offers]]
name = "Example"
energy_price = 0.2990
base_fee = 12.50
`;
  return make("section.card.prose", make("h2", texts.none), make("p", texts.how),
    make("pre", { tabindex: "0" }, example), make("p.soft", texts.howDynamic));
}

/** @param {HTMLElement} content @param {Comparison} answer @param {AbortSignal} signal */
async function monthsCard(content, answer, signal) {
  const texts = comparisonWords;
  const { contracts, currency } = answer;
  const names = answer.months.map(({ begin }) => begin.slice(0, 10));
  const caption = make("p.caption", { "aria-live": "polite" });
  const box = make("div.chart");
  const select = make("select", { "aria-label": texts.shown, onchange: ({ target }) => draw(Number(target.value)) },
    contracts.map((contract, at) => make("option", { value: at, selected: at === contracts.length - 1 },
      displayName(contract))));
  content.append(make("section.card.chart-card", make("div.card-head", make("h2", texts.byMonth),
    contracts.length > 1 && select), caption, box),
  make("section.card", make("h2", texts.everyMonth), table([texts.month, words.fromGrid, ...contracts.map(displayName)],
    answer.months.map((month, at) => [dateText(names[at], { month: "short", year: "numeric" }),
      roundedKwh(sum([month.import_wh, month.estimated_import_wh]) ?? "0"),
      ...contracts.map(({ months }) => money(months[at].total_amount, currency))]))));
  let shown = new AbortController();
  signal.addEventListener("abort", () => shown.abort());

  /** The own contract by its cost, the others by what they cost more or less. @param {number} place */
  async function draw(place) {
    shown.abort();
    shown = new AbortController();
    box.replaceChildren();
    const isDifference = place > 0 && contracts[place].difference_amount !== undefined;
    const amounts = contracts[place].months.map(({ total_amount: total }, at) =>
      Number(total) - (isDifference ? Number(contracts[0].months[at].total_amount) : 0));
    /** @type {Bar[]} */
    const bars = amounts.map((amount) => ({
      up: amount >= 0 ? amount : null, down: amount < 0 ? -amount : null, kind: "complete",
      ...(isDifference ? {} : { ink: /** @type {const} */ ("money") }),
    }));
    const amountText = (/** @type {number} */ at) => {
      const text = money(Math.abs(amounts[at]).toFixed(2), currency);
      return !isDifference ? money(amounts[at].toFixed(2), currency)
        : amounts[at] < 0 ? texts.less(text) : texts.more(text);
    };
    await drawBars(box, bars, {
      unit: currencySign(currency), label: texts.byMonth, signal: shown.signal, number: axisNumber, middle: true,
      text: (at) => `${monthText(names[at])} · ${displayName(contracts[place])}: ${amountText(at)}`,
      labels: names.map((day, at) => [at, dateText(day, { month: "short" })]), caption,
      legend: isDifference
        ? [legendItem("imp", texts.costsMore(displayName(contracts[0]))),
          legendItem("exp", texts.costsLess(displayName(contracts[0])))]
        : [legendItem("money", texts.total)],
    });
  }
  await draw(contracts.length - 1);
}

const monthText = (/** @type {string} */ day) => dateText(day, { month: "long", year: "numeric" });
