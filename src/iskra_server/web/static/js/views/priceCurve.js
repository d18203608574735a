// The price of today and tomorrow beside the own use in the same quarter-hours, with the cheapest hours ahead.

import { requestHistory } from "../api.js";
import { dateText, localClock, QUARTER_MS, shiftDays, today, wallTimeRange } from "../calendar.js";
import { drawBars } from "../charts/bars.js";
import { legendItem } from "../charts/legend.js";
import { currencySign, price } from "../costs.js";
import { make } from "../dom.js";
import { axisNumber, chartKwh, kwh } from "../energyText.js";
import { words } from "../language.js";

const HOURS = [1, 2, 3, 4];
// the time that history needs to record a quarter-hour that has ended
const RECORDING_MS = 5_000;

/** @typedef {Api.MeterAnswers["prices"]} Answer */
/** @typedef {Answer & {currency: string}} Priced */

/** The card stays hidden without a price that changes. @param {HTMLElement} card @param {AbortSignal} signal */
export async function showPrices(card, signal) {
  let hours = HOURS[0];
  let drawing = new AbortController();
  signal.addEventListener("abort", () => drawing.abort());
  /** @param {Priced} prices @param {Api.Quarters} used */
  const draw = async (prices, used) => {
    drawing.abort();
    drawing = new AbortController();
    card.hidden = false;
    await fill(card, prices, used, hours, (next) => { hours = next; draw(prices, used); }, drawing.signal);
  };
  async function refresh() {
    const query = { from: today(), to: shiftDays(today(), 1) };
    const [prices, used] = await Promise.all([
      requestHistory("prices", query, signal), requestHistory("quarters", query, signal),
    ]).catch(() => []);
    if (signal.aborted || !prices || !used || !isChanging(prices)) return;
    await draw(/** @type {Priced} */ (prices), used);
  }
  await refresh();
  if (signal.aborted) return;
  const next = QUARTER_MS - (Date.now() % QUARTER_MS) + RECORDING_MS;
  let timer = setTimeout(function repeat() { refresh(); timer = setTimeout(repeat, QUARTER_MS); }, next);
  signal.addEventListener("abort", () => clearTimeout(timer));
}

const isChanging = (/** @type {Answer} */ { currency, import_amount: amounts }) =>
  currency !== undefined && new Set(amounts.filter((amount) => amount !== null)).size > 1;

/**
 * @param {HTMLElement} card
 * @param {Priced} prices
 * @param {Api.Quarters} used
 * @param {number} hours of the window that is marked
 * @param {(hours: number) => void} choose
 * @param {AbortSignal} signal
 */
async function fill(card, prices, used, hours, choose, signal) {
  const texts = words.cost.prices;
  const caption = make("p.caption", { "aria-live": "polite" });
  const [curve, own] = [make("div.chart"), make("div.chart")];
  const cheap = prices.cheapest.find((cheapest) => cheapest.hours === hours);
  const pressed = card.contains(document.activeElement) && document.activeElement?.getAttribute("aria-pressed");
  const switches = HOURS.map((count) => make("button", {
    type: "button", "aria-pressed": String(count === hours), "aria-label": texts.hours(count),
    onclick: () => choose(count),
  }, `${count} h`));
  // no node of the drawing before stays: it has listeners and a chart of older prices
  card.replaceChildren(...make("div",
    make("div.card-head", make("h2", texts.title),
      make("div.switch", { role: "group", "aria-label": texts.cheapest }, switches)),
    make("p.compared", `${texts.cheapest}: `, cheap ? windowText(cheap, prices.currency) : texts.noWindow),
    caption, curve, make("h3", texts.own), own,
    prices.import_amount.at(-1) === null && make("p.soft.how", texts.untilTomorrow)).childNodes);
  if (pressed) switches[hours - 1].focus();
  const clock = localClock(prices.tz);
  const begin = Date.parse(prices.begin);
  const at = (/** @type {number} */ place) => begin + place * QUARTER_MS;
  const [from, to] = cheap ? [Date.parse(cheap.begin), Date.parse(cheap.end)] : [0, 0];
  const labels = labelsOf(prices.import_amount.map((_, place) => clock(at(place))[1]));
  const name = (/** @type {number} */ place) => {
    const [[day, start], [, end]] = [clock(at(place)), clock(at(place + 1))];
    return `${dayName(day)}, ${wallTimeRange(`${day}T${start}:00`, `${day}T${end}:00`)}`;
  };
  /** @type {Bar[]} */
  const bars = prices.import_amount.map((amount, place) => ({
    up: amount === null ? null : Math.max(0, Number(amount)),
    down: amount !== null && Number(amount) < 0 ? -Number(amount) : null,
    kind: amount === null ? "future" : "complete",
    ink: from <= at(place) && at(place) < to ? "money" : "soft",
  }));
  const text = (/** @type {number} */ place) => {
    const [amount, energy] = [prices.import_amount[place], used.import_wh[place] ?? null];
    return [name(place), amount === null ? texts.unknown : `${price(amount, prices.currency)} / kWh`,
      energy === null ? "" : `${words.fromGrid} ${kwh(energy)}`].filter(Boolean).join(" · ");
  };
  const legend = [legendItem("soft", texts.price), legendItem("money", texts.cheap(String(hours))),
    legendItem("imp", words.fromGrid)];
  const options = { labels, text, signal, number: axisNumber, caption, legend };
  await drawBars(curve, bars, {
    ...options, unit: `${currencySign(prices.currency)}/kWh`, label: texts.title,
  });
  await drawBars(own, used.import_wh.map((energy, place) => usedBar(energy, at(place + 1))), {
    ...options, unit: "kWh", label: texts.own,
  });
}

/** @param {string | null} energy @param {number} end @returns {Bar} */
const usedBar = (energy, end) => ({
  up: chartKwh(energy ?? undefined), down: null,
  kind: energy !== null ? "complete" : end > Date.now() - QUARTER_MS ? "future" : "missing",
});

const dayName = (/** @type {string} */ day) => (day === today() ? words.today : day === shiftDays(today(), 1)
  ? words.cost.prices.tomorrow : dateText(day, { weekday: "short" }));

/** @param {Priced["cheapest"][number]} cheap @param {string} currency */
const windowText = ({ begin, end, price: mean }, currency) =>
  words.cost.prices.window(dayName(begin.slice(0, 10)), wallTimeRange(begin, end), price(String(mean), currency));

/** Every third hour of one day, every sixth of two. @param {string[]} clocks @returns {[number, string][]} */
function labelsOf(clocks) {
  const step = clocks.length > 100 ? 6 : 3;
  return clocks.flatMap((clock, place) =>
    (clock.endsWith(":00") && Number(clock.slice(0, 2)) % step === 0 ? [[place, clock.slice(0, 2)]] : []));
}
