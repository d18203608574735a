// A year at a glance: a cell for each quarter of an hour. On a narrow screen days go down, else they go across.

import { askMeter } from "../api.js";
import { dated, shortTime, today } from "../clock.js";
import { make, say } from "../dom.js";
import { grouped, rounded, times } from "../exact.js";
import { words } from "../language.js";
import { keyOf } from "../periods.js";
import { colour } from "../theme.js";
import { quarters } from "../today.js";
import { kinds, stepper } from "../toolbar.js";
import { hatching } from "../charts/plot.js";
import { whenChosen } from "../store.js";

const QUARTERS = 96;
const NARROW = 700;
// the strongest hundredth of the quarters does not set the scale
const SCALE_SHARE = 0.99;

export function show(main, { parts }, signal) {
  const key = keyOf("year", parts[0]);
  const content = make("div.content", make("p.empty", words.loading));
  const day = key === today().slice(0, 4) ? today() : `${key}-01-01`;
  main.append(kinds("heat", day), stepperOf(key), content);
  whenChosen(signal, async () => {
    try {
      const answer = await askMeter("quarters", { from: key }, signal);
      if (!signal.aborted) render(content, answer, signal);
    } catch (problem) {
      if (!signal.aborted) content.replaceChildren(make("p.empty.card", problem.message));
    }
  });
}

const stepperOf = (key) => stepper("year", key, "", (next) => { location.hash = `#/heat/${next}`; });

function render(content, answer, signal) {
  const grid = gridOf(quarters(answer));
  const scale = scaleOf(grid);
  if (!scale) { content.replaceChildren(make("p.empty.card", words.nothingRecorded)); return; }
  const told = make("p.told", { "aria-live": "polite" }, words.heatLegend);
  const canvas = make("canvas", { "aria-hidden": "true" });
  const box = make("div.heatmap", { tabindex: "0", role: "slider", "aria-label": words.kinds.heat, "aria-valuemin": "0",
    "aria-valuemax": String(grid.length * QUARTERS - 1), "aria-valuenow": "0", "aria-valuetext": words.heatLegend }, canvas);
  content.replaceChildren(make("section.card.chart-card", make("div.card-head", make("h2", words.heatTitle)), told, box, legend(scale)));
  const form = {};
  const paint = () => Object.assign(form, paintGrid(canvas, box.clientWidth, grid, scale));
  const observer = new ResizeObserver(paint);
  observer.observe(box);
  addEventListener("theme", paint, { signal });
  signal.addEventListener("abort", () => observer.disconnect());
  pick(box, canvas, grid, form, told, signal);
}

/** Days of 96 cells by the clock on the wall; a quarter that a day has twice is told as the later one. */
function gridOf(all) {
  const days = new Map();
  for (const quarter of all) {
    if (!days.has(quarter.day)) days.set(quarter.day, { day: quarter.day, cells: Array(QUARTERS).fill(null) });
    const [hour, minute] = quarter.clock.split(":").map(Number);
    days.get(quarter.day).cells[hour * 4 + minute / 15] = quarter;
  }
  return [...days.values()];
}

/** Net energy of a cell in Wh, null where it was not measured. */
const net = (quarter) => (quarter?.up == null ? null : Number(quarter.up) - Number(quarter.down ?? 0));

function scaleOf(grid) {
  const all = grid.flatMap(({ cells }) => cells.map(net)).filter((each) => each !== null);
  const reach = (values) => values.sort((a, b) => a - b)[Math.floor((values.length - 1) * SCALE_SHARE)] ?? 0;
  return all.length ? { up: Math.max(1, reach(all.filter((each) => each >= 0))), down: Math.max(1, reach(all.filter((each) => each < 0).map((each) => -each))) } : null;
}

const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
const mix = (from, to, share) => from.map((each, at) => Math.round(each + (to[at] - each) * share));
/** A square root: small loads can be told apart. */
const shade = (value, scale) => Math.sqrt(Math.min(1, Math.abs(value) / (value < 0 ? scale.down : scale.up)));

function paintGrid(canvas, width, grid, scale) {
  const across = width >= NARROW;
  const [left, top] = across ? [44, 4] : [52, 22];
  const cell = across ? [(width - left) / grid.length, 3] : [(width - left) / QUARTERS, 2];
  const height = across ? top + QUARTERS * cell[1] + 24 : top + grid.length * cell[1] + 4;
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  const size = across ? [width - left, QUARTERS * cell[1]] : [width - left, grid.length * cell[1]];
  pen.fillStyle = hatching(pen);
  const past = grid.filter(({ day }) => day <= today()).length;
  if (across) pen.fillRect(left, top, past * cell[0], size[1]); else pen.fillRect(left, top, size[0], past * cell[1]);
  pen.imageSmoothingEnabled = false;
  pen.drawImage(imageOf(grid, scale, across), left, top, ...size);
  labels(pen, grid, across, [left, top], cell, size);
  return { across, left, top, cell };
}

function imageOf(grid, scale, across) {
  const [columns, rows] = across ? [grid.length, QUARTERS] : [QUARTERS, grid.length];
  const image = new ImageData(columns, rows);
  const now = Date.now();
  const [none, imp, exp] = ["heat0", "imp", "exp"].map((name) => rgb(colour(name)));
  grid.forEach(({ cells }, day) => cells.forEach((quarter, place) => {
    const value = net(quarter);
    if (quarter && value === null && quarter.at <= now) return;
    const at = 4 * (across ? place * columns + day : day * columns + place);
    // an hour that the clock skipped is no gap, nor what is still to come
    image.data.set([...(quarter && value !== null ? mix(none, value < 0 ? exp : imp, shade(value, scale)) : rgb(colour("card"))), 255], at);
  }));
  const canvas = make("canvas", { width: columns, height: rows });
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

function labels(pen, grid, across, [left, top], cell, size) {
  pen.fillStyle = colour("soft");
  pen.font = "12px system-ui, sans-serif";
  for (let hour = 0; hour <= 24; hour += 6) {
    const text = String(hour).padStart(2, "0");
    pen.textAlign = across ? "right" : hour === 24 ? "right" : "left";
    pen.textBaseline = across ? "middle" : "bottom";
    if (across) pen.fillText(text, left - 8, top + 6 + ((hour * 4 * cell[1]) / size[1]) * (size[1] - 12));
    else pen.fillText(text, left + hour * 4 * cell[0], top - 4);
  }
  grid.forEach(({ day }, at) => {
    if (day.slice(8) !== "01") return;
    pen.textAlign = across ? "left" : "right";
    pen.textBaseline = across ? "top" : "middle";
    const text = dated(day, { month: "short" });
    if (across) pen.fillText(text, left + at * cell[0], top + size[1] + 8);
    else pen.fillText(text, left - 8, top + at * cell[1] + 8);
  });
}

function legend(scale) {
  const step = (name, value) => make("span.ink", { "data-ink": name }, make("i", { "aria-hidden": "true" }), value);
  const watts = (wh) => `${rounded(String(Math.round(wh * 4)))} W`;
  return make("p.heat-key", scale.down > 1 && step("exp", `${words.fed} ${watts(scale.down)}`), step("none", "0 W"), step("imp", `${words.drawn} ${watts(scale.up)}`), step("hatch", words.notMeasured));
}

function pick(box, canvas, grid, form, told, signal) {
  let [day, place] = [grid.length - 1, 0];
  const tell = () => {
    const quarter = grid[day].cells[place];
    const text = textOf(grid[day].day, quarter);
    say(told, text);
    box.setAttribute("aria-valuenow", String(day * QUARTERS + place));
    box.setAttribute("aria-valuetext", text);
  };
  const under = (event) => {
    const edge = canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - edge.left - form.left, event.clientY - edge.top - form.top];
    const [a, b] = [Math.floor(x / form.cell[0]), Math.floor(y / form.cell[1])];
    const [d, p] = form.across ? [a, b] : [b, a];
    if (d < 0 || p < 0 || d >= grid.length || p >= QUARTERS) return;
    [day, place] = [d, p];
    tell();
  };
  canvas.addEventListener("pointermove", under, { signal });
  canvas.addEventListener("pointerdown", under, { signal });
  canvas.addEventListener("dblclick", () => { location.hash = `#/day/${grid[day].day}`; }, { signal });
  box.addEventListener("keydown", (event) => {
    const move = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1], PageDown: [7, 0], PageUp: [-7, 0] }[event.key];
    if (event.key === "Enter") location.hash = `#/day/${grid[day].day}`;
    if (!move) return;
    event.preventDefault();
    event.stopPropagation();
    day = Math.min(Math.max(day + move[0], 0), grid.length - 1);
    place = Math.min(Math.max(place + move[1], 0), QUARTERS - 1);
    tell();
  }, { signal });
}

function textOf(day, quarter) {
  const date = dated(day, { weekday: "short", day: "numeric", month: "short", year: "numeric" });
  if (!quarter) return `${date} · ${words.notMeasured}`;
  const when = `${date} ${shortTime(quarter.at)}`;
  if (quarter.at > Date.now()) return `${when} · ${words.ahead}`;
  if (quarter.up === null) return `${when} · ${words.notMeasured}`;
  const fed = quarter.down === null ? "" : ` · ${words.fed} ${grouped(quarter.down, 3)} kWh`;
  return `${when} · ${words.drawn} ${grouped(quarter.up, 3)} kWh (${rounded(times(quarter.up, 4))} W)${fed}`;
}
