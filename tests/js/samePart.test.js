import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, load } from "./browser.js";

browser();
const { compared, partQuery, runningTotals, sameParts } = await load("samePart.js");
const { instantOf, roundHours } = await load("calendar.js");
const { periodQuery } = await load("periods.js");

const NOW = Date.parse("2026-11-26T14:22:10+01:00");
const ends = (kind, keys, now = NOW) =>
  sameParts(kind, keys, now).map(({ end: { day, clock }, isWhole }) => (isWhole ? "whole" : `${day} ${clock}`));

test("the other period ends at the same local time as the running one", () => {
  assert.deepEqual(ends("month", ["2026-11", "2025-11", "2026-10"]),
    ["2026-11-26 14:15", "2025-11-26 14:15", "2026-10-26 14:15"]);
  assert.deepEqual(ends("day", ["2026-11-26", "2025-11-27"]), ["2026-11-26 14:15", "2025-11-27 14:15"]);
  assert.deepEqual(ends("week", ["2026-11-23", "2025-11-24"]), ["2026-11-26 14:15", "2025-11-27 14:15"]);
  assert.deepEqual(ends("year", ["2026", "2025"]), ["2026-11-26 14:15", "2025-11-26 14:15"]);
  // whichever of them is the running one
  assert.deepEqual(ends("month", ["2025-11", "2026-11"]), ["2025-11-26 14:15", "2026-11-26 14:15"]);
});

test("of periods that are over, the longer one is cut, years are not", () => {
  assert.deepEqual(ends("month", ["2026-02", "2026-01"]), ["whole", "2026-01-29 00:00"]);
  assert.deepEqual(ends("month", ["2026-06", "2025-06"]), ["whole", "whole"]);
  assert.deepEqual(ends("year", ["2025", "2024"]), ["whole", "whole"]);
});

test("the shorter month ends the comparison, also while the longer one runs", () => {
  const last = Date.parse("2026-03-31T08:00:00+02:00");
  assert.deepEqual(ends("month", ["2026-03", "2026-02"], last), ["2026-03-29 00:00", "whole"]);
  assert.deepEqual(ends("year", ["2028", "2027"], Date.parse("2028-02-29T08:00:00+01:00")),
    ["2028-02-29 07:45", "2027-03-01 00:00"]);
});

test("of a period that has not begun nothing is compared", () => {
  assert.deepEqual(ends("month", ["2026-12", "2025-12"]), ["2026-12-01 00:00", "2025-12-01 00:00"]);
});

test("the request of a part ends at its moment in the time zone of the server", () => {
  const [now, before] = sameParts("month", ["2026-11", "2026-07"], NOW);
  assert.equal(partQuery(periodQuery("month", "2026-11"), now).to, "2026-11-26T13:15:00.000Z");
  // summer time
  assert.equal(partQuery(periodQuery("month", "2026-07"), before).to, "2026-07-26T12:15:00.000Z");
  const [whole] = sameParts("month", ["2026-06", "2025-06"], NOW);
  assert.deepEqual(partQuery(periodQuery("month", "2026-06"), whole), { from: "2026-06", bucket: "day" });
});

const kWh = (number) => String(Math.round(number * 10_000) / 10);
/** The answer for a month of which so many days were measured, with its counters read at these days. */
function energy(days, imported, exported, read = [0, days]) {
  const day = (at) => new Date(Date.UTC(2026, 10, 1 + at)).toISOString();
  const share = (total) => kWh(total / days);
  const counter = (total) => ({
    total_wh: kWh(total), first: { at: day(read[0]) }, last: { at: day(read[1]) }, gaps: [], epochs: [],
  });
  return {
    begin: day(0), end: day(days), import: counter(imported), export: exported && counter(exported),
    buckets: Array.from({ length: days }, (_, at) => ({
      begin: day(at), end: day(at + 1), import_wh: share(imported), import_quality: "measured",
      export_wh: share(exported), export_quality: "measured",
    })),
  };
}

test("26 days against the same 26 days: 4.1 % less, not 17.4 %", () => {
  const [left, right] = [energy(26, 126, 60.1), energy(26, 131.4, 45.12)];
  assert.deepEqual(compared(left, right, "import"),
    { left: "126000", right: "131400", difference: "-5400", percent: "−4.1", buckets: null });
  assert.deepEqual(compared(left, right, "export"),
    { left: "60100", right: "45120", difference: "14980", percent: "33.2", buckets: null });
});

test("without a reading at both ends only what was measured in both is compared", () => {
  const right = energy(26, 260, 26, [2, 26]);
  right.buckets[0] = { ...right.buckets[0], import_wh: undefined, import_quality: "absent" };
  right.buckets[1] = { ...right.buckets[1], import_quality: "partial" };
  assert.deepEqual(compared(energy(26, 130, 26), right, "import"),
    { left: "120000", right: "240000", difference: "-120000", percent: "−50.0", buckets: 24 });
});

test("a gap inside does not matter: the counter was read at both ends", () => {
  const left = energy(26, 130, 26);
  left.buckets[5] = { ...left.buckets[5], import_wh: undefined, import_quality: "absent" };
  assert.equal(compared(left, energy(26, 120, 26), "import").difference, "10000");
});

test("nothing known is no difference", () => {
  const empty = { ...energy(0, 1, 1), buckets: [], import: { gaps: [], epochs: [] }, export: undefined };
  assert.equal(compared(energy(26, 126, 60), empty, "import"), null);
  assert.equal(compared(energy(26, 126, 60), empty, "export"), null);
  assert.equal(compared(energy(26, 126, 60), energy(26, 0, 60), "import").percent, null);
});

test("running totals begin at zero and end where data ends", () => {
  const buckets = [{ import_wh: "1500" }, { import_wh: undefined }, { import_wh: "500" }];
  assert.deepEqual(runningTotals(buckets, "import_wh"), [0, 1.5, null, 2]);
});

test("moments and round hours are those of the server's time zone", () => {
  assert.equal(new Date(instantOf("2026-11-26", "14:15")).toISOString(), "2026-11-26T13:15:00.000Z");
  assert.equal(new Date(instantOf("2026-07-01", "00:00")).toISOString(), "2026-06-30T22:00:00.000Z");
  // an hour that occurs twice, and one that is skipped
  assert.equal(new Date(instantOf("2026-10-25", "03:00")).toISOString(), "2026-10-25T02:00:00.000Z");
  assert.equal(new Date(instantOf("2026-03-29", "03:00")).toISOString(), "2026-03-29T01:00:00.000Z");
  const span = [Date.parse("2026-11-25T14:33:00Z") / 1000, Date.parse("2026-11-26T14:33:00Z") / 1000];
  assert.deepEqual(roundHours(span, 6).map((at) => new Date(at * 1000).toISOString().slice(5, 16)),
    ["11-25T17:00", "11-25T23:00", "11-26T05:00", "11-26T11:00"]);
  const half = roundHours(span, 12, "Asia/Kolkata");
  assert.deepEqual(half.map((at) => new Date(at * 1000).toISOString().slice(5, 16)), ["11-25T18:30", "11-26T06:30"]);
});
