// Set-up: the chain of every source, the head, a locked meter, Home Assistant.

import { setupBar } from "../toolbar.js";
import { chain } from "./chain.js";
import { head } from "./head.js";
import { homeassistant } from "./homeassistant.js";
import { locked } from "./locked.js";

const PAGES = { "": chain, head, locked, homeassistant };

export function show(main, { parts: [name = ""] }, signal) {
  const page = name in PAGES ? name : "";
  main.append(setupBar(page));
  PAGES[page](main, signal);
}
