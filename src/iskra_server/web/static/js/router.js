// Addresses below the hash: #/day/2026-11-22?as=table is the view "day" with one part and one choice.

import { HOME } from "./page.js";
import { again } from "./stream.js";

export const PERIODS = ["day", "week", "month", "year", "all"];

/** @typedef {{view: string, parts: string[], query: URLSearchParams}} Place */

/** @returns {Place} where a hash leads to among the views of these names */
export function place(names, hash = location.hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [view, ...parts] = path.split("/").map(decodeURIComponent);
  return { view: names.includes(view) ? view : HOME, parts, query: new URLSearchParams(query) };
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
 * Shows the view of the address, now and whenever it changes. `views` loads the module of each by its name; its
 * function show(main, place, signal) fills `main`, and the signal aborts when the view is left.
 */
export function route(main, views, shown) {
  let leave = new AbortController();
  async function show() {
    leave.abort();
    leave = new AbortController();
    const { signal } = leave;
    const here = place(Object.keys(views));
    // a release that is gone has no more files: start again with the new one
    const view = await views[here.view]().catch(again);
    if (!view || signal.aborted) return;
    main.replaceChildren();
    main.className = here.view;
    shown(here);
    await view.show(main, here, signal);
  }
  addEventListener("hashchange", show);
  return show();
}
