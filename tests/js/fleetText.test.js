import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, load, plain } from "./browser.js";

browser();
const {
  completenessText, hasGaps, inNoBucket, isIncomplete, missingText, readerText, spanText,
} = await load("fleetText.js");

const whole = { meters: 24, complete: 24, quarters: 2304, measured: 2304, estimated: 0 };

test("what a sum lacks is said, and nothing where it lacks nothing", () => {
  assert.equal(completenessText(whole), "");
  assert.equal(plain(completenessText({ ...whole, complete: 23, measured: 2263, estimated: 24 })),
    "23 of 24 meters complete, 41 of 2 304 quarter-hours missing, 24 quarter-hours estimated");
  assert.equal(completenessText({ meters: 2, complete: 1, quarters: 8 }), "1 of 2 meters complete");
  assert.equal(completenessText({ meters: 0, complete: 0, quarters: 0, measured: 0, estimated: 0 }), "");
});

test("almost whole does not look whole, and a bit does not look like nothing", () => {
  assert.equal(plain(completenessText({ ...whole, quarters: 100_000, measured: 99_999, estimated: 1 })),
    "1 of 100 000 quarter-hours missing, 1 quarter-hour estimated");
});

test("a sum with gaps inside is complete, and what is estimated is no gap", () => {
  const asked = (known) => [isIncomplete(known), hasGaps(known)];
  assert.deepEqual(asked({ ...whole, estimated: 9 }), [false, false]);
  assert.deepEqual(asked({ meters: 24, complete: 24, quarters: 2304 }), [false, false]);
  assert.deepEqual(asked({ ...whole, measured: 2303 }), [false, true]);
  assert.deepEqual(asked({ ...whole, complete: 23 }), [true, false]);
});

test("the energy of a gap over two bars is in none of them, to the last digit", () => {
  assert.equal(inNoBucket("10702046.5", ["10682797.5", undefined, "0.1"]), "19248.9");
  assert.equal(inNoBucket("12.3", ["12.30"]), null);
  assert.equal(inNoBucket("12.3", [undefined]), "12.3");
  assert.equal(inNoBucket(undefined, [undefined]), null);
});

test("what the export lacks is said apart where it lacks something else", () => {
  const less = { ...whole, complete: 23 };
  assert.equal(missingText({ import_completeness: less, export_completeness: less }), "23 of 24 meters complete");
  assert.equal(missingText({ import_completeness: whole, export_completeness: less }),
    "to grid: 23 of 24 meters complete");
  assert.equal(missingText({ import_completeness: less, export_completeness: whole }), "23 of 24 meters complete");
});

test("a period ends with its last day", () => {
  const [begin, end] = ["2026-01-01T00:00:00+01:00", "2026-04-01T00:00:00+02:00"];
  assert.match(spanText({ begin, end }), /^1 Jan.–.31 Mar 2026$|^1 Jan–31 Mar 2026$/);
  assert.equal(spanText({ begin }), "since 1 Jan 2026");
  assert.equal(spanText({ end }), "until 31 Mar 2026");
  assert.equal(spanText({}), "");
});

test("of a reader its clock and what waits", () => {
  const late = { meters: 1, version: "0.1.0", skew_s: -90, waiting: 1200, refused: 0 };
  assert.equal(plain(readerText(late)),
    "1 meter · version 0.1.0 · clock 90 s behind · 1 200 quarter-hours waiting");
  assert.equal(readerText({ meters: 0 }), "");
  assert.match(readerText({ ...late, waiting: 1 }), /1 quarter-hour waiting/);
  const early = { meters: 2, skew_s: 6, refused: 2 };
  assert.match(readerText(early), /2 meters · clock 6 s ahead · 2 quarter-hours refused/);
});
