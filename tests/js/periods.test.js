import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { browser, load, plain, randoms } from "./browser.js";

browser();
const { firstDay, isCurrent, isFuture, isKind, keyOf, KINDS, periodQuery, periodTitle, SMALLER_KIND, step } =
  await load("periods.js");
const { shiftDays, weekday } = await load("calendar.js");

mock.timers.enable({ apis: ["Date"], now: Date.UTC(2026, 10, 22, 12) });
const PRESENT = { day: "2026-11-22", week: "2026-11-16", month: "2026-11", year: "2026", all: "" };
const kinds = Object.keys(KINDS);

test("each kind of period has a current key", () => {
  assert.deepEqual(Object.fromEntries(kinds.map((kind) => [kind, keyOf(kind, "")])), PRESENT);
  for (const kind of kinds) assert.ok(isCurrent(kind, PRESENT[kind]) && !isFuture(kind, PRESENT[kind]), kind);
});

test("an invalid date leads to the current period", () => {
  for (const text of [undefined, "2026-13-01", "2026-02-30x", "yesterday", "20261122", "../../etc"]) {
    assert.equal(keyOf("day", text), PRESENT.day, text);
  }
  assert.equal(keyOf("month", "2026-13"), PRESENT.month);
});

test("a week is named by its Monday", () => {
  assert.equal(keyOf("week", "2026-11-22"), "2026-11-16");
  const random = randoms(6);
  for (let turn = 0; turn < 500; turn += 1) {
    const day = shiftDays("2019-01-01", Math.floor(random() * 4000));
    const key = keyOf("week", day);
    assert.equal(weekday(key), 1);
    assert.ok(key <= day && day < shiftDays(key, 7), day);
  }
});

test("a step forth and back is the same period, and a step forth is later", () => {
  const random = randoms(7);
  for (let turn = 0; turn < 1000; turn += 1) {
    const kind = kinds[turn % 4];
    const key = KINDS[kind].key(shiftDays("2000-01-01", Math.floor(random() * 10_000)));
    const by = 1 + Math.floor(random() * 40);
    assert.equal(step(kind, step(kind, key, by), -by), key);
    assert.ok(step(kind, key, 1) > key);
    assert.equal(KINDS[kind].key(firstDay(kind, key)), key);
    assert.match(step(kind, key, by), KINDS[kind].form);
  }
});

test("steps cross the end of a year", () => {
  assert.equal(step("month", "2026-12", 1), "2027-01");
  assert.equal(step("month", "2026-01", -13), "2024-12");
  assert.equal(step("day", "2026-01-01", -1), "2025-12-31");
  assert.equal(step("week", "2026-12-28", 1), "2027-01-04");
  assert.equal(step("all", "", 1), "");
});

test("the query covers the whole period", () => {
  assert.deepEqual(periodQuery("day", "2026-11-22"), { from: "2026-11-22", bucket: "15min" });
  assert.deepEqual(periodQuery("week", "2026-11-16"), { from: "2026-11-16", to: "2026-11-22", bucket: "hour" });
  assert.deepEqual(periodQuery("month", "2026-11"), { from: "2026-11", bucket: "day" });
  assert.deepEqual(periodQuery("year", "2026"), { from: "2026", bucket: "month" });
  assert.deepEqual(periodQuery("all", ""), { from: "1970", to: "2026", bucket: "year" });
});

test("a period that has not begun is future", () => {
  assert.ok(isFuture("day", "2026-11-23") && isFuture("week", "2026-11-23") && isFuture("month", "2026-12"));
  assert.ok(isFuture("year", "2027") && !isFuture("all", ""));
});

test("periods have names", () => {
  assert.equal(plain(periodTitle("week", "2026-11-16")), "Week 47 · 16–22 Nov 2026");
  assert.equal(periodTitle("month", "2026-11"), "November 2026");
  assert.equal(periodTitle("year", "2026"), "2026");
  assert.match(periodTitle("day", "2026-11-22"), /^Sunday.* 22 November 2026$/);
});

test("a bar opens a smaller period", () => {
  assert.deepEqual(SMALLER_KIND, { week: "day", month: "day", year: "month", all: "year" });
  assert.ok(kinds.every(isKind) && !isKind("toString") && !isKind(undefined) && !isKind("heat"));
});
