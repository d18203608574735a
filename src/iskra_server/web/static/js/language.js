// The language of the page: the choice made on this page, else the configured one, else that of the browser.

// not a plain word: behind the ingress of Home Assistant, other programs store theirs beside it
const KEY = "iskra-language";
export const LANGUAGES = { en: "English", de: "Deutsch" };
/** @typedef {keyof typeof LANGUAGES} Language */

const preferred = navigator.languages ?? [navigator.language || "en"];
const configured = document.documentElement.dataset.language ?? "";
const candidates = [stored(), configured, ...preferred.map((tag) => tag.slice(0, 2).toLowerCase())];

export const language = /** @type {Language} */ (candidates.find((name) => name in LANGUAGES) ?? "en");
/** With the region, which determines the form of dates: en-GB, de-AT. */
export const locale = preferred.find((tag) => tag.toLowerCase().startsWith(language)) ?? language;
/** The texts of this language alone; the server has named them in index.html, if the browser asked for it. */
export const { words } = await (language === "de" ? import("./words/de.js") : import("./words/en.js"));

/** The part of a bilingual answer in the language of the page. @template T @param {Record<Language, T>} both */
export const localized = (both) => both[language];

/** Stores another language and reloads the page. @param {string} next */
export function setLanguage(next) {
  try { localStorage.setItem(KEY, next); } catch { return; }
  location.reload();
}

function stored() {
  try { return localStorage.getItem(KEY) ?? ""; } catch { return ""; }
}
