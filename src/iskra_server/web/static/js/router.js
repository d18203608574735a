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

/** A selector of what has the focus in `main`, for the view that replaces it; null if the focus is elsewhere. */
function focusedPart(/** @type {HTMLElement} */ main) {
  const node = document.activeElement;
  if (!(node instanceof HTMLElement) || node === main || !main.contains(node)) return null;
  if (node.dataset.key) return `[data-key="${node.dataset.key}"]`;
  return [".kinds ~ .kinds [aria-current]", ".kinds [aria-current]", ".switch [aria-pressed=true]", ".jump select",
    ".jump input"]
    .find((part) => node.matches(part.replace(/\[.*/, "*"))) ?? "[role=slider]";
}

/** Focuses `main`, then that part of the next view as soon as it is there, unless the focus has been moved by then. */
function keepFocus(/** @type {HTMLElement} */ main, /** @type {string} */ part, /** @type {AbortSignal} */ signal) {
  main.focus({ preventScroll: true });
  const observer = new MutationObserver(() => {
    const isMoved = document.activeElement !== main && document.activeElement !== document.body;
    /** @type {HTMLElement | null} */
    const node = main.querySelector(part);
    if (node && !isMoved) node.focus({ preventScroll: true });
    if (isMoved || document.activeElement === node) observer.disconnect();
  });
  observer.observe(main, { childList: true, subtree: true, attributes: true, attributeFilter: ["role"] });
  signal.addEventListener("abort", () => observer.disconnect());
}

/**
 * Shows the view of the address, now and after each change. `views` loads the module of a view by name; its `show`
 * fills `main`, and the signal aborts when another view takes its place: until that is loaded, its readings go on.
 * @param {HTMLElement} main
 * @param {Record<string, () => Promise<{show: View}>>} views
 * @param {(address: Address) => void} onShow called before a view is shown
 */
export function route(main, views, onShow) {
  let leave = new AbortController();
  let changes = 0;
  async function show() {
    changes += 1;
    const own = changes;
    const address = parseAddress(Object.keys(views));
    // the files of an old release are gone: reload to get the new one
    const view = await views[address.view]().catch(reloadPage);
    if (!view || own !== changes) return;
    leave.abort();
    leave = new AbortController();
    const { signal } = leave;
    const focused = focusedPart(main);
    main.replaceChildren();
    main.className = address.view;
    onShow(address);
    if (focused) keepFocus(main, focused, signal);
    await view.show(main, address, signal);
  }
  addEventListener("hashchange", show);
  return show();
}
