// The last hour as a live line: first from history, then from every telegram.

import { requestHistory } from "../api.js";
import { drawLine } from "../charts/line.js";
import { shortTime, time } from "../clock.js";
import { make } from "../dom.js";
import { axisNumber, wattsText } from "../energyText.js";
import { words } from "../language.js";
import { pageState, store, subscribe, whenChosen } from "../store.js";
import { HOUR_S, lastHourOf, powerColumns } from "./powerColumns.js";

const LINE_POINTS = 720;
const QUARTER_S = 900;
// no labels that close to the ends of the axis
const EDGE_S = 270;
const HEIGHT_PX = 140;

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
  let shown = lastHourOf(past, store.recent.get(store.chosen ?? ""));
  const text = (/** @type {number} */ at) =>
    `${time(shown.times[at] * 1000)} · ${wattsText(shown.mean[at] ?? 0)}`;
  const chart = await drawLine(frame, shown, {
    begin: shown.begin, end: shown.end, small: true, signal, number: axisNumber, label: words.lastHour,
    height: () => (innerWidth < 560 ? 92 : HEIGHT_PX), labels: clockLabels, text, caption,
    legend: words.lastHour,
  });
  if (!chart) return;
  let last = 0;
  signal.addEventListener("abort", subscribe(() => {
    const recent = store.recent.get(store.chosen ?? "");
    const newest = recent?.[0].at(-1) ?? 0;
    if (document.hidden || newest === last || pageState() !== "live") return;
    last = newest;
    shown = lastHourOf(past, recent);
    chart.update(shown, shown.begin, shown.end);
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

/** The hour before the page was opened. @param {AbortSignal} signal */
async function loadPast(signal) {
  const end = Date.now();
  const answer = await requestHistory("power", {
    from: new Date(end - HOUR_S * 1000).toISOString(), to: new Date(end).toISOString(), points: String(LINE_POINTS),
  }, signal);
  return powerColumns(answer);
}
