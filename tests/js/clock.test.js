import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { browser, load, plain, randoms } from "./browser.js";

browser({ tz: "Europe/Berlin" });
const { ageText, shortTime, time } = await load("clock.js");
const { dateRange, dayOf, localClock, shiftDays, today, wallTime, wallTimeRange, weekday, weekOf } =
  await load("calendar.js");

const QUARTER_MS = 900_000;
// half an hour of summer time, a quarter in the offset, a day that did not happen, and those with none of it
const ZONES = ["Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "America/St_Johns", "UTC"];

test("times are in the time zone of the server", () => {
  assert.equal(time(Date.UTC(2026, 6, 1, 10, 4, 5)), "12:04:05");
  assert.equal(shortTime(Date.UTC(2026, 0, 1, 22, 30)), "23:30");
});

test("ages are in seconds, minutes or hours", () => {
  assert.deepEqual([0.04, 9.94, 10, 119, 120, 7199, 7200, 90_000].map(ageText),
    ["0.0 s", "9.9 s", "10 s", "119 s", "2 min", "120 min", "2 h", "25 h"]);
});

test("days begin at midnight in the time zone of the server", () => {
  assert.equal(dayOf(Date.UTC(2026, 2, 28, 22, 59)), "2026-03-28");
  assert.equal(dayOf(Date.UTC(2026, 2, 28, 23, 0)), "2026-03-29");
  // summer time
  assert.equal(dayOf(Date.UTC(2026, 2, 29, 22, 0)), "2026-03-30");
  mock.timers.enable({ apis: ["Date"], now: Date.UTC(2026, 11, 31, 23, 30) });
  assert.equal(today(), "2027-01-01");
  mock.timers.reset();
});

test("the local clock is that of the zone, at every quarter of two years", () => {
  const random = randoms(4);
  for (const tz of ZONES) {
    const clock = localClock(tz);
    const format = new Intl.DateTimeFormat("sv-SE", { timeZone: tz, dateStyle: "short", timeStyle: "short" });
    for (let turn = 0; turn < 800; turn += 1) {
      const at = Date.UTC(2025, 0, 1) + Math.floor(random() * 2 * 365 * 96) * QUARTER_MS;
      assert.equal(clock(at).join(" "), format.format(at), `${tz} ${new Date(at).toISOString()}`);
    }
  }
});

test("a day on which the clock changes has its own length", () => {
  const clock = localClock("Europe/Berlin");
  const quarters = (day) => {
    const from = Date.parse(`${shiftDays(day, -1)}T12:00Z`);
    return Array.from({ length: 240 }, (_, at) => clock(from + at * QUARTER_MS)).filter(([date]) => date === day);
  };
  assert.equal(quarters("2026-03-29").length, 92);
  assert.equal(quarters("2025-10-26").length, 100);
  assert.equal(quarters("2026-05-05").length, 96);
  assert.ok(!quarters("2026-03-29").some(([, clockTime]) => clockTime.startsWith("02")));
  assert.equal(quarters("2025-10-26").filter(([, clockTime]) => clockTime.startsWith("02")).length, 8);
});

test("instants of the server are shown in its own offset", () => {
  assert.equal(wallTime("2026-11-22T18:30:00+01:00"), "18:30");
  assert.equal(plain(wallTimeRange("2026-11-22T18:30:00+01:00", "2026-11-22T18:45:00+01:00")), "18:30–18:45");
  const toMidnight = wallTimeRange("2026-11-22T23:45:00+01:00", "2026-11-23T00:00:00+01:00");
  assert.match(plain(toMidnight), /^23:45–0?0:00$/);
});

test("shiftDays crosses months, years and leap days, both ways", () => {
  assert.equal(shiftDays("2024-02-28", 1), "2024-02-29");
  assert.equal(shiftDays("2026-12-31", 1), "2027-01-01");
  const random = randoms(5);
  for (let turn = 0; turn < 500; turn += 1) {
    const [day, days] = [shiftDays("2020-01-01", Math.floor(random() * 4000)), Math.floor(random() * 2000) - 1000];
    assert.equal(shiftDays(shiftDays(day, days), -days), day);
    assert.equal(weekday(shiftDays(day, 7)), weekday(day));
  }
});

test("weeks are those of ISO 8601", () => {
  const days = ["2020-12-31", "2021-01-03", "2021-01-04", "2024-12-30", "2026-11-22", "2027-01-01"];
  assert.deepEqual(days.map(weekOf), [53, 53, 1, 1, 47, 53]);
  assert.deepEqual(["2026-11-23", "2026-11-29"].map(weekday), [1, 7]);
});

test("a range of dates names a common month and year once", () => {
  assert.equal(plain(dateRange("2026-11-16", "2026-11-22", { day: "numeric", month: "short", year: "numeric" })),
    "16–22 Nov 2026");
});
