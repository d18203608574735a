// Keyboard shortcuts: n h c s w open a section; in history the arrow keys and t change the period.

import { HOME, isCentralServer } from "./page.js";
import { navigate } from "./router.js";

/** @type {Record<string, Parameters<typeof navigate>>} */
const SECTIONS = { n: [HOME], ...(isCentralServer ? {} : { h: ["day"], c: ["cost"], s: ["setup"], w: ["wall"] }) };
const TYPING = "input, select, textarea, [role=slider]";

export function bindKeys(/** @type {HTMLElement} */ main) {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof Element && event.target.closest(TYPING)) return;
    if (SECTIONS[event.key]) navigate(...SECTIONS[event.key]);
    /** @type {HTMLElement | null} */
    const button = main.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (button) { event.preventDefault(); button.click(); }
  });
}
