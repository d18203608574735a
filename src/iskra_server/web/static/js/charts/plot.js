// Loads uPlot with the first chart; what all charts share.

import { make } from "../dom.js";
import { words } from "../language.js";
import { colour } from "../theme.js";
import { roundTicks } from "./scales.js";

/** @typedef {import("./scales.js").Label} Label */

/** @type {Promise<Window["uPlot"]> | null} */
let library = null;

/**
 * The library; null where the chart is not needed any more, or the library cannot be loaded: then the box says so.
 * @param {HTMLElement} box @param {AbortSignal} signal
 */
export async function uPlot(box, signal) {
  const loaded = await load().catch(() => null);
  if (!loaded && !signal.aborted) box.replaceChildren(make("p.empty", words.noChart));
  return signal.aborted ? null : loaded;
}

/** @returns {Promise<Window["uPlot"]>} */
function load() {
  library ??= new Promise((resolve, reject) => {
    const at = (/** @type {string} */ name) => new URL(`../../vendor/${name}`, import.meta.url).href;
    const sheet = Object.assign(document.createElement("link"), { rel: "stylesheet", href: at("uPlot.min.css") });
    const script = Object.assign(document.createElement("script"), {
      src: at("uPlot.iife.min.js"),
      onload: () => resolve(window.uPlot),
      onerror: () => { library = null; reject(new Error("uPlot")); },
    });
    document.head.append(sheet, script);
  });
  return library;
}

export const pixelRatio = () => devicePixelRatio || 1;

const FAMILY = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif";
const TICK_PX = 28;
// the width of the axis on the left; half of that of a digit
const [AXIS_PX, HALF_DIGIT_PX] = [48, 3.2];

/** How much larger than usual the text of the page is: 1, more on very wide screens. */
export const textScale = () => parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
const scaled = (/** @type {number} */ px) => Math.round(px * textScale());
export const font = (ratio = 1) => `${scaled(12) * ratio}px ${FAMILY}`;

/**
 * What all charts have: two axes with round ticks, the unit above the numbers, nothing of uPlot's own.
 * @param {{width: number, height: number, unit: string, number: (value: number) => string,
 *   xRange: () => [number, number], isTime?: boolean, isFixed?: boolean,
 *   yRange: (low: number | null, high: number | null) => [number, number],
 *   labels: (plot: Plot) => Label[], paint: (plot: Plot) => void}} options `yRange` is rounded unless `isFixed`
 */
export function frame({ width, height, unit, number, xRange, isTime = true, yRange, isFixed, labels, paint }) {
  const ticks = (/** @type {Plot} */ plot, /** @type {number} */ low, /** @type {number} */ high) =>
    roundTicks(low, high, Math.floor((plot.height - scaled(52)) / scaled(TICK_PX)));
  /** Labels that the right edge does not cut. @type {(plot: Plot, low: number, high: number) => Label[]} */
  const whole = (plot, low, high) => {
    const room = plot.width - scaled(AXIS_PX);
    return labels(plot).filter(([at, text]) =>
      (at - low) / (high - low) * room + text.length * scaled(HALF_DIGIT_PX) <= room);
  };
  /** @type {Label[]} */
  let shown = [];
  const line = { font: font(), stroke: () => colour("soft"), ticks: { show: false }, gap: scaled(6) };
  const grid = { stroke: () => colour("grid"), width: 1 };
  return {
    width, height, legend: { show: false }, cursor: { show: false },
    /** @type {[number, number, number, number]} */
    padding: [scaled(26), 4, 0, 0],
    scales: {
      x: { time: isTime, range: xRange },
      y: { range: (/** @type {Plot} */ plot, /** @type {number | null} */ low, /** @type {number | null} */ high) => {
        const [from, to] = yRange(low, high);
        const all = ticks(plot, from, to);
        return /** @type {[number, number]} */ (isFixed ? [from, to] : [all[0], all.at(-1)]);
      } },
    },
    axes: [
      {
        ...line, size: scaled(26), grid: { show: false },
        splits: (/** @type {Plot} */ plot, /** @type {number} */ _, /** @type {number} */ low,
          /** @type {number} */ high) => {
          shown = whole(plot, low, high);
          return shown.map(([at]) => at);
        },
        values: () => shown.map(([, text]) => text),
      },
      {
        ...line, size: scaled(AXIS_PX), grid,
        splits: (/** @type {Plot} */ plot, /** @type {number} */ _, /** @type {number} */ low,
          /** @type {number} */ high) => ticks(plot, low, high).filter((at) => at <= high),
        values: (/** @type {Plot} */ _, /** @type {number[]} */ splits) => splits.map(number),
      },
    ],
    hooks: { drawAxes: [(/** @type {Plot} */ plot) => { paint(plot); drawUnit(plot, unit); }] },
  };
}

/**
 * Fits a chart to the width of its box and to the theme; destroys it when the signal aborts.
 * @param {Plot} chart
 * @param {HTMLElement} box
 * @param {(width: number) => number} heightOf
 * @param {AbortSignal} signal
 */
export function attachChart(chart, box, heightOf, signal) {
  const fit = () => {
    const size = { width: Math.max(120, Math.floor(box.clientWidth)), height: heightOf(box.clientWidth) };
    if (size.width === chart.width && size.height === chart.height) return;
    chart.setSize(size);
    // another height has other ticks, and they set the range
    chart.setData(chart.data);
  };
  const observer = new ResizeObserver(fit);
  observer.observe(box);
  addEventListener("theme", () => chart.redraw(false), { signal });
  signal.addEventListener("abort", () => { observer.disconnect(); chart.destroy(); });
}

/**
 * Draws clipped to the plotting area.
 * @param {Plot} chart
 * @param {(pen: CanvasRenderingContext2D) => void} draw
 */
export function clipped({ ctx: pen, bbox: { left, top, width, height } }, draw) {
  pen.save();
  pen.beginPath();
  pen.rect(left, top, width, height);
  pen.clip();
  draw(pen);
  pen.restore();
}

/** Draws the unit above the numbers of the axis. @param {Plot} chart @param {string} unit */
function drawUnit({ ctx: pen, bbox }, unit) {
  const ratio = pixelRatio();
  pen.save();
  pen.font = font(ratio);
  pen.fillStyle = colour("soft");
  pen.textAlign = "right";
  pen.textBaseline = "alphabetic";
  pen.fillText(unit, bbox.left - 6 * ratio, bbox.top - scaled(11) * ratio);
  pen.restore();
}

/** The 2D context of a canvas. @param {HTMLCanvasElement} canvas */
export const penOf = (canvas) => /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));

/** A hatch pattern, for no data. @param {CanvasRenderingContext2D} context */
export function hatching(context) {
  const ratio = pixelRatio();
  const tile = Object.assign(document.createElement("canvas"), { width: 6 * ratio, height: 6 * ratio });
  const pen = penOf(tile);
  pen.strokeStyle = colour("hatch");
  pen.lineWidth = ratio;
  pen.beginPath();
  for (const x of [-6, 0, 6]) { pen.moveTo(x * ratio, 6 * ratio); pen.lineTo((x + 6) * ratio, 0); }
  pen.stroke();
  return context.createPattern(tile, "repeat") ?? "transparent";
}
