import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, load } from "./browser.js";

browser({ tz: "Europe/Berlin" });
const { comparison, countsWholeKwh, localQuarters, highestQuarter, sinceMidnight, totalsOf } =
  await load("todayStats.js");

/** Quarters of whole days from a local midnight in winter: `energyOf(day, quarter)` in Wh. */
function days(count, energyOf, begin = "2026-01-10T00:00:00+01:00") {
  const numbers = Array.from({ length: count * 96 }, (_, at) => energyOf(Math.floor(at / 96), at % 96));
  return localQuarters({ begin, tz: "Europe/Berlin", import_wh: numbers });
}

test("quarter-hours have their local day and time, and both counters", () => {
  const quarters = localQuarters({
    begin: "2026-03-29T00:00:00+01:00", tz: "Europe/Berlin",
    import_wh: ["1", null, "3", "4", "5", "6", "7", "8", "9"], export_wh: ["0.5", "0.5", null, "0", "0", "0", "0", "0"],
  });
  const at = Date.UTC(2026, 2, 28, 23, 15);
  assert.deepEqual(quarters[1], { at, day: "2026-03-29", clock: "00:15", imported: null, exported: "0.5" });
  // summer time begins
  assert.deepEqual([quarters[7].clock, quarters[8].clock], ["01:45", "03:00"]);
  assert.equal(quarters[8].exported, null);
});

test("totals of a day are exact sums of the measured quarter-hours", () => {
  const quarters = days(2, (day, quarter) => (quarter === 5 ? null : "0.1"));
  assert.deepEqual(totalsOf(quarters, "2026-01-11"), { imported: "9.5", exported: null });
  assert.deepEqual(totalsOf(quarters, "2026-01-12"), { imported: null, exported: null });
});

test("sinceMidnight is the total minus the counter at midnight", () => {
  const first = { at: "2026-01-10T00:00:00+01:00", register_wh: "1000000.1" };
  assert.equal(sinceMidnight({ first, epochs: [] }, "2026-01-10", "1000005.4"), "5.3");
  assert.equal(sinceMidnight({ first, epochs: [] }, "2026-01-10", undefined), null);
  assert.equal(sinceMidnight({ first, epochs: [] }, "2026-01-11", "1000005.4"), null);
  assert.equal(sinceMidnight({ first, epochs: [{}] }, "2026-01-10", "1000005.4"), null);
  assert.equal(sinceMidnight({ epochs: [] }, "2026-01-10", "1000005.4"), null);
  // a counter that is behind midnight was not read since
  assert.equal(sinceMidnight({ first, epochs: [] }, "2026-01-10", "1000000"), null);
});

test("today is compared with yesterday up to the last closed quarter", () => {
  const quarters = days(2, (day, quarter) => (day === 1 && quarter >= 40 ? null : day ? "30.5" : "20"));
  assert.deepEqual(comparison(quarters, "2026-01-11"), { until: "10:00", difference: String(40 * 10.5) + ".0" });
});

test("nothing is compared before the first closed quarter, or with a gap on either side", () => {
  assert.equal(comparison(days(2, (day) => (day ? null : "20")), "2026-01-11"), null);
  assert.equal(comparison(days(2, (day, quarter) => (day === 0 && quarter === 3 ? null : "20")), "2026-01-11"), null);
  assert.equal(comparison(days(2, (day, quarter) => (day === 1 && quarter === 3 ? null : "20")), "2026-01-11"), null);
  assert.equal(comparison(days(1, () => "20"), "2026-01-10"), null);
});

test("the power of the highest quarter-hour is four times its energy", () => {
  const quarters = days(2, (day, quarter) => (day === 1 && quarter === 33 ? "250.75" : "9"));
  assert.deepEqual(highestQuarter(quarters, "2026-01-11"),
    { at: Date.parse("2026-01-11T08:15:00+01:00"), watts: "1003.00" });
  assert.equal(highestQuarter(quarters, "2026-01-12"), null);
});

test("of equal quarter-hours the first is the highest", () => {
  assert.equal(highestQuarter(days(1, () => "9.0"), "2026-01-10").at, Date.parse("2026-01-10T00:00:00+01:00"));
});

test("a counter of whole kWh is known by its quarter-hours", () => {
  assert.equal(countsWholeKwh([null, "0", "1000", "0"]), true);
  assert.equal(countsWholeKwh(["10", "1000"]), false);
  assert.equal(countsWholeKwh(["1000.5", "0"]), false);
  // nothing was used, or measured: a fine counter shows that too
  assert.equal(countsWholeKwh(["0", "0"]), false);
  assert.equal(countsWholeKwh([null]), false);
});
