// Light or dark: the choice made on this page, else that of the system.

// not a plain word: behind the ingress of Home Assistant, other programs store theirs beside it
const KEY = "iskra-theme";
/** @type {("auto" | "light" | "dark")[]} */
export const THEMES = ["auto", "light", "dark"];

export function chosenTheme() {
  try { return localStorage.getItem(KEY) ?? "auto"; } catch { return "auto"; }
}

/** Sets and stores the theme. @param {string} next */
export function setTheme(next) {
  try { localStorage.setItem(KEY, next); } catch { /* no storage: lasts until the page is closed */ }
  applyTheme(next);
}

export function applyTheme(next = chosenTheme()) {
  if (next === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  dispatchEvent(new Event("theme"));
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => dispatchEvent(new Event("theme")));

// paper is white: the charts are drawn again in the light colours
addEventListener("beforeprint", () => applyTheme("light"));
addEventListener("afterprint", () => applyTheme());

/** A colour of the style sheets, for a canvas. @param {string} name */
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
