// Light or dark: as the system says, unless it was chosen here.

const KEY = "theme";
/** @type {("auto" | "light" | "dark")[]} */
export const THEMES = ["auto", "light", "dark"];

export function chosenTheme() {
  try { return localStorage.getItem(KEY) ?? "auto"; } catch { return "auto"; }
}

/** From now on, and when the page is opened again. @param {string} next */
export function setTheme(next) {
  try { localStorage.setItem(KEY, next); } catch { /* it holds until the page is closed */ }
  applyTheme(next);
}

export function applyTheme(next = chosenTheme()) {
  if (next === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  dispatchEvent(new Event("theme"));
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => dispatchEvent(new Event("theme")));

/** A colour of the style sheet, for a canvas. @param {string} name */
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
