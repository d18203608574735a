// Bars: what was drawn goes up, what was fed in goes down, what was not measured is hatched, an epoch is a mark.

import { colour } from "../theme.js";
import { axis, hatching, keep, roundSplits, unitAbove, uPlot } from "./plot.js";
import { picker } from "./picker.js";

const LABEL_PX = 46;

/**
 * @typedef {{up: number | null, down: number | null, kind: "whole" | "part" | "gap" | "ahead", mark?: boolean}} Bar
 * @param {HTMLElement} box
 * @param {Bar[]} bars in the unit of the axis
 * @param {{unit: string, labels: [number, string][], middle?: boolean, label: string, text: (index: number) => string,
 *   onPick: (index: number | null) => void, onOpen?: (index: number) => void, height?: (width: number) => number,
 *   reach?: [number, number], number: (value: number) => string, signal: AbortSignal}} options
 */
export async function bars(box, bars, options) {
  const { unit, labels, middle = false, number, signal } = options;
  const Plot = await uPlot();
  if (signal.aborted) return null;
  const height = options.height ?? ((width) => Math.round(Math.min(360, Math.max(190, width * 0.32))));
  const [low, high] = options.reach ?? reachOf(bars);
  const width = Math.floor(box.clientWidth) || 300;
  const chart = new Plot({
    width, height: height(width), legend: { show: false }, cursor: { show: false },
    padding: [24, 4, 0, 0],
    scales: { x: { time: false, range: () => [-0.5, bars.length - 0.5] }, y: { range: () => [low, high] } },
    series: [{}, { paths: () => null, points: { show: false } }],
    axes: [
      axis({ size: 26, gap: 6, grid: { show: false }, splits: (u) => chosen(labels, u).map(([at]) => (middle ? at : at - 0.5)),
        values: (u) => chosen(labels, u).map(([, text]) => text) }),
      axis({ size: 48, gap: 6, splits: (u) => roundSplits(low, high, Math.max(2, Math.round(u.bbox.height / devicePixelRatio / 36))),
        values: (_, splits) => splits.map(number) }),
    ],
    hooks: { drawAxes: [(u) => { paint(u, bars); unitAbove(u, unit); }] },
  }, [bars.map((_, at) => at), bars.map(() => null)], box);
  keep(chart, box, height, signal);
  return picker(box, {
    ...options, over: chart.over, count: () => bars.length,
    at: (x) => Math.round(chart.posToVal(x, "x")),
    span: (at) => [chart.valToPos(at - 0.5, "x"), chart.valToPos(at + 0.5, "x") - chart.valToPos(at - 0.5, "x")],
  });
}

/** How far the bars reach down and up, with room above. */
export function reachOf(bars) {
  const most = Math.max(0, ...bars.map((bar) => bar.up ?? 0));
  const least = Math.max(0, ...bars.map((bar) => bar.down ?? 0));
  if (most === 0 && least === 0) return [0, 1];
  const room = (most + least) * 0.04;
  return [least ? -least - room : 0, most ? most + room : 0];
}

/** As many labels as fit beside each other. */
function chosen(labels, u) {
  const stride = Math.max(1, Math.ceil((labels.length * LABEL_PX) / (u.bbox.width / devicePixelRatio)));
  const step = labels.length > 24 ? [1, 2, 5, 7, 10].find((each) => each >= stride) ?? stride : stride;
  return labels.filter((_, at) => at % step === 0);
}

function paint(u, bars) {
  const { ctx: pen } = u;
  const { left, top, width, height } = u.bbox;
  const ratio = devicePixelRatio || 1;
  const x = (at) => u.valToPos(at, "x", true);
  const y = (value) => Math.round(u.valToPos(value, "y", true));
  const slot = width / bars.length;
  const air = slot > 12 * ratio ? Math.min(slot * 0.3, 14 * ratio) : slot > 3 * ratio ? ratio : 0;
  pen.save();
  pen.beginPath();
  pen.rect(left, top, width, height);
  pen.clip();
  pen.fillStyle = hatching(pen);
  bars.forEach((bar, at) => { if (bar.kind === "gap") pen.fillRect(x(at - 0.5), top, slot + 0.5, height); });
  const zero = y(0);
  const column = (at, value, ink, part) => {
    const [from, to] = [Math.min(zero, y(value)), Math.max(zero, y(value))];
    const begin = Math.round(x(at - 0.5) + air / 2);
    const end = Math.max(begin + 1, Math.round(x(at + 0.5) - air / 2));
    pen.fillStyle = ink;
    pen.globalAlpha = part ? 0.55 : 1;
    pen.fillRect(begin, from, end - begin, Math.max(to - from, value === 0 ? 0 : 1));
    pen.globalAlpha = 1;
  };
  const [imp, exp] = [colour("imp"), colour("exp")];
  bars.forEach((bar, at) => {
    if (bar.up != null) column(at, bar.up, imp, bar.kind === "part");
    if (bar.down != null) column(at, -bar.down, exp, bar.kind === "part");
  });
  pen.fillStyle = colour("zero");
  pen.fillRect(left, zero - Math.round(ratio / 2), width, Math.max(1, Math.round(ratio)));
  pen.restore();
  pen.fillStyle = colour("text");
  bars.forEach((bar, at) => { if (bar.mark) diamond(pen, x(at), top, height, ratio); });
}

function diamond(pen, x, top, height, ratio) {
  const size = 5 * ratio;
  pen.fillRect(Math.round(x) - ratio / 2, top, ratio, height);
  pen.beginPath();
  pen.moveTo(x, top - size);
  pen.lineTo(x + size, top);
  pen.lineTo(x, top + size);
  pen.lineTo(x - size, top);
  pen.fill();
}
