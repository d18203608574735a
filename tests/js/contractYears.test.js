import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, load } from "./browser.js";

browser({ tz: "Europe/Berlin" });
const { currentYear, isComparable, paidUntil } = await load("contractYears.js");

test("what was paid grows on the days on which an instalment was due", () => {
  const instalments = [{ day: "2026-01-01", amount: "80.50" }, { day: "2026-02-01", amount: 90 }];
  const days = ["2025-12-31", "2026-01-01", "2026-01-31", "2026-02-01"];
  assert.deepEqual(paidUntil(instalments, days), [0, 80.5, 80.5, 170.5]);
  assert.deepEqual(paidUntil([], days), [0, 0, 0, 0]);
});

test("before the first contract there is a year without instalments", () => {
  const { begin, end, instalments_amount: paid, whole } = currentYear("2026-11-27");
  assert.deepEqual([begin, end, paid, whole], ["2026-11-27", "2027-11-27", "0", false]);
});

test("a cost is held against instalments only where all of its year counts and has a price", () => {
  const past = { ...currentYear("2025-01-01"), end: "2026-01-01", whole: true };
  const running = { ...currentYear("2025-01-01"), end: "9999-01-01" };
  const cost = (/** @type {string | undefined} */ from, unpriced = {}) =>
    ({ counts_from: from, total: { total_amount: "1", ...unpriced } });
  assert.equal(isComparable(cost("2024-05-01"), past), true);
  assert.equal(isComparable(cost("2024-05-01"), { ...past, whole: false }), false);
  assert.equal(isComparable(cost("2024-05-01"), running), true);
  // recorded from its second month on: its instalments are those of all months
  assert.equal(isComparable(cost("2025-02-01"), running), false);
  assert.equal(isComparable(cost(undefined), running), false);
  for (const unpriced of [{ unpriced_import_wh: "1" }, { unpriced_export_wh: "0.5" }]) {
    assert.equal(isComparable(cost("2024-05-01", unpriced), past), false);
  }
});
