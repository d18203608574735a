// The base load: what it costs in a year, and how it changed over the weeks.

import { requestHistory } from "../api.js";
import { dateText } from "../calendar.js";
import { drawBars } from "../charts/bars.js";
import { legendItem } from "../charts/legend.js";
import { moneyShort, price } from "../costs.js";
import { make, pair } from "../dom.js";
import { axisNumber, kwhShort } from "../energyText.js";
import { rounded } from "../exact.js";
import { words } from "../language.js";

const watts = (/** @type {string} */ text) => `${rounded(text)} W`;

/** @param {HTMLElement} card @param {AbortSignal} signal */
export async function showStandby(card, signal) {
  const answer = await requestHistory("standby", {}, signal).catch(() => null);
  if (!answer || signal.aborted) return;
  const texts = words.cost.standby;
  card.replaceChildren(make("h2", texts.title));
  const { base_load_w: base, before_w: before, year_wh: energy, year_amount: amount, currency } = answer;
  if (base === undefined) {
    card.append(make("p.soft", texts.none));
    return;
  }
  const caption = make("p.caption", { "aria-live": "polite" });
  const box = make("div.chart");
  card.append(
    make("p.middle", amount === undefined || currency === undefined ? watts(base)
      : texts.text(watts(base), moneyShort(amount, currency))),
    before !== undefined && make("p.compared", texts.before(watts(before))) || "",
    make("dl.pairs", pair(texts.energy, kwhShort(energy)),
      answer.price_amount !== undefined && currency !== undefined
        && pair(texts.price, `${price(answer.price_amount, currency)} / kWh`)),
    make("h3", texts.weeks), caption, box, make("p.soft.how", texts.how));
  /** @type {Bar[]} */
  const bars = answer.weeks.map(({ base_load_w: week }) =>
    ({ up: week === undefined ? null : Number(week), down: null, kind: week === undefined ? "missing" : "complete" }));
  const dayName = (/** @type {string} */ begin) => dateText(begin, { day: "numeric", month: "short" });
  await drawBars(box, bars, {
    unit: "W", label: texts.weeks, signal, number: axisNumber, middle: true, caption,
    // every second week: dates are wide
    labels: answer.weeks.flatMap(({ begin }, at) =>
      ((answer.weeks.length - at) % 2 ? [[at, dayName(begin)]] : [])),
    text: (at) => texts.week(dayName(answer.weeks[at].begin), answer.weeks[at].base_load_w === undefined
      ? words.noData : watts(answer.weeks[at].base_load_w ?? "")),
    legend: [legendItem("imp", words.fromGrid), legendItem("hatch", words.noData)],
  });
}
