// The language of the page: the one that was chosen here, else the browser's, else English.

import { words as de } from "./words/de.js";
import { words as en } from "./words/en.js";

const KEY = "language";
export const LANGUAGES = { en: "English", de: "Deutsch" };

const known = (language) => language in LANGUAGES;
const wanted = navigator.languages ?? [navigator.language || "en"];

export const language = [stored(), ...wanted.map((each) => each.slice(0, 2).toLowerCase())].find(known) ?? "en";
/** With its region, which decides about dates: en-GB, de-AT. */
export const locale = wanted.find((each) => each.toLowerCase().startsWith(language)) ?? language;
/** What the server says in both, in that of the page. */
export const spoken = (both) => both[language];
export const words = language === "de" ? de : en;

/** Starts the page again in another language, where it is. */
export function speak(next) {
  try { localStorage.setItem(KEY, next); } catch { return; }
  location.reload();
}

function stored() {
  try { return localStorage.getItem(KEY) ?? ""; } catch { return ""; }
}
