import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, load, plain } from "./browser.js";

browser();
const { missingTimes } = await load("views/missingTimes.js");

const whole = { meters: 2, complete: 2, quarters: 192, measured: 192, estimated: 0 };
const nobody = { meters: 0, complete: 0, quarters: 0, measured: 0, estimated: 0 };

/** The days of November from the 1st on, with so many missing quarter-hours. @param {number[]} missing */
const days = (missing) => missing.map((count, at) => {
  const day = (date) => `2026-11-${String(date).padStart(2, "0")}T00:00:00+01:00`;
  const known = { ...whole, measured: whole.quarters - count };
  return { begin: day(at + 1), end: day(at + 2), import_completeness: known, export_completeness: nobody };
});

test("each day with its number, and days without anything in one run", () => {
  assert.equal(plain(missingTimes("month", days([0, 2, 0, 192, 192, 192, 1]))),
    "Mon 2 November (2); Wed 4 November–Fri 6 November (all); Sat 7 November (1)");
  assert.equal(missingTimes("month", days([0, 0])), "");
});

test("more than four are counted", () => {
  assert.match(missingTimes("month", days([1, 2, 3, 4, 5, 192, 192])), /^Sun 1 November \(1\);.*\(4\); 2 more$/);
});

test("what is too much to count or not in the group is not missing", () => {
  const [day] = days([0]);
  const { measured, ...uncounted } = whole;
  assert.equal(measured, 192);
  assert.equal(missingTimes("month", [{ ...day, import_completeness: uncounted }]), "");
  assert.equal(missingTimes("month", [{ ...day, import_completeness: nobody }]), "");
});

test("of the export, where the import lacks nothing", () => {
  const [day] = days([0]);
  const plant = { meters: 1, complete: 1, quarters: 96, measured: 92, estimated: 0 };
  assert.equal(missingTimes("month", [{ ...day, export_completeness: plant }]), "Sun 1 November (4)");
});

test("a day of quarter-hours by their times", () => {
  const [day] = days([1]);
  assert.equal(plain(missingTimes("day", [{ ...day, end: "2026-11-01T00:15:00+01:00" }])), "00:00–00:15 (1)");
});
