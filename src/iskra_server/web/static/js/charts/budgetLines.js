// Amounts that add up over days: what was paid in steps, what it cost so far, and the fan in which a forecast may end.

import { colour } from "../theme.js";
import { picker } from "./picker.js";
import { attachChart, clipped, frame, pixelRatio, textScale, uPlot } from "./plot.js";
import { fittingLabels } from "./scales.js";

const heightOf = (/** @type {number} */ width) => Math.round(Math.min(320 * textScale(), Math.max(220, width * 0.28)));
const FAINT = "33";

/**
 * @typedef {{paid: number[], cost: (number | null)[], forecast?: {total: number, low: number, high: number},
 *   labels: import("./scales.js").Label[], unit: string, label: string,
 *   text: (day: number) => string, caption: HTMLElement, legend: Node[],
 *   number: (value: number) => string, signal: AbortSignal}} Options an amount for each day; `cost` ends today
 */

/** @param {HTMLElement} box @param {Options} options */
export async function drawBudget(box, options) {
  const { paid, cost, forecast, labels, unit, number, signal } = options;
  const Plot = await uPlot(box, signal);
  if (!Plot) return;
  const [last, end] = [cost.length - 1, paid.length - 1];
  /** A straight line from today to the end. @param {number | undefined} to */
  const line = (to) => paid.map((_, day) => (to === undefined || day < last ? null
    : (cost[last] ?? 0) + ((to - (cost[last] ?? 0)) * (day - last)) / Math.max(1, end - last)));
  const columns = [paid, paid.map((_, day) => cost[day] ?? null),
    ...[forecast?.low, forecast?.high, forecast?.total].map(line)];
  const money = () => colour("money");
  /** @param {Plot.Series} series @returns {Plot.Series} */
  const curve = (series) => ({ width: 1.5, points: { show: false }, spanGaps: true, ...series });
  const chart = new Plot({
    ...frame({
      width: Math.floor(box.clientWidth) || 300, height: heightOf(box.clientWidth), unit, number, isTime: false,
      xRange: () => [0, end], yRange: (low, high) => [low ?? 0, high ?? 1],
      labels: (plot) => fittingLabels(labels, plot.bbox.width / devicePixelRatio), paint: zeroLine,
    }),
    series: [{},
      curve({ stroke: () => colour("soft"), paths: Plot.paths.stepped?.({ align: 1 }) }),
      curve({ stroke: money, width: 2.5 }),
      curve({ stroke: "transparent" }), curve({ stroke: "transparent" }),
      curve({ stroke: money, dash: [5, 5] })],
    bands: [{ series: [4, 3], fill: () => money() + FAINT }],
  }, [paid.map((_, day) => day), ...columns], box);
  attachChart(chart, box, heightOf, signal);
  picker(box, {
    ...options, over: chart.over, count: () => paid.length,
    at: (x) => Math.round(chart.posToVal(x, "x")),
    span: (day) => [chart.valToPos(day, "x") - 0.5, 1],
  });
}

/** @param {Plot} plot */
function zeroLine(plot) {
  const { left, width } = plot.bbox;
  const thickness = Math.max(1, Math.round(pixelRatio()));
  clipped(plot, (pen) => {
    pen.fillStyle = colour("zero");
    pen.fillRect(left, Math.round(plot.valToPos(0, "y", true)) - Math.round(thickness / 2), width, thickness);
  });
}
