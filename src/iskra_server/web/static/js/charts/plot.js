// uPlot, brought in when the first chart is drawn, and what all charts share.

import { colour } from "../theme.js";

let library = null;

/** @returns {Promise<any>} uPlot */
export function uPlot() {
  library ??= new Promise((resolve, reject) => {
    const at = (name) => new URL(`../../vendor/${name}`, import.meta.url).href;
    document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: at("uPlot.min.css") }));
    document.head.append(Object.assign(document.createElement("script"), {
      src: at("uPlot.iife.min.js"), onload: () => resolve(globalThis.uPlot), onerror: () => { library = null; reject(new Error("uPlot")); },
    }));
  });
  return library;
}

export const FONT = "12px system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif";

/** Axis options in the colours of the page. */
export const axis = (options) => ({
  font: FONT, stroke: () => colour("soft"), grid: { stroke: () => colour("grid"), width: 1 }, ticks: { show: false }, ...options,
});

/** Keeps a chart as wide as its box, and in the colours of the page, until the signal aborts. */
export function keep(chart, box, heightOf, signal) {
  const fit = () => {
    const size = { width: Math.max(120, Math.floor(box.clientWidth)), height: heightOf(box.clientWidth) };
    if (size.width !== chart.width || size.height !== chart.height) chart.setSize(size);
  };
  const observer = new ResizeObserver(fit);
  observer.observe(box);
  addEventListener("theme", () => chart.redraw(false), { signal });
  signal.addEventListener("abort", () => { observer.disconnect(); chart.destroy(); });
}

/** The unit, above the numbers of the axis. */
export function unitAbove(u, unit) {
  const { ctx: pen } = u;
  const ratio = devicePixelRatio || 1;
  pen.save();
  pen.font = FONT.replace("12px", `${12 * ratio}px`);
  pen.fillStyle = colour("soft");
  pen.textAlign = "right";
  pen.textBaseline = "alphabetic";
  pen.fillText(unit, u.bbox.left - 6 * ratio, u.bbox.top - 9 * ratio);
  pen.restore();
}

/** Slanting lines, the sign for "nothing was measured here". */
export function hatching(context) {
  const ratio = devicePixelRatio || 1;
  const tile = Object.assign(document.createElement("canvas"), { width: 6 * ratio, height: 6 * ratio });
  const pen = tile.getContext("2d");
  pen.strokeStyle = colour("hatch");
  pen.lineWidth = ratio;
  pen.beginPath();
  for (const x of [-6, 0, 6]) { pen.moveTo(x * ratio, 6 * ratio); pen.lineTo((x + 6) * ratio, 0); }
  pen.stroke();
  return context.createPattern(tile, "repeat");
}

/** Splits of an axis that has zero on it, at most `most` of them, at round numbers. */
export function roundSplits(low, high, most) {
  const rough = (high - low || 1) / most;
  const ten = 10 ** Math.floor(Math.log10(rough));
  const size = [1, 2, 5, 10].map((factor) => factor * ten).find((each) => each >= rough);
  const splits = [];
  for (let at = Math.ceil(low / size - 1e-9); at * size <= high + size * 1e-9; at += 1) splits.push(at * size);
  return splits;
}
