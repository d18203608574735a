import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, load, plain, randoms } from "./browser.js";

browser();
const { decimal, grouped, parse, rounded, split } = await load("exact.js");
const { isNumber, minus, negated, percentOf, sum, times } = await load("arithmetic.js");

const TRIES = 3000;

/** A number's text of up to 20 digits, as servers send them, and what it is in units of 10^-12. */
function decimals(seed) {
  const random = randoms(seed);
  const digits = (count) => Array.from({ length: count }, () => Math.floor(random() * 10)).join("");
  return () => {
    const [whole, places] = [String(BigInt(digits(1 + Math.floor(random() * 14)))), digits(Math.floor(random() * 7))];
    const sign = random() < 0.4 ? "-" : "";
    const units = BigInt(whole) * 10n ** 12n + BigInt((places || "0").padEnd(12, "0"));
    return { text: `${sign}${whole}${places && `.${places}`}`, units: sign ? -units : units };
  };
}

function unitsOf(text) {
  const [whole, places = ""] = text.replace("-", "").split(".");
  const units = BigInt(whole) * 10n ** 12n + BigInt(places.padEnd(12, "0"));
  return text.startsWith("-") ? -units : units;
}

test("parse keeps every digit of exact values, and leaves other numbers", () => {
  const json = '{"value":12345678901234567.8901,"import_wh":-0.10,"mean_w":5,"total_amount":1.20';
  assert.deepEqual(parse(`${json},"age_s":1.50,"a":[1.0]}`), {
    value: "12345678901234567.8901", import_wh: "-0.10", mean_w: "5", total_amount: "1.20", age_s: 1.5, a: [1],
  });
});

test("parse keeps the digits of columns, and their nulls", () => {
  assert.deepEqual(parse('{"import_wh":[1.50,null,-2,0.0],"other":[1.50]}'),
    { import_wh: ["1.50", null, "-2", "0.0"], other: [1.5] });
});

test("isNumber accepts decimal numbers only", () => {
  assert.deepEqual(["0", "-1.5", "12.345", "1e5", "", "01 45 42", "1."].map(isNumber),
    [true, true, true, false, false, false, false]);
});

test("split moves the point without losing a digit", () => {
  assert.deepEqual(split("1234567.89", 3), ["", "1234", "56789"]);
  assert.deepEqual(split("-5", 3), ["−", "0", "005"]);
  assert.deepEqual(split("0.25"), ["", "0", "25"]);
});

test("grouped formats thousands, point and minus", () => {
  assert.equal(plain(grouped("1234567.8901")), "1 234 567.8901");
  assert.equal(grouped("-999"), "−999");
  assert.equal(grouped("12345", 3), "12.345");
  assert.equal(grouped("7", 3), "0.007");
});

test("rounded rounds a half away from zero, exactly", () => {
  assert.equal(rounded("2.5"), "3");
  assert.equal(rounded("-2.5"), "−3");
  // 1.005 as a JavaScript number would be 1.00499999...
  assert.equal(rounded("1.005", 2), "1.01");
  assert.equal(rounded("1004.9", 1, 3), "1.0");
  assert.equal(plain(rounded("999.9995", 3)), "1 000.000");
});

test("nothing is rounded to a minus zero", () => {
  assert.equal(rounded("-0.4"), "0");
  assert.equal(rounded("-0.0049", 2), "0.00");
});

test("rounded is at most half a step away, whatever the number", () => {
  const next = decimals(1);
  for (let turn = 0; turn < TRIES; turn += 1) {
    const { text, units } = next();
    for (const places of [0, 1, 3]) {
      const back = unitsOf(rounded(text, places).replaceAll("\u202f", "").replace("−", "-"));
      const [distance, half] = [units > back ? units - back : back - units, (10n ** BigInt(12 - places)) / 2n];
      assert.ok(distance <= half, `${text} to ${places} places`);
    }
  }
});

test("sum is exact, in any order", () => {
  const next = decimals(2);
  for (let turn = 0; turn < TRIES; turn += 1) {
    const numbers = Array.from({ length: 1 + (turn % 6) }, next);
    const total = numbers.reduce((units, number) => units + number.units, 0n);
    assert.equal(unitsOf(sum(numbers.map(({ text }) => text))), total);
    assert.equal(unitsOf(sum(numbers.map(({ text }) => text).reverse())), total);
  }
});

test("sum ignores null, and is null without numbers", () => {
  assert.equal(sum(["0.1", null, "0.2", undefined]), "0.3");
  assert.equal(sum([null, undefined]), null);
  assert.equal(sum([]), null);
});

test("minus and times are exact", () => {
  const next = decimals(3);
  for (let turn = 0; turn < TRIES; turn += 1) {
    const [one, other] = [next(), next()];
    assert.equal(unitsOf(minus(one.text, other.text)), one.units - other.units);
    assert.equal(unitsOf(times(one.text, turn)), one.units * BigInt(turn));
    assert.equal(unitsOf(negated(negated(one.text))), one.units);
  }
  assert.equal(minus("0.3", "0.1"), "0.2");
});

test("percentOf takes the smallest differences and the largest totals", () => {
  assert.equal(percentOf("-250", "1000"), "−25.0");
  assert.equal(percentOf("0.0001", "123456789"), "0.0");
  assert.equal(percentOf("-0.0001", "123456789"), "0.0");
  assert.equal(plain(percentOf("123456789", "1000")), "12 345 678.9");
});

test("decimal has a real minus", () => assert.equal(decimal(-1.75, 1), "−1.8"));
