import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, load, plain } from "./browser.js";

browser();
const {
  axisNumber, chartKwh, energyBar, energyText, exportName, kwh, kwhShort, opposite, quarterText,
} = await load("energyText.js");
const { words } = await load("language.js");
const { axisLabels, bucketName, bucketText } = await load("views/buckets.js");

const BEGIN = "2026-05-05T10:00:00+02:00";
const END = "2026-05-05T10:15:00+02:00";
const energy = { import: { epochs: [{ at: "2026-05-05T10:15:00+02:00" }] }, export: { epochs: [] } };
const bar = (bucket, now = Date.parse(END)) =>
  energyBar({ begin: BEGIN, end: END, import_quality: "measured", ...bucket }, energy, now);

test("a bar is in kWh and has its kind", () => {
  assert.deepEqual(bar({ import_wh: "577.5", export_wh: "0" }), { up: 0.5775, down: 0, mark: false, kind: "complete" });
  assert.deepEqual(bar({ import_quality: "absent" }), { up: null, down: null, mark: false, kind: "missing" });
  assert.equal(bar({ import_wh: "1", import_quality: "partial" }).kind, "partial");
});

test("running and future buckets are neither gaps nor partial", () => {
  const during = Date.parse(BEGIN) + 1000;
  assert.equal(bar({ import_wh: "1", import_quality: "partial" }, during).kind, "complete");
  assert.equal(bar({ import_quality: "absent" }, during).kind, "future");
  assert.equal(bar({ import_wh: "1" }, Date.parse(BEGIN) - 1).kind, "future");
});

test("a counter restart marks only its own bucket", () => {
  assert.equal(bar({ import_wh: "1" }).mark, false);
  const next = { begin: END, end: "2026-05-05T10:30:00+02:00", import_quality: "measured", import_wh: "1" };
  assert.equal(energyBar(next, energy, Date.parse("2026-05-06T00:00:00Z")).mark, true);
});

test("energy is shown with every digit and its mean power", () => {
  const bucket = { begin: BEGIN, end: END, import_wh: "577.5", export_wh: "0" };
  assert.equal(plain(quarterText(bucket, { kind: "complete" })),
    `10:00–10:15 · ${words.fromGrid} 0.5775 kWh (2 310 W) · ${words.toGrid} 0.000 kWh`);
});

test("missing and partial data are named", () => {
  assert.equal(energyText({}, { kind: "missing" }), words.noData);
  assert.equal(energyText({}, { kind: "future" }), words.future);
  assert.equal(plain(energyText({ export_wh: "1500" }, { kind: "partial", mark: true })),
    `${words.fromGrid}: ${words.noData} · ${words.toGrid} 1.500 kWh · ${words.partial} · ${words.counterRestarted}`);
  assert.match(energyText({ import_wh: "1", import_quality: "interpolated" }, { kind: "complete" }),
    new RegExp(words.interpolated));
  assert.deepEqual([kwh(undefined), kwhShort(null), chartKwh(undefined)], [words.noData, words.noData, null]);
});

test("headings have three places, details all", () => {
  assert.deepEqual([kwhShort("1234567.89"), kwh("1234567.89")].map(plain), ["1 234.568 kWh", "1 234.56789 kWh"]);
});

test("numbers of an axis have as few places as they need", () => {
  assert.deepEqual([0, 0.25, 0.001, 2, 2.5, 10.4, -1500].map(axisNumber).map(plain),
    ["0", "0.25", "0.001", "2", "2.5", "10", "−1 500"]);
});

test("the name of a bucket depends on the period", () => {
  const bucket = { begin: "2026-05-05T00:00:00+02:00", end: "2026-05-06T00:00:00+02:00", import_wh: "1000" };
  assert.equal(bucketName("year", bucket), "May 2026");
  assert.equal(bucketName("all", bucket), "2026");
  assert.match(bucketName("month", bucket), /^Tue.* 5 May$/);
  assert.match(plain(bucketText("week", { ...bucket, end: "2026-05-05T01:00:00+02:00" }, { kind: "complete" })),
    /^Tue.* 5 May .*1:00.* 1\.000 kWh \(1 000 W\)$/);
});

test("axes have labels at full hours, days, months and years", () => {
  const quarters = Array.from({ length: 96 }, (_, at) => ({
    begin: `2026-05-05T${String(at >> 2).padStart(2, "0")}:${["00", "15", "30", "45"][at & 3]}:00+02:00`,
  }));
  assert.deepEqual(axisLabels("day", quarters).slice(0, 3), [[0, "00"], [12, "03"], [24, "06"]]);
  assert.deepEqual(axisLabels("month", quarters.slice(0, 2)), [[0, "5"], [1, "5"]]);
  assert.deepEqual(axisLabels("all", quarters.slice(0, 1)), [[0, "2026"]]);
  assert.equal(axisLabels("week", quarters).length, 4);
});

test("an export below 0 is the solar power that a heat pump has used", () => {
  const bucket = { begin: BEGIN, end: END, import_wh: "100.0", export_wh: "-300.5" };
  assert.equal(energyText(bucket, { kind: "complete" }, 4),
    `${words.fromGrid} 0.1000 kWh (400 W) · ${words.virtual.solar} 0.3005 kWh (1\u202f202 W)`);
  assert.equal(exportName("-1"), words.virtual.solar);
  assert.equal(exportName("1"), words.toGrid);
  assert.equal(exportName(undefined), words.toGrid);
  assert.deepEqual(["-1.5", "1.5", "0.0", undefined].map(opposite), ["1.5", "-1.5", "0.0", undefined]);
});
