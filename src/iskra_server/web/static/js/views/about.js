// What this is, under which licence, and what it does not do.

import { make, pair } from "../dom.js";
import { LANGUAGES, language, speak, words } from "../language.js";
import { isCentralServer, version, zone } from "../page.js";
import { choose, THEMES, theme } from "../theme.js";
import { setupBar } from "../toolbar.js";

export function show(main) {
  if (!isCentralServer) main.append(setupBar("about"));
  const say = words.aboutPage;
  const themes = make("div.switch", { role: "group", "aria-label": say.theme }, THEMES.map((each) =>
    make("button", { type: "button", "aria-pressed": String(each === theme()), onclick: ({ target }) => {
      choose(each);
      for (const button of themes.children) button.setAttribute("aria-pressed", String(button === target));
    } }, say.themes[each])));
  const languages = make("div.switch", { role: "group", "aria-label": say.language }, Object.entries(LANGUAGES).map(([each, name]) =>
    make("button", { type: "button", lang: each, "aria-pressed": String(each === language), onclick: () => speak(each) }, name)));
  main.append(
    make("section.card.prose", make("h1", "ISKRA Electricity Server"), make("p", say.what),
      make("dl.pairs", pair(say.version, version), pair(say.zone, zone), pair(say.licence, "Apache-2.0"), pair(say.charts, "uPlot 1.6 (MIT)"))),
    make("section.card.prose", make("h2", say.privacyTitle), make("p", say.privacy)),
    make("section.card.prose", make("h2", say.choices), make("div.choice", make("span", say.language), languages), make("div.choice", make("span", say.theme), themes), make("p.soft", say.kept)),
    make("section.card.prose", make("h2", say.keysTitle), make("dl.pairs", say.keys.map(([key, does]) => make("div", make("dt", make("kbd", key)), make("dd", does))))),
  );
}
