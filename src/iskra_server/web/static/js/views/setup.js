// Set-up: diagnosis, alignment of the head, locked meter, Home Assistant.

import { setupBar } from "../toolbar.js";
import { showDiagnosis } from "./diagnosis.js";
import { showHead } from "./head.js";
import { showHomeAssistant } from "./homeassistant.js";
import { showLockedMeter } from "./locked.js";

/** @type {Record<string, (main: HTMLElement, signal: AbortSignal) => void>} */
const PAGES = { "": showDiagnosis, head: showHead, locked: showLockedMeter, homeassistant: showHomeAssistant };

/** @type {View} */
export function show(main, { parts: [name = ""] }, signal) {
  const page = Object.hasOwn(PAGES, name) ? name : "";
  main.append(setupBar(page));
  PAGES[page](main, signal);
}
