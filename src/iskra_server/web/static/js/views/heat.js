// The heat map of a year, a cell per quarter-hour. Days are rows on a narrow screen, else columns.

import { requestHistory } from "../api.js";
import { times } from "../arithmetic.js";
import { dateText, QUARTERS_PER_HOUR, today } from "../calendar.js";
import { legendItem } from "../charts/legend.js";
import { openByPointer } from "../charts/picker.js";
import { font, hatching, penOf, pixelRatio, textScale } from "../charts/plot.js";
import { shortTime } from "../clock.js";
import { make, setText, setTitle } from "../dom.js";
import { exportAmount, exportName, kwh, wattsText } from "../energyText.js";
import { rounded } from "../exact.js";
import { failureCard } from "../failure.js";
import { words } from "../language.js";
import { keyOf } from "../periods.js";
import { navigate } from "../router.js";
import { whenChosen } from "../store.js";
import { colour } from "../theme.js";
import { localQuarters } from "../todayStats.js";
import { kindsBar, stepper } from "../toolbar.js";
import { historyNote } from "../widgets.js";
import { daysOf, energyScale, netEnergy, QUARTERS, shadeOf } from "./heatGrid.js";

const NARROW_PX = 700;

/** @typedef {import("./heatGrid.js").Day} Day */
/** @typedef {[number, number, number]} Rgb */
/** The position of the cells. @typedef {{across: boolean, left: number, top: number, cell: [number, number]}} Layout */

/** @type {View} */
export function show(main, { parts }, signal) {
  const key = keyOf("year", parts[0]);
  const content = make("div.content", historyNote(signal));
  const day = key === today().slice(0, 4) ? today() : `${key}-01-01`;
  setTitle(`${words.titles.heat} ${key}`);
  main.append(kindsBar("heat", day), stepper("year", key, (next) => navigate("heat", [next])), content);
  whenChosen(signal, async () => {
    try {
      const answer = await requestHistory("quarters", { from: key }, signal);
      if (!signal.aborted) render(content, answer, signal);
    } catch (error) {
      if (!signal.aborted) content.replaceChildren(failureCard(error));
    }
  });
}

/** @param {HTMLElement} content @param {Api.Quarters} answer @param {AbortSignal} signal */
function render(content, answer, signal) {
  const days = daysOf(localQuarters(answer));
  const scale = energyScale(days);
  if (!scale) { content.replaceChildren(make("p.empty.card", words.nothingRecorded)); return; }
  const hint = matchMedia("(pointer: coarse)").matches ? words.heatHintTouch : words.heatHint;
  const caption = make("p.caption", { "aria-live": "polite" }, hint);
  const canvas = make("canvas", { "aria-hidden": "true" });
  const box = make("div.heatmap", {
    tabindex: "0", role: "slider", "aria-label": words.kinds.heat, "aria-valuemin": "0",
    "aria-valuemax": String(days.length * QUARTERS - 1), "aria-valuenow": "0", "aria-valuetext": hint,
  }, canvas);
  content.replaceChildren(make("section.card.chart-card",
    make("div.card-head", make("h2", words.heatTitle)), caption, box, legend(scale, hasExport(days))));
  /** @type {Layout} */
  let layout = { across: false, left: 0, top: 0, cell: [1, 1] };
  const paint = () => { layout = paintDays(canvas, box.clientWidth, days, scale); };
  const observer = new ResizeObserver(paint);
  observer.observe(box);
  addEventListener("theme", paint, { signal });
  signal.addEventListener("abort", () => observer.disconnect());
  bindPicker(box, canvas, days, () => layout, caption, signal);
}

/** @param {string} hex @returns {Rgb} */
const rgb = (hex) => [parseInt(hex.slice(1, 3), 16), parseInt(hex.slice(3, 5), 16), parseInt(hex.slice(5, 7), 16)];
/** @param {Rgb} from @param {Rgb} to @param {number} ratio */
const mix = (from, to, ratio) => from.map((part, at) => Math.round(part + (to[at] - part) * ratio));

/**
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {Day[]} days
 * @param {number} scale
 * @returns {Layout}
 */
function paintDays(canvas, width, days, scale) {
  const across = width >= NARROW_PX;
  const scaled = (/** @type {number} */ px) => Math.round(px * textScale());
  const [left, top] = across ? [scaled(44), 4] : [scaled(52), scaled(22)];
  /** @type {[number, number]} */
  const cell = across ? [(width - left) / days.length, scaled(3)] : [(width - left) / QUARTERS, 2];
  const rows = across ? QUARTERS : days.length;
  const height = top + rows * cell[1] + (across ? scaled(24) : 4);
  const ratio = pixelRatio();
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const pen = penOf(canvas);
  pen.scale(ratio, ratio);
  /** @type {[number, number]} */
  const size = [width - left, rows * cell[1]];
  pen.fillStyle = hatching(pen);
  const past = days.filter(({ day }) => day <= today()).length;
  if (across) pen.fillRect(left, top, past * cell[0], size[1]); else pen.fillRect(left, top, size[0], past * cell[1]);
  pen.imageSmoothingEnabled = false;
  pen.drawImage(imageOf(days, scale, across), left, top, ...size);
  paintLabels(pen, days, { across, left, top, cell }, size[1]);
  return { across, left, top, cell };
}

/** @param {Day[]} days @param {number} scale @param {boolean} across */
function imageOf(days, scale, across) {
  const [columns, rows] = across ? [days.length, QUARTERS] : [QUARTERS, days.length];
  const image = new ImageData(columns, rows);
  const now = Date.now();
  const [none, imported, highest, exported, card] = ["heat0", "heat-imp", "heat-max", "heat-exp", "card"]
    .map((name) => rgb(colour(name)));
  // from grid goes over a colour in the middle; brightness alone tells how much, and which direction
  const inkOf = (/** @type {number} */ wh) => {
    const shade = shadeOf(wh, scale);
    if (wh < 0) return mix(none, exported, shade);
    return shade < 0.5 ? mix(none, imported, 2 * shade) : mix(imported, highest, 2 * shade - 1);
  };
  days.forEach(({ cells }, day) => cells.forEach((quarter, place) => {
    const energy = netEnergy(quarter);
    if (quarter && energy === null && quarter.at <= now) return;
    const at = 4 * (across ? place * columns + day : day * columns + place);
    // neither a gap: an hour that the clock skipped, and the future
    const ink = energy === null ? card : inkOf(energy);
    image.data.set([...ink, 255], at);
  }));
  const canvas = make("canvas", { width: columns, height: rows });
  penOf(canvas).putImageData(image, 0, 0);
  return canvas;
}

/** @param {CanvasRenderingContext2D} pen @param {Day[]} days @param {Layout} layout @param {number} height */
function paintLabels(pen, days, { across, left, top, cell }, height) {
  pen.fillStyle = colour("soft");
  pen.font = font();
  for (let hour = 0; hour <= 24; hour += 6) {
    const text = String(hour).padStart(2, "0");
    pen.textAlign = across ? "right" : hour === 24 ? "right" : "left";
    pen.textBaseline = across ? "middle" : "bottom";
    if (across) pen.fillText(text, left - 8, top + 6 + ((hour * 4 * cell[1]) / height) * (height - 12));
    else pen.fillText(text, left + hour * 4 * cell[0], top - 4);
  }
  days.forEach(({ day }, at) => {
    if (day.slice(8) !== "01") return;
    pen.textAlign = across ? "left" : "right";
    pen.textBaseline = across ? "top" : "middle";
    const text = dateText(day, { month: "short" });
    if (across) pen.fillText(text, left + at * cell[0], top + height + 8);
    else pen.fillText(text, left - 8, top + at * cell[1] + 8);
  });
}

const hasExport = (/** @type {Day[]} */ days) =>
  days.some(({ cells }) => cells.some((quarter) => (netEnergy(quarter) ?? 0) < 0));

/** The ramps of colours with their numbers, on one scale. @param {number} scale */
function legend(scale, /** @type {boolean} */ isTwoWay) {
  const watts = (/** @type {number} */ share) => wattsText(scale * share * QUARTERS_PER_HOUR);
  // half of the colour is a quarter of the power: see shadeOf
  const marks = ["0", watts(0.25), watts(1)];
  return make("div.heat-key",
    isTwoWay && make("div.ramp.to-grid", make("i", { "aria-hidden": "true" }),
      make("span", `↑ ${words.toGrid}`), [...marks].reverse().slice(0, 2).map((text) => make("span", text))),
    make("div.ramp.from-grid", make("i", { "aria-hidden": "true" }),
      marks.map((text) => make("span", text)), make("span", `↓ ${words.fromGrid}`)),
    legendItem("hatch", words.noData));
}

/** @type {Record<string, [number, number]>} days and quarter-hours that a key moves by */
const MOVES = {
  ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1], PageDown: [7, 0], PageUp: [-7, 0],
};

/**
 * Shows the cell that pointer, finger or key selects.
 * @param {HTMLElement} box
 * @param {HTMLCanvasElement} canvas
 * @param {Day[]} days
 * @param {() => Layout} layout
 * @param {HTMLElement} caption
 * @param {AbortSignal} signal
 */
function bindPicker(box, canvas, days, layout, caption, signal) {
  let [day, place] = [days.length - 1, 0];
  const open = () => navigate("day", [days[day].day]);
  const showCell = () => {
    const text = cellText(days[day].day, days[day].cells[place]);
    setText(caption, text);
    box.setAttribute("aria-valuenow", String(day * QUARTERS + place));
    box.setAttribute("aria-valuetext", text);
  };
  const select = (/** @type {PointerEvent} */ event) => {
    const { across, left, top, cell } = layout();
    const edge = canvas.getBoundingClientRect();
    const column = Math.floor((event.clientX - edge.left - left) / cell[0]);
    const row = Math.floor((event.clientY - edge.top - top) / cell[1]);
    const [nextDay, nextPlace] = across ? [column, row] : [row, column];
    if (nextDay < 0 || nextPlace < 0 || nextDay >= days.length || nextPlace >= QUARTERS) return;
    [day, place] = [nextDay, nextPlace];
    showCell();
  };
  openByPointer(canvas, () => day, open, signal);
  canvas.addEventListener("pointermove", select, { signal });
  canvas.addEventListener("pointerdown", select, { signal });
  box.addEventListener("keydown", (event) => {
    const move = MOVES[event.key];
    if (event.key === "Enter") open();
    if (!move) return;
    event.preventDefault();
    event.stopPropagation();
    day = Math.min(Math.max(day + move[0], 0), days.length - 1);
    place = Math.min(Math.max(place + move[1], 0), QUARTERS - 1);
    showCell();
  }, { signal });
}

/** @param {string} day @param {Quarter | null} quarter */
function cellText(day, quarter) {
  const date = dateText(day, { weekday: "short", day: "numeric", month: "short", year: "numeric" });
  if (!quarter) return `${date} · ${words.noData}`;
  const start = `${date} ${shortTime(quarter.at)}`;
  if (quarter.at > Date.now()) return `${start} · ${words.future}`;
  if (quarter.imported === null) return `${start} · ${words.noData}`;
  const exported = quarter.exported === null ? ""
    : ` · ${exportName(quarter.exported)} ${kwh(exportAmount(quarter.exported))}`;
  const watts = rounded(times(quarter.imported, QUARTERS_PER_HOUR));
  return `${start} · ${words.fromGrid} ${kwh(quarter.imported)} (${watts} W)${exported}`;
}
