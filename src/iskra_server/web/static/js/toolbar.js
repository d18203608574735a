// The controls above the views of history, cost and set-up: links, the period and its neighbours, the date.

import { dateText, today } from "./calendar.js";
import { make } from "./dom.js";
import { icon } from "./icons.js";
import { words } from "./language.js";
import { isCurrent, isFuture, isKind, keyOf, KINDS, periodTitle, step } from "./periods.js";
import { link, PERIODS } from "./router.js";

const LISTED_YEARS = 10;
const NARROW_PX = 560;

/**
 * Links to the kinds of period around a date.
 * @param {Kind | "heat" | "compare" | "normal"} view
 * @param {string} date
 */
export function kindsBar(view, date, as = "") {
  const key = (/** @type {Kind} */ kind) => keyOf(kind, KINDS[kind].key(date));
  const periods = periodLinks(view, date, (kind, at) => link(kind, [at], { as }));
  const compared = isKind(view) && view !== "all" ? [view, key(view)] : [];
  return navBar(words.kindsLabel, [
    ...periods,
    [words.kinds.heat, link("heat", [date.slice(0, 4)]), view === "heat"],
    [words.kinds.compare, link("compare", compared), view === "compare"],
    [words.kinds.normal, link("normal"), view === "normal"],
  ]);
}

/**
 * Links to the periods around a date: [name, address, whether it is shown].
 * @param {string} shown
 * @param {string} date
 * @param {(kind: Kind, key: string) => string} address
 * @returns {[string, string, boolean][]}
 */
export const periodLinks = (shown, date, address, kinds = PERIODS) =>
  kinds.map((kind) => [words.kinds[kind], address(kind, keyOf(kind, KINDS[kind].key(date))), kind === shown]);

/**
 * Links within a section: [name, address, whether it is shown]. On a narrow screen the bar scrolls to that one.
 * @param {string} label
 * @param {[string, string, boolean][]} entries
 */
export function navBar(label, entries) {
  const links = entries.map(([name, href, isShown]) =>
    make("a", { href, "aria-current": isShown ? "page" : null }, name));
  const node = make("nav.kinds", { "aria-label": label }, links);
  queueMicrotask(() => {
    const shown = links.find((_, index) => entries[index][2]);
    if (shown) node.scrollLeft = shown.offsetLeft + (shown.clientWidth - node.clientWidth) / 2;
  });
  return node;
}

/**
 * The title of the period, buttons for the previous, next and current period, and a date input.
 * @param {Kind} kind
 * @param {string} key
 * @param {(key: string) => void} open
 */
export function stepper(kind, key, open) {
  const title = periodTitle(kind, key, innerWidth < NARROW_PX ? "short" : "long");
  if (kind === "all") return make("div.stepper", make("h1", title));
  const [previous, next] = [step(kind, key, -1), step(kind, key, 1)];
  const button = { type: "button" };
  return make("div.stepper",
    make("button.step", button, { "aria-label": words.earlier, "data-key": "ArrowLeft", onclick: () => open(previous) },
      icon("left")),
    make("button.step", button, { "aria-label": words.later, "data-key": "ArrowRight", disabled: isFuture(kind, next),
      onclick: () => open(next) }, icon("right")),
    make("h1", { "aria-live": "polite" }, title),
    make("div.jump", jumpTo(kind, key, open),
      make("button.quiet", button, { "data-key": "t", disabled: isCurrent(kind, key),
        onclick: () => open(keyOf(kind, "")) }, words.current[kind])));
}

/**
 * A choice of the period itself: a day by its date, a month by its name and its year.
 * @param {Exclude<Kind, "all">} kind
 * @param {string} key
 * @param {(key: string) => void} open
 */
function jumpTo(kind, key, open) {
  if (kind === "day" || kind === "week") {
    return make("input", {
      type: "date", "aria-label": words.goToDate, max: today(), value: key,
      onchange: ({ target }) => { if (target.value) open(keyOf(kind, KINDS[kind].key(target.value))); },
    });
  }
  const [year, month] = key.split("-");
  /** @param {string} label @param {string[]} values @param {string} chosen @param {(value: string) => string} text */
  const select = (label, values, chosen, text, /** @type {(value: string) => void} */ choose) =>
    make("select", { "aria-label": label, onchange: ({ target }) => choose(target.value) },
      values.map((value) => make("option", { value, selected: value === chosen }, text(value))));
  const years = yearsWith(Number(year));
  const yearSelect = select(words.kinds.year, years, year, String, (value) =>
    open(month ? earliest(`${value}-${month}`, keyOf("month", "")) : value));
  if (!month) return yearSelect;
  const months = Array.from({ length: 12 }, (_, at) => `${year}-${String(at + 1).padStart(2, "0")}`)
    .filter((value) => !isFuture("month", value));
  const monthName = (/** @type {string} */ value) => dateText(`${value}-01`, { month: "long" });
  return [select(words.kinds.month, months, key, monthName, open), yearSelect];
}

const earliest = (/** @type {string} */ one, /** @type {string} */ other) => (one < other ? one : other);

/** The last years, and those up to the shown one. @param {number} shown */
function yearsWith(shown) {
  const last = Math.max(Number(today().slice(0, 4)), shown);
  const first = Math.min(last - LISTED_YEARS + 1, shown);
  return Array.from({ length: last - first + 1 }, (_, at) => String(last - at).padStart(4, "0"));
}

/** Links to the pages of cost. @param {"cost" | "contracts" | "contract"} page */
export const costPages = (page) => navBar(words.sections.cost, [
  [words.sections.cost, link("cost"), page === "cost"],
  [words.titles.contracts, link("contracts"), page === "contracts"],
  [words.cost.enter, link("cost", ["contract"]), page === "contract"],
]);

/** @type {("diagnosis" | "head" | "locked" | "homeassistant")[]} */
const SETUP_PAGES = ["diagnosis", "head", "locked", "homeassistant"];

/** Links to the pages of set-up; `page` is the name in the address, empty for the first. @param {string} page */
export function setupBar(page) {
  /** @type {[string, string, boolean][]} */
  const pages = SETUP_PAGES.map((name, index) =>
    [words.setup.pages[name], link("setup", index ? [name] : []), name === (page || SETUP_PAGES[0])]);
  return navBar(words.sections.setup, [...pages, [words.about, link("about"), page === "about"]]);
}
