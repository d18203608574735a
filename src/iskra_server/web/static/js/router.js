// Addresses in the hash: #/day/2026-11-22?as=table is the view "day" with one part and one query parameter.

import { HOME } from "./page.js";
import { reloadPage } from "./stream.js";

/** The views of history, one for each kind of period. @type {Kind[]} */
export const PERIODS = ["day", "week", "month", "year", "all"];

/** Parses a hash; an unknown view leads to the home view. @param {string[]} names @returns {Address} */
export function parseAddress(names, hash = location.hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [view, ...parts] = path.split("/").map(decodeURIComponent);
  return { view: names.includes(view) ? view : HOME, parts, query: new URLSearchParams(query) };
}

/**
 * The hash of an address, without empty parts and parameters.
 * @param {string} view
 * @param {string[]} parts
 * @param {Record<string, string>} query
 */
export function link(view, parts = [], query = {}) {
  const path = [view, ...parts].filter((part) => part !== "").map(encodeURIComponent).join("/");
  const parameters = String(new URLSearchParams(Object.entries(query).filter(([, value]) => value)));
  return `#/${path}${parameters && `?${parameters}`}`;
}

/** Goes to an address. @param {Parameters<typeof link>} address */
export const navigate = (...address) => { location.hash = link(...address); };
/** Changes the address only: no view, no entry in the browser's history. @param {Parameters<typeof link>} address */
export const replaceAddress = (...address) => { history.replaceState(null, "", link(...address)); };

/**
 * Shows the view of the address, now and after each change. `views` loads the module of a view by name; its `show`
 * fills `main`, and the signal aborts when the view is left.
 * @param {HTMLElement} main
 * @param {Record<string, () => Promise<{show: View}>>} views
 * @param {(address: Address) => void} onShow called before a view is shown
 */
export function route(main, views, onShow) {
  let leave = new AbortController();
  async function show() {
    leave.abort();
    leave = new AbortController();
    const { signal } = leave;
    const address = parseAddress(Object.keys(views));
    // the files of an old release are gone: reload to get the new one
    const view = await views[address.view]().catch(reloadPage);
    if (!view || signal.aborted) return;
    main.replaceChildren();
    main.className = address.view;
    onShow(address);
    await view.show(main, address, signal);
  }
  addEventListener("hashchange", show);
  return show();
}
