// A curve of power over time, with the band from its least to its most; drawing is above zero, feeding in below.

import { colour } from "../theme.js";
import { axis, hatching, keep, roundSplits, unitAbove, uPlot } from "./plot.js";
import { picker } from "./picker.js";

/**
 * @param {HTMLElement} box
 * @param {{times: number[], mean: (number | null)[], min?: (number | null)[], max?: (number | null)[]}} data Unix seconds, W
 * @param {{begin: number, end: number, gaps?: [number, number][], labels: [number, string][], label: string,
 *   text: (index: number) => string, onPick: (index: number | null) => void, height?: (width: number) => number,
 *   small?: boolean, unit?: string, reach?: [number, number], number: (value: number) => string, signal: AbortSignal}} options
 */
export async function line(box, data, options) {
  const { gaps = [], labels, small = false, number, signal, unit = "W", reach } = options;
  const Plot = await uPlot();
  if (signal.aborted) return null;
  const height = options.height ?? ((width) => Math.round(Math.min(280, Math.max(170, width * 0.24))));
  const width = Math.floor(box.clientWidth) || 300;
  let ends = [options.begin, options.end];
  const banded = Boolean(data.min);
  const rows = ({ times, mean, min, max }) => (banded ? [times, max, min, mean] : [times, mean]);
  const split = (name, alpha) => (u) => twoColours(u, alpha);
  const curve = { stroke: split("line", 1), width: small ? 1.5 : 1.25, points: { show: false }, spanGaps: false };
  const edge = { stroke: "transparent", width: 0, points: { show: false }, spanGaps: false };
  const chart = new Plot({
    width, height: height(width), legend: { show: false }, cursor: { show: false },
    padding: [24, 4, 0, 0],
    scales: { x: { range: () => ends }, y: { range: (_, low, high) => reach ?? around(low, high) } },
    series: banded ? [{}, edge, edge, curve] : [{}, { ...curve, fill: (u) => twoColours(u, 0.14), fillTo: () => 0 }],
    bands: banded ? [{ series: [1, 2], fill: (u) => twoColours(u, 0.25) }] : [],
    axes: [
      axis({ size: 24, gap: 5, grid: { show: false }, splits: (u) => ticks(u, ends, labels).map(([at]) => at),
        values: (u) => ticks(u, ends, labels).map(([, text]) => text) }),
      axis({ size: 48, gap: 6, splits: (u, _, low, high) => roundSplits(low, high, Math.max(2, Math.round(u.bbox.height / devicePixelRatio / 42))),
        values: (_, splits) => splits.map(number) }),
    ],
    hooks: { drawAxes: [(u) => { background(u, gaps); unitAbove(u, unit); }] },
  }, rows(data), box);
  keep(chart, box, height, signal);
  let shown = data;
  const picked = picker(box, {
    ...options, over: chart.over, count: () => shown.times.length,
    at: (x) => nearest(shown.times, chart.posToVal(x, "x")),
    span: (at) => [chart.valToPos(shown.times[at], "x") - 0.5, 1],
  });
  return {
    ...picked, chart,
    update(next, begin, end) { shown = next; ends = [begin, end]; chart.setData(rows(next)); },
  };
}

/** Fixed ones, or those that fit the ends and the width in px. */
const ticks = (u, ends, labels) => (typeof labels === "function" ? labels(ends, u.bbox.width / devicePixelRatio) : labels);

function around(low, high) {
  const [from, to] = [Math.min(0, low ?? 0), Math.max(0, high ?? 0)];
  const room = (to - from || 100) * 0.06;
  return [from < 0 ? from - room : 0, to > 0 || from === 0 ? to + room : 0];
}

/** One ink above zero, the other below: a gradient with a hard edge at zero. */
function twoColours(u, alpha) {
  const { top, height } = u.bbox;
  const zero = Math.min(1, Math.max(0, (u.valToPos(0, "y", true) - top) / height));
  const [imp, exp] = [faded(colour("imp"), alpha), faded(colour("exp"), alpha)];
  if (!Number.isFinite(zero)) return imp;
  const ink = u.ctx.createLinearGradient(0, top, 0, top + height);
  for (const [at, each] of [[0, imp], [zero, imp], [zero, exp], [1, exp]]) ink.addColorStop(at, each);
  return ink;
}

const faded = (hex, alpha) => hex + Math.round(alpha * 255).toString(16).padStart(2, "0");

function background(u, gaps) {
  const { ctx: pen } = u;
  const { left, top, width, height } = u.bbox;
  pen.save();
  pen.beginPath();
  pen.rect(left, top, width, height);
  pen.clip();
  pen.fillStyle = hatching(pen);
  for (const [begin, end] of gaps) {
    const from = u.valToPos(begin, "x", true);
    pen.fillRect(from, top, u.valToPos(end, "x", true) - from, height);
  }
  pen.fillStyle = colour("zero");
  const ratio = Math.max(1, Math.round(devicePixelRatio || 1));
  pen.fillRect(left, Math.round(u.valToPos(0, "y", true)) - Math.round(ratio / 2), width, ratio);
  pen.restore();
}

/** The index of the time nearest to one. */
export function nearest(times, time) {
  let [low, high] = [0, times.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (times[middle] < time) low = middle; else high = middle;
  }
  return time - times[low] < times[high] - time ? low : high;
}
