// Set-up: the diagnosis of every source, the head, a locked meter, Home Assistant.

import { setupBar } from "../toolbar.js";
import { chain } from "./chain.js";
import { head } from "./head.js";
import { homeassistant } from "./homeassistant.js";
import { locked } from "./locked.js";

/** @type {Record<string, (main: HTMLElement, signal: AbortSignal) => void>} */
const PAGES = { "": chain, head, locked, homeassistant };

/** @type {View} */
export function show(main, { parts: [name = ""] }, signal) {
  const page = Object.hasOwn(PAGES, name) ? name : "";
  main.append(setupBar(page));
  PAGES[page](main, signal);
}
