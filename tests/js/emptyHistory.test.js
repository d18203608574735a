import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, load, plain } from "./browser.js";

browser();
const { emptyText } = await load("views/emptyHistory.js");

const DAY = { begin: "2026-11-27T00:00:00+01:00", end: "2026-11-28T00:00:00+01:00" };
const NOW = Date.parse("2026-11-27T22:07:00+01:00");
const since = (text) => plain(emptyText({ ...DAY, recorded_since: text }, NOW));

test("a first day says when its first bar appears", () => {
  assert.match(since("2026-11-27T22:05:00+01:00"), /^Recording since .*22:05\. The first bar appears at 22:30\.$/);
  // exactly at a quarter-hour its first reading is at hand
  assert.match(since("2026-11-27T22:00:00+01:00"), /first bar appears at 22:15\.$/);
});

test("a first bar that is overdue is not promised", () => {
  assert.match(since("2026-11-27T20:05:00+01:00"), /^Recording since .*20:05, but no quarter-hour is complete yet\.$/);
});

test("before recording began, after it, without any, and in the future", () => {
  const past = { begin: "2026-10-01T00:00:00+02:00", end: "2026-11-01T00:00:00+01:00" };
  const text = (energy) => plain(emptyText(energy, NOW));
  assert.match(text({ ...past, recorded_since: "2026-11-27T22:05:00+01:00" }),
    /^No data: recording began on 27 Nov 2026, 22:05\.$/);
  assert.equal(text({ ...past, recorded_since: "2026-01-01T00:00:00+01:00" }), "No data was recorded in this period.");
  assert.match(text(DAY), /^Nothing is recorded yet\./);
  assert.equal(text({ begin: "2027-01-01T00:00:00+01:00", end: "2028-01-01T00:00:00+01:00" }), "still to come");
});
