// Above every view of history: which kind of period, which one, a step back and on, a jump.

import { today } from "./clock.js";
import { make } from "./dom.js";
import { icon } from "./icons.js";
import { words } from "./language.js";
import { firstDay, isFuture, isNow, keyOf, KINDS, step, title } from "./periods.js";
import { go, link } from "./router.js";

/** The kinds of period, around a date. */
export function kinds(view, date, as = "") {
  const to = (name) => ({
    heat: link("heat", [date.slice(0, 4)]),
    compare: link("compare", KINDS[view] && view !== "all" ? [view, keyOf(view, keyAt(view, date))] : []),
  }[name] ?? link(name, name === "all" ? [] : [keyOf(name, keyAt(name, date))], { as }));
  return bar(words.kindsLabel, [...Object.keys(KINDS), "heat", "compare"].map((name) => [words.kinds[name], to(name), name === view]));
}

/** Where one can go within a section: [name, address, whether it is here]. On a narrow screen it is wider than the page. */
export function bar(label, places) {
  const node = make("nav.kinds", { "aria-label": label }, places.map(([name, href, here]) =>
    make("a", { href, "aria-current": here ? "page" : null }, name)));
  queueMicrotask(() => {
    const here = node.querySelector("[aria-current]");
    if (here) node.scrollLeft = here.offsetLeft + (here.clientWidth - node.clientWidth) / 2;
  });
  return node;
}

const keyAt = (kind, date) => KINDS[kind].key(date);

/** The period's title between two steps; the date leads anywhere. */
export function stepper(kind, key, as = "", open = (next) => go(kind, [next], { as })) {
  if (kind === "all") return make("div.stepper", make("h1", title(kind, key)));
  const next = step(kind, key, 1);
  const jump = make("input", { type: "date", "aria-label": words.jump, max: today(), value: firstDay(kind, key),
    onchange: ({ target }) => target.value && open(keyOf(kind, KINDS[kind].key(target.value))) });
  return make("div.stepper",
    make("button.step", { type: "button", "aria-label": words.before, "data-key": "ArrowLeft", onclick: () => open(step(kind, key, -1)) }, icon("left")),
    make("h1", { "aria-live": "polite" }, title(kind, key)),
    make("button.step", { type: "button", "aria-label": words.after, "data-key": "ArrowRight", disabled: isFuture(kind, next), onclick: () => open(next) }, icon("right")),
    make("div.jump", jump, make("button.quiet", { type: "button", "data-key": "t", disabled: isNow(kind, key), onclick: () => open(keyOf(kind, "")) }, words.present[kind])));
}

const SETUP_PAGES = ["chain", "head", "locked", "homeassistant"];

/** Where one can go in set-up; `page` is the name in the address, which the first one has none of. */
export function setupBar(page) {
  const pages = SETUP_PAGES.map((name, at) => [words.setup.pages[name], link("setup", at ? [name] : []), name === (page || SETUP_PAGES[0])]);
  return bar(words.sections.setup, [...pages, [words.about, link("about"), page === "about"]]);
}
