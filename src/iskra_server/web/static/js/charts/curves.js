// Running totals of several periods in one chart: from grid above zero, to grid below; the first is drawn strongest.

import { colour } from "../theme.js";
import { picker } from "./picker.js";
import { attachChart, clipped, frame, pixelRatio, textScale, uPlot } from "./plot.js";
import { fittingLabels, nearest } from "./scales.js";

const heightOf = (/** @type {number} */ width) =>
  Math.round(Math.min(320 * textScale(), Math.max(240, width * 0.28)));
/** @type {[number, number[]][]} width and dashes */
const STYLES = [[3, []], [1.5, []], [1.5, [6, 4]]];
// how much of the chart behind the compared part is covered
const VEIL = 0.65;

/**
 * @typedef {(number | null)[]} Values
 * @typedef {{up: Values, down: Values}} Curve kWh at each position
 * @typedef {{positions: number[], curves: Curve[], cut: number, labels: import("./scales.js").Label[], middle: boolean,
 *   label: string, text: (index: number) => string, caption: HTMLElement, legend: Node[],
 *   number: (value: number) => string, signal: AbortSignal}} Options `cut` is the position where the compared part ends
 */

/** @param {HTMLElement} box @param {Options} options */
export async function drawCurves(box, options) {
  const { positions, curves, cut, labels, middle, number, signal } = options;
  const Plot = await uPlot(box, signal);
  if (!Plot) return;
  const end = positions[positions.length - 1];
  const values = curves.flatMap(({ up, down }) => [up, down.map((value) => (value === null ? null : -value))]);
  const known = values.flat().flatMap((value) => value ?? []);
  const shown = (/** @type {Plot} */ plot) => fittingLabels(labels, plot.bbox.width / devicePixelRatio / textScale());
  /** @param {number} at @param {"imp" | "exp"} flow @returns {Plot.Series} */
  const line = (at, flow) => ({
    stroke: () => colour(at ? "text" : flow), width: STYLES[at][0], dash: STYLES[at][1], points: { show: false },
  });
  const base = frame({
    width: Math.floor(box.clientWidth) || 300, height: heightOf(box.clientWidth), unit: "kWh", number, isTime: false,
    xRange: () => [0, end], yRange: () => [Math.min(...known, 0), Math.max(...known, 0)],
    labels: (plot) => shown(plot).map(([at, text]) => [middle ? at + 0.5 : at, text]), paint: zeroLine,
  });
  const chart = new Plot({
    ...base, hooks: { ...base.hooks, draw: [(plot) => veil(plot, cut)] },
    series: [{}, ...curves.flatMap((_, at) => [line(at, "imp"), line(at, "exp")])],
  }, [positions, ...values], box);
  attachChart(chart, box, heightOf, signal);
  picker(box, {
    ...options, over: chart.over, count: () => positions.length,
    at: (x) => nearest(positions, chart.posToVal(x, "x")),
    span: (at) => [chart.valToPos(positions[at], "x") - 0.5, 1],
  });
}

/** @param {Plot} plot */
function zeroLine(plot) {
  const { left, width } = plot.bbox;
  plot.ctx.fillStyle = colour("zero");
  plot.ctx.fillRect(left, Math.round(plot.valToPos(0, "y", true)), width, Math.max(1, Math.round(pixelRatio())));
}

/** Pales what lies behind the compared part. @param {Plot} plot @param {number} cut */
function veil(plot, cut) {
  const { left, top, width, height } = plot.bbox;
  const from = plot.valToPos(cut, "x", true);
  clipped(plot, (pen) => {
    pen.globalAlpha = VEIL;
    pen.fillStyle = colour("card");
    pen.fillRect(from, top, left + width - from, height);
    pen.globalAlpha = 1;
    pen.fillStyle = colour("zero");
    if (from < left + width - 1) pen.fillRect(from, top, Math.max(1, Math.round(pixelRatio())), height);
  });
}
