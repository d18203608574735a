// The controls above the views of history and set-up: links, the period and its neighbours, the date.

import { today } from "./calendar.js";
import { make } from "./dom.js";
import { icon } from "./icons.js";
import { words } from "./language.js";
import { firstDay, isCurrent, isFuture, isKind, keyOf, KINDS, periodTitle, step } from "./periods.js";
import { link, PERIODS } from "./router.js";

/**
 * Links to the kinds of period around a date.
 * @param {Kind | "heat" | "compare" | "normal"} view
 * @param {string} date
 */
export function kindsBar(view, date, as = "") {
  const key = (/** @type {Kind} */ kind) => keyOf(kind, KINDS[kind].key(date));
  /** @type {[string, string, boolean][]} */
  const periods = PERIODS.map((kind) =>
    [words.kinds[kind], link(kind, kind === "all" ? [] : [key(kind)], { as }), kind === view]);
  const compared = isKind(view) && view !== "all" ? [view, key(view)] : [];
  return navBar(words.kindsLabel, [
    ...periods,
    [words.kinds.heat, link("heat", [date.slice(0, 4)]), view === "heat"],
    [words.kinds.compare, link("compare", compared), view === "compare"],
    [words.kinds.normal, link("normal"), view === "normal"],
  ]);
}

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
  const title = periodTitle(kind, key);
  if (kind === "all") return make("div.stepper", make("h1", title));
  const [previous, next] = [step(kind, key, -1), step(kind, key, 1)];
  const dateInput = make("input", {
    type: "date", "aria-label": words.goToDate, max: today(), value: firstDay(kind, key),
    onchange: ({ target }) => { if (target.value) open(keyOf(kind, KINDS[kind].key(target.value))); },
  });
  const button = { type: "button" };
  return make("div.stepper",
    make("button.step", button, { "aria-label": words.earlier, "data-key": "ArrowLeft", onclick: () => open(previous) },
      icon("left")),
    make("h1", { "aria-live": "polite" }, title),
    make("button.step", button, { "aria-label": words.later, "data-key": "ArrowRight", disabled: isFuture(kind, next),
      onclick: () => open(next) }, icon("right")),
    make("div.jump", dateInput,
      make("button.quiet", button, { "data-key": "t", disabled: isCurrent(kind, key),
        onclick: () => open(keyOf(kind, "")) }, words.current[kind])));
}

/** @type {("diagnosis" | "head" | "locked" | "homeassistant")[]} */
const SETUP_PAGES = ["diagnosis", "head", "locked", "homeassistant"];

/** Links to the pages of set-up; `page` is the name in the address, empty for the first. @param {string} page */
export function setupBar(page) {
  /** @type {[string, string, boolean][]} */
  const pages = SETUP_PAGES.map((name, index) =>
    [words.setup.pages[name], link("setup", index ? [name] : []), name === (page || SETUP_PAGES[0])]);
  return navBar(words.sections.setup, [...pages, [words.about, link("about"), page === "about"]]);
}
