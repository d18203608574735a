// The curve of power of a day: the mean, and the band from the least to the most.

import { askMeter } from "../api.js";
import { line } from "../charts/line.js";
import { time } from "../clock.js";
import { make, say } from "../dom.js";
import { rounded } from "../exact.js";
import { words } from "../language.js";
import { axisNumber } from "../measured.js";

const POINTS = 1440;

export async function curve(content, day, energy, signal) {
  const answer = await askMeter("power", { from: day, points: POINTS }, signal).catch(() => null);
  if (signal.aborted || !answer?.points.length) return;
  const told = make("p.told", { "aria-live": "polite" }, words.band);
  const box = make("div.chart");
  content.append(make("section.card.chart-card", make("div.card-head", make("h2", words.powerCurve)), told, box));
  const data = columns(answer);
  const watts = (value) => `${rounded(String(Math.round(value)))} W`;
  const text = (at) => (data.mean[at] === null ? words.notMeasured
    : words.between(time(data.times[at] * 1000), watts(data.mean[at]), watts(data.min[at]), watts(data.max[at])));
  await line(box, data, {
    begin: Date.parse(energy.begin) / 1000, end: Date.parse(energy.end) / 1000,
    gaps: answer.gaps.map(({ begin, end }) => [Date.parse(begin) / 1000, Date.parse(end) / 1000]),
    labels: energy.buckets.flatMap(({ begin }) => (begin.slice(14, 16) === "00" && Number(begin.slice(11, 13)) % 3 === 0
      ? [[Date.parse(begin) / 1000, begin.slice(11, 13)]] : [])),
    label: words.powerCurve, text, signal, number: axisNumber, onPick: (at) => say(told, at === null ? words.band : text(at)),
  });
}

/** The points as columns, with a hole before each that does not follow the one before. */
export function columns({ points, resolution_s: step }) {
  const data = { times: [], mean: [], min: [], max: [] };
  const add = (at, mean, min, max) => { data.times.push(at); data.mean.push(mean); data.min.push(min); data.max.push(max); };
  for (const point of points) {
    const at = Date.parse(point.begin) / 1000 + step / 2;
    if (data.times.length && at - data.times.at(-1) > Math.max(60, step * 1.5)) add(data.times.at(-1) + step, null, null, null);
    add(at, Number(point.mean_w), Number(point.min_w), Number(point.max_w));
  }
  return data;
}
