// Bars: energy from grid goes up, to grid goes down; an export below 0, the own solar of a virtual meter, stands on the
// import. No data is hatched, a diamond marks a counter restart.

import { colour } from "../theme.js";
import { picker } from "./picker.js";
import { attachChart, clipped, frame, hatching, pixelRatio, textScale, uPlot } from "./plot.js";
import { barRange, fittingLabels } from "./scales.js";

const defaultHeight = (/** @type {number} */ width) =>
  Math.round(Math.min(360 * textScale(), Math.max(240, width * 0.32)));

// partial data, and energy outside of what is compared
const [PARTIAL, PALE] = [0.55, 0.3];

/**
 * @typedef {{unit: string, labels: import("./scales.js").Label[], middle?: boolean, label: string,
 *   text: (index: number) => string, caption: HTMLElement, legend: string | Node[],
 *   onOpen?: (index: number) => void, opens?: string,
 *   height?: (width: number) => number, range?: [number, number], number: (value: number) => string,
 *   signal: AbortSignal}} Options
 */

/** @param {HTMLElement} box @param {Bar[]} bars in the unit of the axis @param {Options} options */
export async function drawBars(box, bars, options) {
  const { unit, labels, middle = false, number, signal, height = defaultHeight } = options;
  const Plot = await uPlot(box, signal);
  if (!Plot) return;
  const shown = (/** @type {Plot} */ plot) => fittingLabels(labels, plot.bbox.width / devicePixelRatio / textScale());
  const chart = new Plot({
    ...frame({
      width: Math.floor(box.clientWidth) || 300, height: height(box.clientWidth), unit, number, isTime: false,
      xRange: () => [-0.5, bars.length - 0.5], yRange: () => options.range ?? barRange(bars),
      labels: (plot) => shown(plot).map(([at, text]) => [middle ? at : at - 0.5, text]),
      paint: (plot) => paint(plot, bars),
    }),
    series: [{}, { paths: () => null, points: { show: false } }],
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
    /** @param {number} at @param {number} value @param {string} ink @param {number} alpha */
    const column = (at, value, ink, alpha, base = 0) => {
      const [from, to] = [Math.min(y(base), y(base + value)), Math.max(y(base), y(base + value))];
      const begin = Math.round(x(at - 0.5) + gap / 2);
      const end = Math.max(begin + 1, Math.round(x(at + 0.5) - gap / 2));
      pen.fillStyle = ink;
      pen.globalAlpha = alpha;
      pen.fillRect(begin, from, end - begin, Math.max(to - from, value === 0 ? 0 : 1));
      pen.globalAlpha = 1;
    };
    const [imported, exported] = [colour("imp"), colour("exp")];
    bars.forEach(({ up, down, wholeUp, wholeDown, kind, ink }, at) => {
      const alpha = kind === "partial" ? PARTIAL : 1;
      if (wholeUp != null) column(at, wholeUp, ink ? colour(ink) : imported, PALE);
      if (wholeDown != null) column(at, -wholeDown, exported, PALE);
      if (up != null) column(at, up, ink ? colour(ink) : imported, alpha);
      if (down != null) column(at, -down, ink ? colour(ink) : exported, alpha, down < 0 ? up ?? 0 : 0);
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
