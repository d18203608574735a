// What modules of the page ask a browser for when they are loaded, for tests without one. Each test file is a process
// of its own: it calls `browser` first, then loads modules.

const MODULES = new URL("../../src/iskra_server/web/static/js/", import.meta.url);

/** Listeners that modules have added to the window, by the name of the event. */
export const listeners = new Map();

export function browser({ languages = ["en-GB"], tz = "Europe/Berlin", central = "no" } = {}) {
  define("navigator", { languages });
  define("document", { documentElement: { dataset: { tz, central, version: "1.2.3" } } });
  define("localStorage", { getItem: () => null, setItem: () => {} });
  define("location", { hash: "", href: "http://meter.local/" });
  define("addEventListener", (name, listener) => listeners.set(name, listener));
  define("EventSource", class extends EventTarget {});
  // a page waits for as long as it is open, a test does not
  const { setTimeout } = globalThis;
  define("setTimeout", (...timer) => setTimeout(...timer).unref());
}

export function define(name, value) {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}

export const load = (name) => import(new URL(name, MODULES).href);

/** The same numbers in each run: 0 <= number < 1 (mulberry32). */
export function randoms(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 4294967296;
  };
}

/** Releases of Intl put spaces of several kinds, and around dashes or not; people read one. */
export const plain = (text) => text.replace(/[\u00a0\u2009\u202f]/g, " ").replace(/ ?– ?/g, "–");
