// The last hour as a live line: first from history, then from every telegram.

import { requestHistory } from "../api.js";
import { drawLine } from "../charts/line.js";
import { textScale } from "../charts/plot.js";
import { shortTime, time } from "../clock.js";
import { make } from "../dom.js";
import { axisNumber, wattsText } from "../energyText.js";
import { words } from "../language.js";
import { lastReading, pageState, store, subscribe, whenChosen } from "../store.js";
import { GAP_S, HOUR_S, lastHourOf, powerColumns, QUARTER_S } from "./powerColumns.js";

const LINE_POINTS = 720;
// no labels that close to the ends of the axis
const EDGE_S = 270;
const [NARROW_PX, HEIGHT_PX] = [124, 150];

/** @typedef {import("./powerColumns.js").Points} Points */

/** @param {HTMLElement} box @param {AbortSignal} signal */
export function showLastHour(box, signal) {
  const caption = make("p.caption.small");
  const frame = make("div");
  box.append(frame, caption);
  whenChosen(signal, async () => {
    const past = await loadPast(signal).catch(() => ({ times: [], mean: [] }));
    if (!signal.aborted) await draw(frame, caption, past, signal);
  });
}

/** @param {HTMLElement} frame @param {HTMLElement} caption @param {Points} past @param {AbortSignal} signal */
async function draw(frame, caption, past, signal) {
  const merged = () => lastHourOf(past, store.recent.get(store.chosen ?? ""), Date.now() / 1000,
    Math.max(GAP_S, lastReading()?.meter.stale_after_s ?? 0));
  let shown = merged();
  const text = (/** @type {number} */ at) =>
    `${time(shown.times[at] * 1000)} · ${shown.mean[at] === null ? words.noData : wattsText(shown.mean[at] ?? 0)}`;
  const chart = await drawLine(frame, shown, {
    begin: shown.begin, end: shown.end, gaps: shown.gaps, small: true, signal, number: axisNumber,
    label: words.lastHour, height: () => (innerWidth < 560 ? NARROW_PX : HEIGHT_PX) * textScale(), labels: clockLabels,
    text, caption, legend: words.lastHour,
  });
  if (!chart) return;
  let last = 0;
  signal.addEventListener("abort", subscribe(() => {
    const recent = store.recent.get(store.chosen ?? "");
    const newest = recent?.[0].at(-1) ?? 0;
    if (document.hidden || newest === last || pageState() !== "live") return;
    last = newest;
    shown = merged();
    chart.update(shown, shown.begin, shown.end, shown.gaps);
  }));
}

/**
 * Labels every 15 minutes, or 30 on a narrow chart.
 * @param {[number, number]} ends
 * @param {number} width
 */
function clockLabels([from, to], width) {
  const every = width < 270 ? QUARTER_S * 2 : QUARTER_S;
  /** @type {[number, string][]} */
  const labels = [];
  for (let at = Math.ceil(from / every) * every; at < to - EDGE_S; at += every) {
    if (at > from + EDGE_S) labels.push([at, shortTime(at * 1000)]);
  }
  return labels;
}

const quarterOf = (/** @type {number} */ ms) => ms - (ms % (QUARTER_S * 1000));

/** The hour before the page was opened. @param {AbortSignal} signal */
async function loadPast(signal) {
  const end = Date.now();
  const request = (/** @type {number} */ begin) => requestHistory("power", {
    from: new Date(begin).toISOString(), to: new Date(end).toISOString(), points: String(LINE_POINTS),
  }, signal);
  // from the beginning of a quarter-hour: of one that begins earlier no mean would be sent
  const answer = await request(quarterOf(end - HOUR_S * 1000));
  const past = powerColumns(answer);
  if (answer.source === "telegrams") return past;
  // the quarter-hour that has not ended has telegrams alone
  const running = powerColumns(await request(quarterOf(end)));
  return { times: [...past.times, ...running.times], mean: [...past.mean, ...running.mean] };
}
