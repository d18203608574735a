// Exact numbers: the digits of the server stay text, because a JavaScript number would round them.

import { locale } from "./language.js";

/** @type {Record<string, string>} the common ones: asking the browser takes a small device a tenth of a second */
const POINTS = { en: ".", "en-GB": ".", "en-US": ".", de: ",", "de-AT": ",", "de-DE": "," };
const POINT = POINTS[locale] ?? (1.5).toLocaleString(locale).charAt(1);
const THIN = "\u202f";
const EXACT = /"(value|\w+_(?:wh|w|amount))":(-?\d[\d.]*)/g;
const COLUMN = /"(\w+_(?:wh|amount))":\[([^\]]*)\]/g;

/** Parses JSON with every exact value as text. @param {string} text */
export const parse = (text) => JSON.parse(text
  .replace(EXACT, '"$1":"$2"')
  .replace(COLUMN, (_, name, list) => `"${name}":[${list.replace(/-?\d[\d.]*/g, '"$&"')}]`));

/**
 * The sign, the whole digits and the decimal places of a number divided by 10^shift: Wh to kWh is 3.
 * @param {string} number
 * @returns {[string, string, string]}
 */
export function split(number, shift = 0) {
  const sign = number.startsWith("-") ? "−" : "";
  const [whole, places = ""] = number.replace("-", "").split(".");
  const padded = whole.padStart(shift + 1, "0");
  return [sign, padded.slice(0, padded.length - shift), padded.slice(padded.length - shift) + places];
}

/**
 * Thin spaces in thousands, a real minus, the decimal point or comma of the language; no more than `maxPlaces`.
 * @param {string} number
 */
export function grouped(number, shift = 0, maxPlaces = Infinity) {
  const [sign, whole, all] = split(number, shift);
  const places = all.slice(0, maxPlaces);
  return sign + whole.replace(/\B(?=(\d{3})+$)/g, THIN) + (places && POINT + places);
}

/** As `grouped`, rounded half up to a number of places. @param {string} number */
export function rounded(number, places = 0, shift = 0) {
  const [sign, whole, all] = split(number, shift);
  const kept = BigInt(whole + all.padEnd(places, "0").slice(0, places)) + (all.charAt(places) >= "5" ? 1n : 0n);
  return grouped(textOf(sign ? -kept : kept, places));
}

/** The number `steps` / 10^places as text. @param {bigint} steps @param {number} places */
export function textOf(steps, places) {
  const digits = String(steps < 0n ? -steps : steps).padStart(places + 1, "0");
  const text = places ? `${digits.slice(0, -places)}.${digits.slice(-places)}` : digits;
  return steps < 0n ? `-${text}` : text;
}

/** Formats a JavaScript number, for values that were never exact: ages, ratios. @param {number} number */
export const decimal = (number, places = 0) => number.toFixed(places).replace("-", "−").replace(".", POINT);
