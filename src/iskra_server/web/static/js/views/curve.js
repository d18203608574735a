// The power curve of a day: the mean, and the band from minimum to maximum.

import { requestHistory } from "../api.js";
import { drawLine } from "../charts/line.js";
import { time } from "../clock.js";
import { make } from "../dom.js";
import { axisNumber, wattsText } from "../energyText.js";
import { words } from "../language.js";
import { isThirdHour } from "./buckets.js";
import { powerColumns } from "./powerColumns.js";

const POINTS = 1440;
const seconds = (/** @type {string} */ instant) => Date.parse(instant) / 1000;

/** @param {HTMLElement} content @param {string} day @param {Api.Energy} energy @param {AbortSignal} signal */
export async function showPowerCurve(content, day, energy, signal) {
  const answer = await requestHistory("power", { from: day, points: String(POINTS) }, signal).catch(() => null);
  if (signal.aborted || !answer?.points.length) return;
  const caption = make("p.caption", { "aria-live": "polite" });
  const box = make("div.chart");
  content.append(make("section.card.chart-card", make("div.card-head", make("h2", words.powerCurve)), caption, box));
  const { times, mean, min, max } = powerColumns(answer);
  const text = (/** @type {number} */ at) => {
    const [meanText, minText, maxText] = [mean, min, max].map((values) => wattsText(values[at] ?? 0));
    return mean[at] === null ? words.noData : words.powerAt(time(times[at] * 1000), meanText, minText, maxText);
  };
  await drawLine(box, { times, mean, min, max }, {
    begin: seconds(energy.begin), end: seconds(energy.end), label: words.powerCurve, text, signal, number: axisNumber,
    gaps: answer.gaps.map(({ begin, end }) => [seconds(begin), seconds(end)]),
    labels: energy.buckets.filter(({ begin }) => isThirdHour(begin))
      .map(({ begin }) => [seconds(begin), begin.slice(11, 13)]),
    caption, legend: words.band,
  });
}
