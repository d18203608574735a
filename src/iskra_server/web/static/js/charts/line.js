// A line over time, optionally with a band from minimum to maximum; power from grid is above zero, to grid below.

import { colour } from "../theme.js";
import { picker } from "./picker.js";
import { attachChart, clipped, frame, hatching, pixelRatio, textScale, uPlot } from "./plot.js";
import { nearest } from "./scales.js";

const defaultHeight = (/** @type {number} */ width) =>
  Math.round(Math.min(280 * textScale(), Math.max(200, width * 0.24)));

// the top of an axis on which nothing is drawn yet
const EMPTY_TOP = 100;

/**
 * @typedef {import("./scales.js").Label} Label
 * @typedef {(number | null)[]} Values
 * @typedef {{times: number[], mean: Values, min?: Values, max?: Values}} Data Unix seconds, W
 * @typedef {[number, number]} Range
 * @typedef {{begin: number, end: number, gaps?: Range[], labels: Label[] | ((ends: Range, width: number) => Label[]),
 *   label: string, text: (index: number) => string, caption?: HTMLElement, legend?: string,
 *   height?: (width: number) => number, small?: boolean, unit?: string, yRange?: Range,
 *   number: (value: number) => string, signal: AbortSignal}} Options `labels`: fixed, or a function of the ends and
 *   the width in px
 */

/** @param {HTMLElement} box @param {Data} data @param {Options} options */
export async function drawLine(box, data, options) {
  const { labels, small = false, number, signal, unit = "W", yRange, height = defaultHeight } = options;
  const Plot = await uPlot(box, signal);
  if (!Plot) return null;
  /** @type {Range} */
  let ends = [options.begin, options.end];
  let { gaps = [] } = options;
  const hasBand = Boolean(data.min);
  /** @param {Data} data @returns {Plot.AlignedData} */
  const columns = ({ times, mean, min = [], max = [] }) => (hasBand ? [times, max, min, mean] : [times, mean]);
  const ticks = (/** @type {Plot} */ plot) =>
    (typeof labels === "function" ? labels(ends, plot.bbox.width / devicePixelRatio) : labels);
  const ink = (/** @type {number} */ alpha) => (/** @type {Plot} */ plot) => twoColours(plot, alpha);
  /** @type {Plot.Series} */
  const curve = { stroke: ink(1), width: small ? 1.5 : 1.25, points: { show: false }, spanGaps: false };
  /** @type {Plot.Series} */
  const edge = { stroke: "transparent", width: 0, points: { show: false }, spanGaps: false };
  const chart = new Plot({
    ...frame({
      width: Math.floor(box.clientWidth) || 300, height: height(box.clientWidth), unit, number, xRange: () => ends,
      yRange: (low, high) => yRange ?? [low ?? 0, high ?? EMPTY_TOP], isFixed: Boolean(yRange), labels: ticks,
      paint: (plot) => background(plot, gaps),
    }),
    series: hasBand ? [{}, edge, edge, curve] : [{}, { ...curve, fill: ink(0.14), fillTo: () => 0 }],
    bands: hasBand ? [{ series: [1, 2], fill: ink(0.25) }] : [],
  }, columns(data), box);
  attachChart(chart, box, height, signal);
  let shown = data;
  picker(box, {
    ...options, over: chart.over, count: () => shown.times.length,
    at: (x) => nearest(shown.times, chart.posToVal(x, "x")),
    span: (at) => [chart.valToPos(shown.times[at], "x") - 0.5, 1],
  });
  return {
    chart,
    /** @param {Data} next @param {number} begin @param {number} end @param {Range[]} holes */
    update(next, begin, end, holes = gaps) {
      shown = next;
      gaps = holes;
      ends = [begin, end];
      chart.setData(columns(next));
    },
  };
}

/** Two colours, above and below zero: a gradient with a hard edge at zero. @param {Plot} plot @param {number} alpha */
function twoColours(plot, alpha) {
  const { top, height } = plot.bbox;
  const zero = Math.min(1, Math.max(0, (plot.valToPos(0, "y", true) - top) / height));
  const [above, below] = [faded(colour("imp"), alpha), faded(colour("exp"), alpha)];
  if (!Number.isFinite(zero)) return above;
  const gradient = plot.ctx.createLinearGradient(0, top, 0, top + height);
  gradient.addColorStop(0, above);
  gradient.addColorStop(zero, above);
  gradient.addColorStop(zero, below);
  gradient.addColorStop(1, below);
  return gradient;
}

const faded = (/** @type {string} */ hex, /** @type {number} */ alpha) =>
  hex + Math.round(alpha * 255).toString(16).padStart(2, "0");

/** @param {Plot} plot @param {Range[]} gaps */
function background(plot, gaps) {
  const { left, top, width, height } = plot.bbox;
  clipped(plot, (pen) => {
    pen.fillStyle = hatching(pen);
    for (const [begin, end] of gaps) {
      const from = plot.valToPos(begin, "x", true);
      pen.fillRect(from, top, plot.valToPos(end, "x", true) - from, height);
    }
    pen.fillStyle = colour("zero");
    const thickness = Math.max(1, Math.round(pixelRatio()));
    pen.fillRect(left, Math.round(plot.valToPos(0, "y", true)) - Math.round(thickness / 2), width, thickness);
  });
}
