// Exact numbers: the server's digits are kept as text, a JavaScript number would round them.

import { locale } from "./language.js";

/** @type {Record<string, string>} to ask the browser costs a small device a tenth of a second: what most people read */
const POINTS = { en: ".", "en-GB": ".", "en-US": ".", de: ",", "de-AT": ",", "de-DE": "," };
const POINT = POINTS[locale] ?? (1.5).toLocaleString(locale).charAt(1);
const THIN = "\u202f";
const EXACT = /"(value|\w+_(?:wh|w|amount))":(-?\d[\d.]*)/g;
const COLUMN = /"(\w+_wh)":\[([^\]]*)\]/g;

/** JSON as sent, but with every exact value as its own text. @param {string} text */
export const parse = (text) => JSON.parse(text
  .replace(EXACT, '"$1":"$2"')
  .replace(COLUMN, (_, name, list) => `"${name}":[${list.replace(/-?\d[\d.]*/g, '"$&"')}]`));

/**
 * The sign, the whole digits and the places of a number's text divided by 10^shift: Wh to kWh is 3.
 * @param {string} number
 * @returns {[string, string, string]}
 */
export function split(number, shift = 0) {
  const sign = number.startsWith("-") ? "−" : "";
  const [whole, places = ""] = number.replace("-", "").split(".");
  const padded = whole.padStart(shift + 1, "0");
  return [sign, padded.slice(0, padded.length - shift), padded.slice(padded.length - shift) + places];
}

/** For people: thin spaces in thousands, a real minus, the point or comma of their language. @param {string} number */
export function grouped(number, shift = 0) {
  const [sign, whole, places] = split(number, shift);
  return sign + whole.replace(/\B(?=(\d{3})+$)/g, THIN) + (places && POINT + places);
}

/** As `grouped`, rounded half up to so many places. @param {string} number */
export function rounded(number, places = 0, shift = 0) {
  const [sign, whole, all] = split(number, shift);
  const kept = BigInt(whole + all.padEnd(places, "0").slice(0, places)) + (all.charAt(places) >= "5" ? 1n : 0n);
  return grouped(textOf(sign ? -kept : kept, places));
}

/** A whole number of last places as a number's text. @param {bigint} steps @param {number} places */
export function textOf(steps, places) {
  const digits = String(steps < 0n ? -steps : steps).padStart(places + 1, "0");
  const text = places ? `${digits.slice(0, -places)}.${digits.slice(-places)}` : digits;
  return steps < 0n ? `-${text}` : text;
}

/** A JavaScript number for people, where it was never exact: ages, shares. @param {number} number */
export const decimal = (number, places = 0) => number.toFixed(places).replace("-", "−").replace(".", POINT);
