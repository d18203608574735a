import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, load } from "./browser.js";

browser({ tz: "Europe/Berlin" });
const { amountUntilNow, pricesOf, rateOf } = await load("prices.js");
const { product } = await load("arithmetic.js");

const BEGIN = "2026-11-22T00:00:00+01:00";
const at = (clock) => Date.parse(`2026-11-22T${clock}:00+01:00`);
/** Prices of a day: 0.30 and 0.08, from 18:00 on 0.40; unknown from 23:00 on. */
const prices = pricesOf({
  currency: "EUR", begin: BEGIN,
  import_amount: Array.from({ length: 96 }, (_, place) => (place >= 92 ? null : place >= 72 ? "0.40" : "0.30")),
  export_amount: Array.from({ length: 96 }, () => "0.08"),
});

test("products are exact", () => {
  assert.equal(product("0.1", "0.2"), "0.02");
  assert.equal(product("-12.34", "3"), "-37.02");
  assert.equal(product("123456789012345678901", "0.001"), "123456789012345678.901");
});

test("without a contract there are no prices", () => {
  assert.equal(pricesOf({ begin: BEGIN, import_amount: [null], export_amount: [null] }), null);
});

test("power costs the price of its quarter-hour, and power to the grid earns", () => {
  assert.equal(Number(rateOf(prices, "2010", at("17:59"))), 0.603);
  assert.equal(Number(rateOf(prices, "2010", at("18:00"))), 0.804);
  assert.equal(Number(rateOf(prices, "-1500", at("12:00"))), -0.12);
  assert.equal(Number(rateOf(prices, "0", at("12:00"))), 0);
});

test("an unknown price, and a time without prices, has no rate", () => {
  assert.equal(rateOf(prices, "100", at("23:05")), null);
  assert.equal(rateOf(prices, "100", at("00:00") + 86_400_000), null);
  assert.equal(rateOf(prices, "100", at("00:00") - 1), null);
});

const measured = { until: at("12:00"), amount: "1.25", counters: ["1000000.0", "500000.0"] };

test("what the counters have counted since is added to the amount of history", () => {
  assert.equal(Number(amountUntilNow(measured, ["1000100.5", "500000.0"], prices, at("12:10"))), 1.28015);
  assert.equal(Number(amountUntilNow(measured, ["1000000.0", "500250.0"], prices, at("12:10"))), 1.23);
  const oneWay = { ...measured, counters: ["1000000.0", undefined] };
  assert.equal(Number(amountUntilNow(oneWay, ["1001000.0", undefined], prices, at("12:10"))), 1.55);
});

test("energy over a change of the price has no amount, over equal prices it has", () => {
  const later = { ...measured, until: at("17:45") };
  assert.equal(amountUntilNow(later, ["1000100.0", "500000.0"], prices, at("18:01")), null);
  assert.equal(Number(amountUntilNow(later, ["1000100.0", "500000.0"], prices, at("17:50"))), 1.28);
  assert.equal(Number(amountUntilNow(measured, ["1000100.0", "500000.0"], prices, at("12:40"))), 1.28);
});

test("a counter that restarted or is missing has no amount", () => {
  assert.equal(amountUntilNow(measured, ["5.0", "500000.0"], prices, at("12:10")), null);
  assert.equal(amountUntilNow(measured, [undefined, "500000.0"], prices, at("12:10")), null);
  assert.equal(amountUntilNow(measured, ["1000100.0", undefined], prices, at("12:10")), null);
  const late = { ...measured, until: at("22:45") };
  assert.equal(amountUntilNow(late, ["1000100.0", "500000.0"], prices, at("23:05")), null);
});
