// Bars: energy from grid goes up, to grid goes down; no data is hatched, a diamond marks a counter restart.

import { colour } from "../theme.js";
import { picker } from "./picker.js";
import { attachChart, axis, clipped, drawUnit, hatching, pixelRatio, uPlot } from "./plot.js";
import { fittingLabels, barRange, roundSplits } from "./scales.js";

const defaultHeight = (/** @type {number} */ width) => Math.round(Math.min(360, Math.max(190, width * 0.32)));

/**
 * @typedef {{unit: string, labels: import("./scales.js").Label[], middle?: boolean, label: string,
 *   text: (index: number) => string, caption: HTMLElement, legend: string | Node[], onOpen?: (index: number) => void,
 *   height?: (width: number) => number, range?: [number, number], number: (value: number) => string,
 *   signal: AbortSignal}} Options
 */

/** @param {HTMLElement} box @param {Bar[]} bars in the unit of the axis @param {Options} options */
export async function drawBars(box, bars, options) {
  const { unit, labels, middle = false, number, signal, height = defaultHeight } = options;
  const Plot = await uPlot();
  if (signal.aborted) return;
  const [low, high] = options.range ?? barRange(bars);
  const width = Math.floor(box.clientWidth) || 300;
  const shown = (/** @type {Plot} */ plot) => fittingLabels(labels, plot.bbox.width / devicePixelRatio);
  const chart = new Plot({
    width, height: height(width), legend: { show: false }, cursor: { show: false },
    padding: [24, 4, 0, 0],
    scales: { x: { time: false, range: () => [-0.5, bars.length - 0.5] }, y: { range: () => [low, high] } },
    series: [{}, { paths: () => null, points: { show: false } }],
    axes: [
      axis({
        size: 26, gap: 6, grid: { show: false },
        splits: (plot) => shown(plot).map(([at]) => (middle ? at : at - 0.5)),
        values: (plot) => shown(plot).map(([, text]) => text),
      }),
      axis({
        size: 48, gap: 6,
        splits: (plot) => roundSplits(low, high, Math.max(2, Math.round(plot.bbox.height / devicePixelRatio / 36))),
        values: (_, splits) => splits.map(number),
      }),
    ],
    hooks: { drawAxes: [(plot) => { paint(plot, bars); drawUnit(plot, unit); }] },
  }, [bars.map((_, at) => at), bars.map(() => null)], box);
  attachChart(chart, box, height, signal);
  const left = (/** @type {number} */ at) => chart.valToPos(at - 0.5, "x");
  picker(box, {
    ...options, over: chart.over, count: () => bars.length,
    at: (x) => Math.round(chart.posToVal(x, "x")),
    span: (at) => [left(at), left(at + 1) - left(at)],
  });
}

/** @param {Plot} plot @param {Bar[]} bars */
function paint(plot, bars) {
  const { left, top, width, height } = plot.bbox;
  const ratio = pixelRatio();
  const x = (/** @type {number} */ at) => plot.valToPos(at, "x", true);
  const y = (/** @type {number} */ value) => Math.round(plot.valToPos(value, "y", true));
  const slot = width / bars.length;
  const gap = slot > 12 * ratio ? Math.min(slot * 0.3, 14 * ratio) : slot > 3 * ratio ? ratio : 0;
  const zero = y(0);
  clipped(plot, (pen) => {
    pen.fillStyle = hatching(pen);
    bars.forEach((bar, at) => { if (bar.kind === "missing") pen.fillRect(x(at - 0.5), top, slot + 0.5, height); });
    /** @param {number} at @param {number} value @param {string} ink @param {boolean} isPart */
    const column = (at, value, ink, isPart) => {
      const [from, to] = [Math.min(zero, y(value)), Math.max(zero, y(value))];
      const begin = Math.round(x(at - 0.5) + gap / 2);
      const end = Math.max(begin + 1, Math.round(x(at + 0.5) - gap / 2));
      pen.fillStyle = ink;
      pen.globalAlpha = isPart ? 0.55 : 1;
      pen.fillRect(begin, from, end - begin, Math.max(to - from, value === 0 ? 0 : 1));
      pen.globalAlpha = 1;
    };
    const [imported, exported] = [colour("imp"), colour("exp")];
    bars.forEach((bar, at) => {
      if (bar.up != null) column(at, bar.up, imported, bar.kind === "partial");
      if (bar.down != null) column(at, -bar.down, exported, bar.kind === "partial");
    });
    pen.fillStyle = colour("zero");
    pen.fillRect(left, zero - Math.round(ratio / 2), width, Math.max(1, Math.round(ratio)));
  });
  plot.ctx.fillStyle = colour("text");
  bars.forEach((bar, at) => { if (bar.mark) diamond(plot, x(at), ratio); });
}

/** @param {Plot} plot @param {number} x @param {number} ratio */
function diamond({ ctx: pen, bbox: { top, height } }, x, ratio) {
  const size = 5 * ratio;
  pen.fillRect(Math.round(x) - ratio / 2, top, ratio, height);
  pen.beginPath();
  pen.moveTo(x, top - size);
  pen.lineTo(x + size, top);
  pen.lineTo(x, top + size);
  pen.lineTo(x - size, top);
  pen.fill();
}
