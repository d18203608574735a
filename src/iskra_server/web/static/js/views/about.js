// About: version, licence, privacy, language and colours, keyboard shortcuts.

import { make, pair } from "../dom.js";
import { LANGUAGES, language, setLanguage, words } from "../language.js";
import { areKeysOn, setKeysOn } from "../keys.js";
import { build, isCentralServer, version, zone } from "../page.js";
import { setupWords } from "../setupWords.js";
import { chosenTheme, setTheme, THEMES } from "../theme.js";
import { setupBar } from "../toolbar.js";

/** @type {View} */
export function show(main) {
  if (!isCentralServer) main.append(setupBar("about"));
  const texts = setupWords.about;
  // its only section, and none of a single meter
  const keys = isCentralServer ? [["n", words.sections.fleet], ...texts.keys.slice(1)] : texts.keys;
  const themes = THEMES.map((name) => make("button", {
    type: "button", "aria-pressed": String(name === chosenTheme()),
    onclick: ({ target }) => {
      setTheme(name);
      for (const button of themes) button.setAttribute("aria-pressed", String(button === target));
    },
  }, texts.themes[name]));
  const languages = Object.entries(LANGUAGES).map(([name, label]) => make("button", {
    type: "button", lang: name, "aria-pressed": String(name === language), onclick: () => setLanguage(name),
  }, label));
  main.append(
    make("section.card.prose", make("h1", "ISKRA Electricity Server"), make("p", texts.what),
      make("dl.pairs", pair(texts.version, build ? `${version} (${build})` : version), pair(words.zone, zone),
        pair(texts.licence, "Apache-2.0"),
        pair(texts.charts, "uPlot 1.6 (MIT)"),
        // the licence asks for these names
        pair(texts.spotPrices, "Bundesnetzagentur | SMARD.de, energy-charts.info (CC BY 4.0); awattar.de"))),
    make("section.card.prose", make("h2", texts.keysTitle),
      make("dl.pairs.shortcuts", keys.map(([key, effect]) =>
        make("div", make("dt", make("kbd", key)), make("dd", effect))))),
    make("section.card.prose", make("h2", texts.choices),
      choice(texts.language, languages), choice(texts.theme, themes), choice(texts.keysTitle, keysButtons()),
      make("p.soft", texts.stored)),
    make("section.card.prose", make("h2", texts.privacyTitle), make("p", texts.privacy)),
  );
}

function keysButtons() {
  const buttons = [true, false].map((isOn) => make("button", {
    type: "button", "aria-pressed": String(isOn === areKeysOn()),
    onclick: ({ target }) => {
      setKeysOn(isOn);
      for (const button of buttons) button.setAttribute("aria-pressed", String(button === target));
    },
  }, isOn ? setupWords.about.on : setupWords.about.off));
  return buttons;
}

/** @param {string} label @param {HTMLElement[]} buttons */
const choice = (label, buttons) => make("div.choice", make("span", label),
  make("div.switch", { role: "group", "aria-label": label }, buttons));
