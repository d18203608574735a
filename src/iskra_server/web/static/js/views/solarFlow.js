// The flow of solar power now: sun, house and grid as a picture, with a sentence for screen readers; today.

import { request } from "../api.js";
import { QUARTER_MS, today } from "../calendar.js";
import { loadStyles, make, makeSvg, pair, setContent, setText } from "../dom.js";
import { wattsText } from "../energyText.js";
import { flowsOf, produced } from "../solarFlows.js";
import { notesOf, solarPairs } from "../solarText.js";
import { solarWords } from "../solarWords.js";
import { currentOf, meterName, powerOf, store, subscribe } from "../store.js";

const RECORDING_MS = 5_000;
// rays, roof and walls, pylon
const ICONS = {
  sun: ["M0 -8a8 8 0 1 0 0.01 0", "M0 -16v-4M0 16v4M-16 0h-4M16 0h4M-11 -11l-3 -3M11 11l3 3M11 -11l3 -3M-11 11l-3 3"],
  house: ["M-17 0L0 -16L17 0", "M-12 -4V15H12V-4", "M-3 15V5H3V15"],
  grid: ["M-10 18L-3 -18H3L10 18", "M-13 -8H13M-11 2H11M-7 8L7 16M7 8L-7 16"],
};
/** @type {Record<keyof typeof ICONS, [number, number]>} */
const PLACES = { sun: [170, 46], house: [58, 186], grid: [282, 186] };
const RADIUS = 32;

/** A card before the chart of today. @param {HTMLElement} main @param {AbortSignal} signal */
export async function showSolarFlow(main, signal) {
  await loadStyles();
  if (signal.aborted) return;
  const picture = flowPicture();
  const reason = make("p.soft");
  const day = make("div.solar-today");
  const card = make("section.card.solar-now", make("h2", solarWords.now),
    make("div.solar-parts", picture.node, reason, day));
  (main.querySelector(".today") ?? main).before(card);
  signal.addEventListener("abort", subscribe(() => {
    const flows = currentFlows();
    const isShown = typeof flows !== "string";
    picture.node.toggleAttribute("hidden", !isShown);
    setText(reason, isShown ? "" : flows);
    if (isShown) picture.show(flows);
  }));
  await refreshEachQuarter(day, signal);
}

/** The flows while every meter has a current power, else why there are none. */
function currentFlows() {
  const grid = store.statuses.find(({ facts }) => facts.role === "grid");
  // two heads may read the same meter
  const plants = [...new Map(store.statuses.filter(({ facts }) => facts.role === "production")
    .map((status) => [status.meter_id ?? status.source, status])).values()];
  const statuses = [...(grid ? [grid] : []), ...plants];
  const missing = statuses.filter(({ meter_id: id }) => powerOf(currentOf(id ?? "")) === undefined);
  if (!grid) return solarWords.noGrid;
  if (missing.length) {
    return solarWords.noFlow(missing.map(({ meter_id: id, facts, source }) =>
      (id ? meterName(id) : facts.name || source)).join(", "));
  }
  const watts = (/** @type {Api.SourceStatus} */ { meter_id: id }) => Number(powerOf(currentOf(id ?? "")));
  const production = plants.reduce((all, status) => all + produced(watts(status), status.facts.production_counter), 0);
  const flows = flowsOf(watts(grid), production);
  // such a meter shows 0 W while the house exports
  if (flows.fromGrid === 0 && flows.toGrid === 0 && grid.facts.is_import_only) return solarWords.noExport;
  return flows.house < 0 ? solarWords.differ : flows;
}

/** Nodes and arrows. */
function flowPicture() {
  const arrows = {
    toHouse: arrow("sun", "house", "self"),
    toGrid: arrow("sun", "grid", "export"),
    fromGrid: arrow("grid", "house", "import"),
  };
  const labels = {
    production: nodeLabel("sun", solarWords.solar), house: nodeLabel("house", solarWords.house),
    grid: nodeLabel("grid", solarWords.grid),
  };
  const node = makeSvg("svg.flow", { viewBox: "0 0 340 262", role: "img" },
    Object.values(arrows).map((one) => one.node), Object.values(labels).map((one) => one.node));

  /** @param {import("../solarFlows.js").Flows} flows */
  function show(flows) {
    const { production, house, toHouse, toGrid, fromGrid } = flows;
    const texts = {
      production: wattsText(production), house: wattsText(house), toHouse: wattsText(toHouse),
      toGrid: wattsText(toGrid), fromGrid: wattsText(fromGrid),
    };
    arrows.toHouse.show(toHouse, texts.toHouse);
    arrows.toGrid.show(toGrid, texts.toGrid);
    arrows.fromGrid.show(fromGrid, texts.fromGrid);
    labels.production.show(texts.production);
    labels.house.show(texts.house);
    labels.grid.show(toGrid > 0 ? `↑ ${texts.toGrid}` : `↓ ${texts.fromGrid}`);
    node.setAttribute("aria-label", solarWords.flow(texts));
  }
  return { node, show };
}

/**
 * A line with a head at its end and the power beside it. Without power it is thin and dashed, and has no head.
 * @param {keyof typeof ICONS} from @param {keyof typeof ICONS} to @param {string} flow
 */
function arrow(from, to, flow) {
  const [[x1, y1], [x2, y2]] = [PLACES[from], PLACES[to]];
  const length = Math.hypot(x2 - x1, y2 - y1);
  const [dx, dy] = [(x2 - x1) / length, (y2 - y1) / length];
  const at = (/** @type {number} */ distance) => [x1 + dx * distance, y1 + dy * distance];
  const [begin, end, tip] = [at(RADIUS + 5), at(length - RADIUS - 16), at(length - RADIUS - 5)];
  const sides = [-7, 7].map((side) => [end[0] - dy * side, end[1] + dx * side]);
  const label = makeSvg("text.watts", {
    x: (x1 + x2) / 2 + (dy ? Math.sign(dx) * 14 : 0), y: (y1 + y2) / 2 - (dy ? 4 : 9),
    "text-anchor": !dy ? "middle" : dx < 0 ? "end" : "start",
  });
  const node = makeSvg("g.arrow", { "data-flow": flow },
    makeSvg("line", { x1: begin[0], y1: begin[1], x2: end[0], y2: end[1] }),
    makeSvg("polygon", { points: [tip, ...sides].map((point) => point.join()).join(" ") }), label);
  const show = (/** @type {number} */ watts, /** @type {string} */ text) => {
    node.toggleAttribute("data-active", Math.round(watts) > 0);
    setText(label, Math.round(watts) > 0 ? text : "");
  };
  return { node, show };
}

/** @param {keyof typeof ICONS} name @param {string} title */
function nodeLabel(name, title) {
  const [x, y] = PLACES[name];
  const isSun = name === "sun";
  const place = isSun ? { x: x + RADIUS + 12 } : { x, "text-anchor": "middle" };
  const value = makeSvg("text.value", { ...place, y: isSun ? y + 16 : y + RADIUS + 40 });
  const node = makeSvg("g.place", { "data-place": name },
    makeSvg("circle", { cx: x, cy: y, r: RADIUS }),
    makeSvg("g", { transform: `translate(${x} ${y})` }, ICONS[name].map((d) => makeSvg("path", { d }))),
    makeSvg("text.name", { ...place, y: isSun ? y - 4 : y + RADIUS + 20 }, title), value);
  return { node, show: (/** @type {string} */ text) => setText(value, text) };
}

/** @param {HTMLElement} box @param {AbortSignal} signal */
async function refreshEachQuarter(box, signal) {
  const refresh = async () => {
    const energy = await request("api/v1/solar/energy", { from: today(), bucket: "day" }, signal);
    setContent(box, make("h3", solarWords.today), make("dl.pairs", solarPairs(energy.total).map(([name, text, small]) =>
      pair(name, text, small && make("small", ` ${small}`)))), notesOf(energy).map((text) => make("p.soft", text)));
  };
  // without history there is no energy of today
  await refresh().catch(() => {});
  if (signal.aborted) return;
  const repeat = () => { refresh().catch(() => {}); timer = setTimeout(repeat, QUARTER_MS); };
  let timer = setTimeout(repeat, QUARTER_MS - (Date.now() % QUARTER_MS) + RECORDING_MS);
  signal.addEventListener("abort", () => clearTimeout(timer));
}
