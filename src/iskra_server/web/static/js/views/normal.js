// Is that normal? What was switched on just now, one appliance measured, today on its typical day, highest quarters.

import { requestHistory } from "../api.js";
import { dateText, instantOf, QUARTER_MS, today, wallTime, weekday } from "../calendar.js";
import { drawLine } from "../charts/line.js";
import { shortTime, time } from "../clock.js";
import { make, setContent, setTitle } from "../dom.js";
import { axisNumber, wattsText } from "../energyText.js";
import { rounded } from "../exact.js";
import { failureText } from "../failure.js";
import { words } from "../language.js";
import { normalWords } from "../normalWords.js";
import { whenChosen } from "../store.js";
import { table } from "../table.js";
import { localQuarters } from "../todayStats.js";
import { kindsBar } from "../toolbar.js";
import { historyNote } from "../widgets.js";
import { measureCard } from "./measureCard.js";

const STEPS_EVERY_MS = 15_000;
const STEPS_MS = 15 * 60_000;
const MAX_STEPS = 12;
const WEEKS = 8;
const QUARTERS_PER_HOUR = 4;

/** @type {View} */
export function show(main, _address, signal) {
  const steps = make("div", historyNote(signal, "p.soft"));
  const day = make("div", historyNote(signal, "p.soft"));
  const months = make("div", historyNote(signal, "p.soft"));
  setTitle(normalWords.title);
  const waiting = historyNote(signal);
  main.append(kindsBar("normal", today()), make("h1", normalWords.title), waiting);
  whenChosen(signal, () => {
    waiting.remove();
    main.append(make("div.sides",
      make("section.card", make("h2", normalWords.steps), make("p.soft.note", normalWords.stepsNote), steps),
      measureCard(signal)),
    make("section.card.chart-card", make("h2", normalWords.typical(dateText(today(), { weekday: "long" }))), day),
    make("section.card", make("h2", normalWords.highest), make("p.soft.note", normalWords.highestNote), months));
    showSteps(steps, signal);
    fill(day, signal, () => showDay(day, signal));
    fill(months, signal, () => showMonths(months, signal));
  });
}

/** @param {HTMLElement} box @param {AbortSignal} signal @param {() => Promise<void>} load */
async function fill(box, signal, load) {
  try {
    await load();
  } catch (error) {
    if (!signal.aborted) box.replaceChildren(make("p", { role: "alert" }, failureText(error)));
  }
}

/** Again and again: history follows within a minute. @param {HTMLElement} box @param {AbortSignal} signal */
function showSteps(box, signal) {
  const load = () => fill(box, signal, async () => {
    const now = Date.now();
    const from = new Date(now - STEPS_MS).toISOString();
    const answer = await requestHistory("steps", { from, to: new Date(now).toISOString() }, signal);
    if (!signal.aborted) setContent(box, stepsContent(answer));
  });
  load();
  const timer = setInterval(() => { if (!document.hidden) load(); }, STEPS_EVERY_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
}

/** @param {Api.Steps} answer */
function stepsContent({ steps, until }) {
  if (until === undefined) return make("p", normalWords.noTelegrams);
  if (!steps.length) return make("p", normalWords.noSteps(time(Date.parse(until))));
  return make("ul.changes", steps.slice(-MAX_STEPS).reverse().map(({ at, change_w: change, after_w: after }) => {
    const sign = change.startsWith("-") ? "" : "+";
    return make("li", make("strong", `${sign}${rounded(change)} W`),
      ` ${normalWords.stepAt(time(Date.parse(at)), `${rounded(after)} W`)}`);
  }));
}

/** @param {HTMLElement} box @param {AbortSignal} signal */
async function showDay(box, signal) {
  const [typical, quarters] = await Promise.all([
    requestHistory("typical-day", { weeks: String(WEEKS) }, signal),
    requestHistory("quarters", { from: "today" }, signal),
  ]);
  if (signal.aborted) return;
  const { days, median_w: medians, low_w: lows, high_w: highs } = typical.weekdays[weekday(today()) - 1];
  if (medians.every((watts) => watts === null)) { box.replaceChildren(make("p", normalWords.fewDays)); return; }
  const local = localQuarters(quarters);
  const place = local.map(({ clock }) => {
    const [hour, minute] = clock.split(":").map(Number);
    return hour * QUARTERS_PER_HOUR + Math.floor(minute / 15);
  });
  const number = (/** @type {unknown} */ watts) => (watts == null ? null : Number(watts));
  const column = (/** @type {unknown[]} */ values) => place.map((at) => number(values[at]));
  const [median, min, max] = [medians, lows, highs].map(column);
  const mean = local.map(({ imported }) => (imported === null ? null : Number(imported) * QUARTERS_PER_HOUR));
  const begin = local[0].at / 1000;
  const end = (local.at(-1)?.at ?? local[0].at) / 1000 + QUARTER_MS / 1000;
  const caption = make("p.caption", { "aria-live": "polite" });
  const frame = make("div.chart");
  box.replaceChildren(caption, frame);
  const watts = (/** @type {number | null} */ value) => (value === null ? "–" : wattsText(value));
  await drawLine(frame, { times: local.map(({ at }) => at / 1000), mean, min, max }, {
    begin, end, signal, number: axisNumber, caption, label: normalWords.typical(dateText(today(), { weekday: "long" })),
    legend: normalWords.legend(days, dateText(today(), { weekday: "long" })),
    text: (at) => normalWords.quarter(shortTime(local[at].at), watts(mean[at]), watts(median[at]),
      `${watts(min[at])} – ${watts(max[at])}`),
    labels: local.filter(({ clock }) => clock.endsWith(":00") && Number(clock.slice(0, 2)) % 3 === 0)
      .map(({ at, clock }) => [at / 1000, clock.slice(0, 2)]),
  });
}

/** @param {HTMLElement} box @param {AbortSignal} signal */
async function showMonths(box, signal) {
  const year = Number(today().slice(0, 4)) - 1;
  const from = new Date(instantOf(`${year}${today().slice(4, 7)}-01`, "00:00")).toISOString();
  const { months } = await requestHistory("highest-quarters", { from, to: "today" }, signal);
  if (signal.aborted) return;
  if (!months.length) { box.replaceChildren(make("p", words.nothingRecorded)); return; }
  const rows = [...months].reverse().map(({ month, begin, power_w: power }) => [
    dateText(`${month}-01`, { month: "short", year: "numeric" }), `${rounded(power)} W`,
    `${dateText(begin.slice(0, 10), { weekday: "short", day: "numeric", month: "short" })} ${wallTime(begin)}`,
  ]);
  box.replaceChildren(table(normalWords.columns, rows));
}
