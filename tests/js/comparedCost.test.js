import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, load } from "./browser.js";

browser({ tz: "Europe/Berlin" });
const { comparedCost } = await load("comparedCost.js");

const BEGIN = "2026-11-01T00:00:00+01:00";
const END = "2026-11-03T00:00:00+01:00";

/** Two days; a missing day has neither energy nor cost. */
function part(amounts, total, changes = {}) {
  const isWhole = amounts.every((amount) => amount !== null);
  const buckets = amounts.map((amount) => (amount === null ? { import_quality: "absent" }
    : { import_wh: "1000", import_quality: "measured" }));
  const reading = (at) => ({ at, register_wh: "0" });
  const energy = {
    begin: BEGIN, end: END, buckets,
    import: { total_wh: "2000", first: reading(BEGIN), last: reading(isWhole ? END : BEGIN) },
  };
  const cost = {
    begin: BEGIN, end: END, currency: "EUR", counts_from: "2026-01-01",
    buckets: amounts.map((amount) => (amount === null ? {} : { paid: { total_amount: amount } })),
    total: { total_amount: total }, ...changes,
  };
  return { energy, cost };
}

test("the totals of whole parts are compared, gaps included", () => {
  const result = comparedCost(part(["1.10", "2.20"], "3.35"), part(["2.00", "2.00"], "4.00"));
  assert.deepEqual(result, { left: "3.35", right: "4.00", difference: "-0.65", percent: "−16.3", currency: "EUR" });
});

test("else the days that both have", () => {
  const result = comparedCost(part(["1.10", "2.20"], "3.30"), part(["2.00", null], "2.00"));
  assert.equal(result.left, "1.10");
  assert.equal(result.difference, "-0.90");
});

test("without a contract for all of it, or without a price, nothing is compared", () => {
  const other = part(["2.00", "2.00"], "4.00");
  const unpriced = { total: { total_amount: "1.00", unpriced_import_wh: "12.5" } };
  for (const left of [
    { ...other, cost: null }, part(["1", "1"], "2", { counts_from: "2026-11-02" }),
    part(["1", "1"], "2", { counts_from: undefined }), part(["1", "1"], "2", unpriced),
  ]) {
    assert.equal(comparedCost(left, other), null);
    assert.equal(comparedCost(other, left), null);
  }
});

test("of an amount that was not above 0 there is no percentage", () => {
  assert.equal(comparedCost(part(["1", "1"], "2"), part(["0", "-1"], "-1")).percent, null);
});
