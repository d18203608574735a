// Addresses below the hash: #/day/2026-11-22?as=table is the view "day" with one part and one choice.

import { styles } from "./dom.js";
import { again } from "./stream.js";

export const PERIODS = ["day", "week", "month", "year", "all"];
const period = () => import("./views/history.js");
const VIEWS = {
  now: () => import("./views/now.js"),
  wall: () => import("./views/wall.js"),
  ...styledToo({
    registers: () => import("./views/registers.js"),
    ...Object.fromEntries(PERIODS.map((kind) => [kind, period])),
    heat: () => import("./views/heat.js"),
    compare: () => import("./views/compare.js"),
    cost: () => import("./views/cost.js"),
    setup: () => import("./views/setup.js"),
    about: () => import("./views/about.js"),
    fleet: () => import("./views/fleet.js"),
  }),
};
/** A server that reads no meter shows what is in its database. */
export const isCentre = document.documentElement.dataset.centre === "yes";
export const HOME = isCentre ? "fleet" : "now";

/** With the style sheets that the first view does without. */
function styledToo(views) {
  const both = (load) => async () => (await Promise.all([load(), styles()]))[0];
  return Object.fromEntries(Object.entries(views).map(([name, load]) => [name, both(load)]));
}

/** @typedef {{view: string, parts: string[], query: URLSearchParams}} Place */

/** @returns {Place} */
export function place(hash = location.hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [view, ...parts] = path.split("/").map(decodeURIComponent);
  return { view: view in VIEWS ? view : HOME, parts, query: new URLSearchParams(query) };
}

/** The address of a place; choices that are empty are left out. */
export function link(view, parts = [], query = {}) {
  const path = [view, ...parts].filter((part) => part !== "").map(encodeURIComponent).join("/");
  const chosen = new URLSearchParams(Object.entries(query).filter(([, value]) => value));
  return `#/${path}${String(chosen) && `?${chosen}`}`;
}

export const go = (...where) => { location.hash = link(...where); };
/** Another address for what is shown, without a step back to it. */
export const become = (...where) => { history.replaceState(null, "", link(...where)); };

/**
 * Shows the view of the address, now and whenever it changes. A view is a function
 * (main, place, signal) -> (() => void) | void: it fills `main`, and the signal aborts when it is left.
 */
export function route(main, shown) {
  let leave = new AbortController();
  async function show() {
    leave.abort();
    leave = new AbortController();
    const { signal } = leave;
    const here = place();
    // a release that is gone has no more files: start again with the new one
    const view = await VIEWS[here.view]().catch(again);
    if (!view || signal.aborted) return;
    main.replaceChildren();
    main.className = here.view;
    shown(here);
    await view.show(main, here, signal);
  }
  addEventListener("hashchange", show);
  return show();
}
