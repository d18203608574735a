// The language of the page: the one that was chosen here, else the browser's, else English.

import { words as de } from "./words/de.js";
import { words as en } from "./words/en.js";

const KEY = "language";
export const LANGUAGES = { en: "English", de: "Deutsch" };
/** @typedef {keyof typeof LANGUAGES} Language */

const preferred = navigator.languages ?? [navigator.language || "en"];
const candidates = [stored(), ...preferred.map((tag) => tag.slice(0, 2).toLowerCase())];

export const language = /** @type {Language} */ (candidates.find((name) => name in LANGUAGES) ?? "en");
/** With its region, which decides about dates: en-GB, de-AT. */
export const locale = preferred.find((tag) => tag.toLowerCase().startsWith(language)) ?? language;
export const words = language === "de" ? de : en;

/** What the server says in both languages, in that of the page. @template T @param {Record<Language, T>} both */
export const localized = (both) => both[language];

/** Starts the page again in another language, where it is. @param {string} next */
export function setLanguage(next) {
  try { localStorage.setItem(KEY, next); } catch { return; }
  location.reload();
}

function stored() {
  try { return localStorage.getItem(KEY) ?? ""; } catch { return ""; }
}
