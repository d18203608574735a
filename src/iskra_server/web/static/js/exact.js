// Exact numbers: the server's digits are kept as text, a JavaScript number would round them.

import { locale } from "./language.js";

// to ask the browser costs a small device a tenth of a second, so what most people read is known
const POINT = { en: ".", "en-GB": ".", "en-US": ".", de: ",", "de-AT": ",", "de-DE": "," }[locale] ?? (1.5).toLocaleString(locale).charAt(1);
const THIN = "\u202f";
const EXACT = /"(value|\w+_(?:wh|w|amount))":(-?\d[\d.]*)/g;
const COLUMN = /"(\w+_wh)":\[([^\]]*)\]/g;

/** JSON as sent, but with every exact value as its own text. */
export const parse = (text) => JSON.parse(text
  .replace(EXACT, '"$1":"$2"')
  .replace(COLUMN, (_, name, list) => `"${name}":[${list.replace(/-?\d[\d.]*/g, '"$&"')}]`));

export const isNumber = (value) => /^-?\d+(\.\d+)?$/.test(value);

/** [sign, whole digits, places] of a number's text divided by 10^shift: Wh to kWh is 3. */
export function split(number, shift = 0) {
  const sign = number.startsWith("-") ? "−" : "";
  const [whole, places = ""] = number.replace("-", "").split(".");
  const padded = whole.padStart(shift + 1, "0");
  return [sign, padded.slice(0, padded.length - shift), padded.slice(padded.length - shift) + places];
}

/** For people: thin spaces in thousands, a real minus, the point or comma of their language. */
export function grouped(number, shift = 0) {
  const [sign, whole, places] = split(number, shift);
  return sign + whole.replace(/\B(?=(\d{3})+$)/g, THIN) + (places && POINT + places);
}

/** As `grouped`, rounded half up to so many places. */
export function rounded(number, places = 0, shift = 0) {
  const [sign, whole, all] = split(number, shift);
  const kept = BigInt(whole + all.padEnd(places, "0").slice(0, places)) + (all.charAt(places) >= "5" ? 1n : 0n);
  const digits = String(kept).padStart(places + 1, "0");
  const text = places ? `${digits.slice(0, -places)}.${digits.slice(-places)}` : digits;
  return grouped((kept && sign ? "-" : "") + text);
}

const placesOf = (text) => text.split(".")[1]?.length ?? 0;
const stepsOf = (text, places) => {
  const [whole, rest = ""] = text.replace("-", "").split(".");
  const steps = BigInt(whole + rest.padEnd(places, "0"));
  return text.startsWith("-") ? -steps : steps;
};

function textOf(steps, places) {
  const digits = String(steps < 0n ? -steps : steps).padStart(places + 1, "0");
  const text = places ? `${digits.slice(0, -places)}.${digits.slice(-places)}` : digits;
  return steps < 0n ? `-${text}` : text;
}

/** The sum of numbers' texts, exact; null where there are none. */
export function sum(texts) {
  const known = texts.filter((text) => text != null);
  if (known.length === 0) return null;
  const places = Math.max(...known.map(placesOf));
  return textOf(known.reduce((total, text) => total + stepsOf(text, places), 0n), places);
}

export const negated = (text) => (text.startsWith("-") ? text.slice(1) : `-${text}`);
export const minus = (text, other) => sum([text, negated(other)]);

/** A number's text times a whole number. */
export const times = (text, factor) => textOf(stepsOf(text, placesOf(text)) * BigInt(factor), placesOf(text));

/** A JavaScript number for people, where it was never exact: ages, shares. */
export const decimal = (number, places) => number.toFixed(places).replace("-", "−").replace(".", POINT);
