// Keyboard shortcuts: n h c s w open a section; in history the arrow keys and t change the period.

import { HOME, isCentralServer } from "./page.js";
import { navigate } from "./router.js";

/** @type {Record<string, Parameters<typeof navigate>>} */
const SECTIONS = { n: [HOME], ...(isCentralServer ? {} : { h: ["day"], c: ["cost"], s: ["setup"], w: ["wall"] }) };
const TYPING = "input, select, textarea, [role=slider]";

// not a plain word: behind the ingress of Home Assistant, other programs store theirs beside it
const KEY = "iskra-keys";

/** Single keys can be switched off: a voice or a hand that trembles presses them unintended (WCAG 2.1.4). */
export function areKeysOn() {
  try { return localStorage.getItem(KEY) !== "off"; } catch { return true; }
}

export function setKeysOn(/** @type {boolean} */ isOn) {
  try { localStorage.setItem(KEY, isOn ? "on" : "off"); } catch { /* no storage: they stay on */ }
}

export function bindKeys(/** @type {HTMLElement} */ main) {
  addEventListener("keydown", (event) => {
    if (!areKeysOn()) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof Element && event.target.closest(TYPING)) return;
    if (SECTIONS[event.key]) navigate(...SECTIONS[event.key]);
    /** @type {HTMLElement | null} */
    const button = main.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (button) { event.preventDefault(); button.click(); }
  });
}
