// Arithmetic on exact numbers, which are text; see exact.js.

import { rounded, textOf } from "./exact.js";

export const isNumber = (/** @type {string} */ value) => /^-?\d+(\.\d+)?$/.test(value);

const placesOf = (/** @type {string} */ text) => text.split(".")[1]?.length ?? 0;

/** A number times 10^places. @param {string} text @param {number} places */
function stepsOf(text, places) {
  const [whole, rest = ""] = text.replace("-", "").split(".");
  const steps = BigInt(whole + rest.padEnd(places, "0"));
  return text.startsWith("-") ? -steps : steps;
}

/** The exact sum of numbers; null if there are none. @param {(string | null | undefined)[]} texts */
export function sum(texts) {
  const numbers = texts.filter((text) => text != null);
  return numbers.length ? add(numbers) : null;
}

/** @param {string[]} numbers */
function add(numbers) {
  const places = Math.max(...numbers.map(placesOf));
  return textOf(numbers.reduce((total, text) => total + stepsOf(text, places), 0n), places);
}

export const negated = (/** @type {string} */ text) => (text.startsWith("-") ? text.slice(1) : `-${text}`);
export const minus = (/** @type {string} */ text, /** @type {string} */ other) => add([text, negated(other)]);

/** A number times an integer. @param {string} text @param {number} factor */
export const times = (text, factor) => textOf(stepsOf(text, placesOf(text)) * BigInt(factor), placesOf(text));

/** The exact product of two numbers. @param {string} text @param {string} other */
export function product(text, other) {
  const [places, otherPlaces] = [placesOf(text), placesOf(other)];
  return textOf(stepsOf(text, places) * stepsOf(other, otherPlaces), places + otherPlaces);
}

/** The ratio of two numbers in percent, to a tenth. @param {string} part @param {string} whole */
export const percentOf = (part, whole) => rounded(((Number(part) / Number(whole)) * 100).toFixed(3), 1);
