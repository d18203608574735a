// The last hour as a live line: what history has of it, then every telegram.

import { askMeter } from "../api.js";
import { line } from "../charts/line.js";
import { shortTime, time } from "../clock.js";
import { make, say } from "../dom.js";
import { rounded } from "../exact.js";
import { words } from "../language.js";
import { axisNumber } from "../measured.js";
import { follow, state, store, whenChosen } from "../store.js";

const HOUR_S = 3600;
const LINE_POINTS = 720;
const QUARTER_S = 900;
const EDGE_S = 270;

export async function lastHour(box, signal) {
  const told = make("p.told.small");
  const frame = make("div");
  box.append(frame, told);
  let past = { times: [], mean: [] };
  let chart = null;
  whenChosen(signal, async () => {
    past = await hourBefore(signal).catch(() => past);
    if (!signal.aborted) drawHour();
  });
  const data = () => {
    const [times, powers] = store.recent.get(store.chosen) ?? [[], []];
    const end = Math.max(Date.now() / 1000, times.at(-1) ?? 0);
    const begin = end - HOUR_S;
    const first = times[0] ?? Infinity;
    const old = past.times.findIndex((at) => at >= begin);
    const upto = past.times.findIndex((at) => at >= first);
    const kept = old < 0 ? [] : past.times.slice(old, upto < 0 ? undefined : upto);
    const keptMean = old < 0 ? [] : past.mean.slice(old, upto < 0 ? undefined : upto);
    const from = times.findIndex((at) => at >= begin);
    return [{ times: [...kept, ...(from < 0 ? [] : times.slice(from))], mean: [...keptMean, ...(from < 0 ? [] : powers.slice(from))] }, begin, end];
  };
  async function drawHour() {
    const [first, begin, end] = data();
    let shown = first;
    chart = await line(frame, first, {
      begin, end, small: true, signal, number: axisNumber, label: words.lastHour, height: () => (innerWidth < 560 ? 92 : 140),
      labels: clockTicks,
      text: (at) => `${time(shown.times[at] * 1000)} ${rounded(String(Math.round(shown.mean[at])))} W`,
      onPick: (at) => say(told, at === null ? words.lastHour : `${time(shown.times[at] * 1000)} · ${rounded(String(Math.round(shown.mean[at])))} W`),
    });
    if (!chart) return;
    let last = 0;
    const stop = follow(() => {
      const newest = store.recent.get(store.chosen)?.[0].at(-1) ?? 0;
      if (document.hidden || newest === last || state() !== "live") return;
      last = newest;
      const [next, from, to] = data();
      shown = next;
      chart.update(next, from, to);
    });
    signal.addEventListener("abort", stop);
  }
}

/** Each quarter of the clock, or each half where there is little room; not at the very edge. */
function clockTicks([from, to], width) {
  const every = width < 270 ? QUARTER_S * 2 : QUARTER_S;
  const ticks = [];
  for (let at = Math.ceil(from / every) * every; at < to - EDGE_S; at += every) if (at > from + EDGE_S) ticks.push([at, shortTime(at * 1000)]);
  return ticks;
}

/** The hour before the page was opened; silence is a hole in the line. */
async function hourBefore(signal) {
  const end = new Date();
  const answer = await askMeter("power", { from: new Date(end - HOUR_S * 1000).toISOString(), to: end.toISOString(), points: LINE_POINTS }, signal);
  const times = [];
  const mean = [];
  const step = answer.resolution_s;
  for (const point of answer.points) {
    const at = Date.parse(point.begin) / 1000 + step / 2;
    if (times.length && at - times.at(-1) > Math.max(60, step * 1.5)) { times.push(at - 1); mean.push(null); }
    times.push(at);
    mean.push(Number(point.mean_w));
  }
  return { times, mean };
}
