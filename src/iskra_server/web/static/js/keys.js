// Keys: n h c s go to a section; in history the arrows step, t leads to the present.

import { HOME, isCentralServer } from "./page.js";
import { go } from "./router.js";

const SECTIONS = { n: [HOME], ...(isCentralServer ? {} : { h: ["day"], c: ["cost"], s: ["setup"], w: ["wall"] }) };
const TYPING = "input, select, textarea, [role=slider]";

export function keys(main) {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.(TYPING)) return;
    if (SECTIONS[event.key]) go(...SECTIONS[event.key]);
    const button = main.querySelector(`[data-key="${event.key}"]`);
    if (button) { event.preventDefault(); button.click(); }
  });
}
