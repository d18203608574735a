// The budget of a contract year: the cost so far beside the instalments, and where the forecast ends.

import { sum } from "../arithmetic.js";
import { dateText, shiftDays, today } from "../calendar.js";
import { drawBudget } from "../charts/budgetLines.js";
import { legendItem } from "../charts/legend.js";
import { paidUntil } from "../contractYears.js";
import { currencySign, money, requestCost } from "../costs.js";
import { make } from "../dom.js";
import { axisNumber } from "../energyText.js";
import { words } from "../language.js";

/**
 * @typedef {{from: string, to: string, currency: string, instalments: Api.DueInstalment[],
 *   forecast?: Api.CostForecast}} BudgetYear
 */

/** @param {HTMLElement} card @param {BudgetYear} year @param {AbortSignal} signal */
export async function showBudget(card, { from, to, currency, instalments, forecast }, signal) {
  const last = today() < to ? today() : to;
  const answer = await requestCost({ from, to: last, bucket: "day" }, signal);
  if (!answer || signal.aborted) return;
  const texts = words.cost;
  const days = Array.from({ length: 1 + Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000) },
    (_, place) => shiftDays(from, place));
  const paid = paidUntil(instalments, days);
  const cost = costUntil(answer);
  const difference = paid[cost.length - 1] - Number(answer.total.total_amount);
  const caption = make("p.caption", { "aria-live": "polite" });
  const box = make("div.chart");
  const isOver = to < today();
  const [behind, ahead] = isOver ? [texts.wereBehind, texts.wereAhead] : [texts.behind, texts.ahead];
  const outcome = (difference < 0 ? behind : ahead)(money(Math.abs(difference).toFixed(2), currency));
  card.replaceChildren(make("h2", texts.budget), make("p.compared", outcome), caption, box);
  card.hidden = false;
  const amount = (/** @type {number | string} */ value) => money(String(value), currency);
  await drawBudget(box, {
    paid, cost: cost.map(Number), unit: currencySign(currency), label: texts.budget, number: axisNumber, signal,
    caption,
    labels: days.flatMap((day, place) => (day.endsWith("-01") ? [[place, dateText(day, { month: "short" })]] : [])),
    forecast: forecast && {
      total: Number(forecast.total_amount), low: Number(forecast.low_amount ?? forecast.total_amount),
      high: Number(forecast.high_amount ?? forecast.total_amount),
    },
    text: (place) => texts.budgetText(dateText(days[place], { day: "numeric", month: "short", year: "numeric" }),
      place < cost.length ? amount(cost[place]) : words.future, amount(paid[place])),
    legend: [legendItem("money", texts.budgetCost), legendItem("soft", texts.budgetPaid),
      ...(forecast ? [legendItem("fan", texts.budgetRange)] : [])],
  });
}

/**
 * The exact cost from the first day until each day. The last one is the total: it has the energy of gaps, too.
 * @param {import("../costs.js").Billed} answer by day
 */
function costUntil({ buckets, total }) {
  let amount = "0";
  return buckets.map(({ paid }, place) => {
    amount = place === buckets.length - 1 ? total.total_amount : sum([amount, paid?.total_amount]) ?? amount;
    return amount;
  });
}
