// Set-up: the chain of every source, the head, a locked meter, Home Assistant.

import { words } from "../language.js";
import { link } from "../router.js";
import { bar } from "../toolbar.js";
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

/** Where one can go in set-up. */
export function setupBar(page) {
  const pages = Object.keys(PAGES).map((each) => [words.setup.pages[each || "chain"], link("setup", each ? [each] : []), each === page]);
  return bar(words.sections.setup, [...pages, [words.about, link("about"), page === "about"]]);
}
