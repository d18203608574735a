import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, load } from "./browser.js";

browser({ tz: "Europe/Berlin" });
const { currentYear, paidUntil } = await load("contractYears.js");

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
