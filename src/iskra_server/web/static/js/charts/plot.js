// Loads uPlot with the first chart; what all charts share.

import { colour } from "../theme.js";

/** @type {Promise<Window["uPlot"]> | null} */
let library = null;

/** @returns {Promise<Window["uPlot"]>} */
export function uPlot() {
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

const FONT = "12px system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif";

/** Axis options in the colours of the page. @param {Plot.Axis} options @returns {Plot.Axis} */
export const axis = (options) => ({
  font: FONT, stroke: () => colour("soft"), grid: { stroke: () => colour("grid"), width: 1 }, ticks: { show: false },
  ...options,
});

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
    if (size.width !== chart.width || size.height !== chart.height) chart.setSize(size);
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
export function drawUnit({ ctx: pen, bbox }, unit) {
  const ratio = pixelRatio();
  pen.save();
  pen.font = FONT.replace("12px", `${12 * ratio}px`);
  pen.fillStyle = colour("soft");
  pen.textAlign = "right";
  pen.textBaseline = "alphabetic";
  pen.fillText(unit, bbox.left - 6 * ratio, bbox.top - 9 * ratio);
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
