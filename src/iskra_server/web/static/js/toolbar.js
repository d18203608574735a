// Above every view of history: which kind of period, which one, a step back and on, a jump.

import { today } from "./calendar.js";
import { make } from "./dom.js";
import { icon } from "./icons.js";
import { words } from "./language.js";
import { firstDay, isCurrent, isFuture, isKind, keyOf, KINDS, periodTitle, step } from "./periods.js";
import { link, PERIODS } from "./router.js";

/** The kinds of period, around a date. @param {Kind | "heat" | "compare"} view @param {string} date */
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
  ]);
}

/**
 * Links within a section: [name, address, whether it is here]. On a narrow screen they are wider than the page.
 * @param {string} label
 * @param {[string, string, boolean][]} places
 */
export function navBar(label, places) {
  const links = places.map(([name, href, isHere]) => make("a", { href, "aria-current": isHere ? "page" : null }, name));
  const node = make("nav.kinds", { "aria-label": label }, links);
  queueMicrotask(() => {
    const here = links.find((_, at) => places[at][2]);
    if (here) node.scrollLeft = here.offsetLeft + (here.clientWidth - node.clientWidth) / 2;
  });
  return node;
}

/**
 * The period's title between two steps; the date leads anywhere.
 * @param {Kind} kind
 * @param {string} key
 * @param {(key: string) => void} open
 */
export function stepper(kind, key, open) {
  const title = periodTitle(kind, key);
  if (kind === "all") return make("div.stepper", make("h1", title));
  const [before, after] = [step(kind, key, -1), step(kind, key, 1)];
  const jump = make("input", {
    type: "date", "aria-label": words.goToDate, max: today(), value: firstDay(kind, key),
    onchange: ({ target }) => { if (target.value) open(keyOf(kind, KINDS[kind].key(target.value))); },
  });
  const button = { type: "button" };
  return make("div.stepper",
    make("button.step", button, { "aria-label": words.earlier, "data-key": "ArrowLeft", onclick: () => open(before) },
      icon("left")),
    make("h1", { "aria-live": "polite" }, title),
    make("button.step", button, { "aria-label": words.later, "data-key": "ArrowRight", disabled: isFuture(kind, after),
      onclick: () => open(after) }, icon("right")),
    make("div.jump", jump,
      make("button.quiet", button, { "data-key": "t", disabled: isCurrent(kind, key),
        onclick: () => open(keyOf(kind, "")) }, words.current[kind])));
}

/** @type {("diagnosis" | "head" | "locked" | "homeassistant")[]} */
const SETUP_PAGES = ["diagnosis", "head", "locked", "homeassistant"];

/** The pages of set-up; `page` is the name in the address, which the first one has none of. @param {string} page */
export function setupBar(page) {
  /** @type {[string, string, boolean][]} */
  const pages = SETUP_PAGES.map((name, at) =>
    [words.setup.pages[name], link("setup", at ? [name] : []), name === (page || SETUP_PAGES[0])]);
  return navBar(words.sections.setup, [...pages, [words.about, link("about"), page === "about"]]);
}
