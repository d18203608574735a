import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, load } from "./browser.js";

browser({ tz: "Europe/Berlin" });
const { contractYear, contractYearOf, instalmentsDue } = await load("contractYears.js");

test("a contract year begins at the anniversary", () => {
  assert.equal(contractYearOf("2024-07-15", "2026-07-14"), 2025);
  assert.equal(contractYearOf("2024-07-15", "2026-07-15"), 2026);
  assert.equal(contractYearOf("1970-01-01", "2026-11-22"), 2026);
  assert.deepEqual(contractYear("2024-07-15", 2025), ["2025-07-15", "2026-07-14"]);
  assert.deepEqual(contractYear("1970-01-01", 2026), ["2026-01-01", "2026-12-31"]);
});

test("the anniversary of February 29 is March 1, as on the server", () => {
  assert.deepEqual(contractYear("2024-02-29", 2025), ["2025-03-01", "2026-02-28"]);
  assert.deepEqual(contractYear("2024-02-29", 2027), ["2027-03-01", "2028-02-28"]);
});

test("one instalment is due at the beginning of each month of the contract year", () => {
  assert.equal(instalmentsDue("2026-01-01", "2026-01-01"), 1);
  assert.equal(instalmentsDue("2026-01-01", "2026-11-30"), 11);
  assert.equal(instalmentsDue("2025-07-15", "2025-08-14"), 1);
  assert.equal(instalmentsDue("2025-07-15", "2026-07-14"), 12);
});
