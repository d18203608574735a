import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, load, randoms } from "./browser.js";

browser();
const { fittingLabels, nearest, rangeWithZero, barRange, roundSplits } = await load("charts/scales.js");
const { placeAfterKey } = await load("charts/picker.js");
const { lastHourOf, powerColumns } = await load("views/powerColumns.js");
const { daysOf, energyScale, netEnergy, shadeOf } = await load("views/heatGrid.js");

test("the range of bars has a little room", () => {
  const [low, high] = barRange([{ up: 2, down: 1 }, { up: null, down: null }, { up: 0.5, down: 0 }]);
  assert.ok(low < -1 && low > -1.2 && high > 2 && high < 2.2);
  assert.equal(barRange([{ up: 2, down: null }])[0], 0);
  assert.deepEqual(barRange([{ up: 100, down: 0 }]), [0, 104]);
  assert.deepEqual(barRange([{ up: 0, down: 100 }]), [-104, 0]);
  assert.deepEqual(barRange([{ up: 60, down: 40 }]), [-44, 64]);
  assert.deepEqual(barRange([]), [0, 1]);
});

test("every range contains zero", () => {
  assert.deepEqual(rangeWithZero(null, null), [0, 6]);
  assert.deepEqual(rangeWithZero(200, 500), [0, 530]);
  assert.deepEqual(rangeWithZero(-100, 100), [-112, 112]);
  const [low, high] = rangeWithZero(-500, -200);
  assert.ok(low < -500 && high === 0);
});

test("splits are round numbers within the range, not too many, with zero among them", () => {
  const random = randoms(8);
  for (let turn = 0; turn < 2000; turn += 1) {
    const size = 10 ** Math.floor(random() * 8 - 3);
    const [low, high, most] = [-random() * size * (turn % 2), (0.1 + random()) * size, 2 + Math.floor(random() * 9)];
    const splits = roundSplits(low, high, most);
    const step = splits.length > 1 ? splits[1] - splits[0] : 0;
    const digit = step / 10 ** Math.floor(Math.log10(step) + 1e-9);
    assert.ok(splits.length >= 1 && splits.length <= most + 1, `${splits}`);
    assert.ok(splits.some((at) => Math.abs(at) < 1e-12), `${splits}`);
    assert.ok(splits.every((at) => at >= low - step * 1e-6 && at <= high + step * 1e-6), `${splits}`);
    if (step) assert.ok([1, 2, 5, 10].some((round) => Math.abs(digit - round) < 1e-6), `${step}`);
  }
  assert.deepEqual(roundSplits(0, 10, 5).map((at) => at + 0), [0, 2, 4, 6, 8, 10]);
});

test("as many labels are shown as fit, always with the first", () => {
  const labels = Array.from({ length: 31 }, (_, at) => [at, String(at + 1)]);
  for (const width of [80, 200, 320, 640, 1500]) {
    const shown = fittingLabels(labels, width);
    assert.ok(shown.length * 46 <= Math.max(width + 46, 46 * 2), `${shown.length} at ${width}`);
    assert.deepEqual(shown[0], [0, "1"]);
  }
  assert.equal(fittingLabels(labels, 1500).length, 31);
});

test("nearest finds the same point as a linear search", () => {
  const random = randoms(9);
  for (let turn = 0; turn < 500; turn += 1) {
    const times = Array.from({ length: 1 + (turn % 20) }, () => random() * 100).sort((a, b) => a - b);
    const time = random() * 120 - 10;
    const distances = times.map((at) => Math.abs(at - time));
    assert.equal(distances[nearest(times, time)], Math.min(...distances));
  }
});

test("arrow keys move through a chart, from its end if nothing is picked", () => {
  const places = (picked, keys) => keys.map((key) => placeAfterKey(key, picked, 96));
  assert.deepEqual(places(null, ["ArrowRight", "ArrowLeft", "Home", "End"]), [0, 95, 0, 95]);
  assert.deepEqual(places(40, ["ArrowUp", "ArrowDown", "PageDown", "PageUp"]), [41, 39, 52, 28]);
  assert.equal(placeAfterKey("a", 3, 96), undefined);
});

test("points with a gap between them are not joined", () => {
  const point = (second, watts) => ({
    begin: new Date(1_764_000_000_000 + second * 1000).toISOString(), min_w: watts, mean_w: watts, max_w: watts,
  });
  const columns = powerColumns({ resolution_s: 60, points: [point(0, "1.5"), point(60, "2"), point(300, "-3")] });
  assert.deepEqual(columns.mean, [1.5, 2, null, -3]);
  assert.deepEqual(columns.times.map((at) => at - 1_764_000_000), [30, 90, 150, 330]);
  assert.equal(columns.max.length, columns.min.length);
  const holes = (step, ...seconds) => {
    const points = seconds.map((at) => point(at, "1"));
    return powerColumns({ resolution_s: step, points }).mean.filter((watts) => watts === null);
  };
  // a minute without a telegram is usual, and a step and a half where steps are longer
  assert.equal(holes(5, 0, 60).length, 0);
  assert.equal(holes(5, 0, 61).length, 1);
  assert.equal(holes(900, 0, 1350).length, 0);
  assert.equal(holes(900, 0, 1351).length, 1);
});

test("the last hour is history up to the first telegram, then telegrams", () => {
  const past = { times: [0, 1000, 2000, 3000, 3500], mean: [1, 2, null, 4, 5] };
  assert.deepEqual(lastHourOf(past, [[3200, 4000], [100, 200]], 4100),
    { times: [1000, 2000, 3000, 3200, 4000], mean: [2, null, 4, 100, 200], begin: 500, end: 4100 });
  assert.deepEqual(lastHourOf(past, undefined, 3600).times, past.times);
  // the clock of the browser is behind
  assert.deepEqual(lastHourOf(past, [[4000, 4500], [1, 2]], 4100).end, 4500);
  assert.deepEqual(lastHourOf({ times: [], mean: [] }, [[10], [1]], 9000).times, []);
});

test("a day of the heat map has 96 cells, also when the clock changes", () => {
  const quarter = (clock, imported, at = 0) => ({ day: "2026-03-29", clock, imported, exported: null, at });
  const [{ cells }] = daysOf([quarter("00:15", "1"), quarter("03:00", "2"), quarter("23:45", "3")]);
  assert.equal(cells.length, 96);
  assert.deepEqual([cells[1].imported, cells[8], cells[12].imported, cells[95].imported], ["1", null, "2", "3"]);
  const [{ cells: twice }] = daysOf([quarter("02:00", "1", 1), quarter("02:00", "2", 2)]);
  assert.equal(twice[8].imported, "2");
});

test("the scale of the heat map is not set by a single peak", () => {
  const energyAt = (at) => String(at === 7 ? 99_999 : at % 100);
  const cells = Array.from({ length: 1000 }, (_, at) => ({ imported: energyAt(at), exported: null }));
  assert.deepEqual(energyScale([{ day: "", cells }]), { imported: 99, exported: 1 });
  const exportAt = (at) => (at < 5 ? String(2 * at) : "0");
  const both = Array.from({ length: 11 }, (_, at) => ({ imported: String(at), exported: exportAt(at) }));
  assert.deepEqual(energyScale([{ day: "", cells: both }]), { imported: 9, exported: 3 });
  assert.equal(energyScale([{ day: "", cells: [null, { imported: null, exported: null }] }]), null);
});

test("colours grow with energy, and energy to the grid is negative", () => {
  assert.equal(netEnergy({ imported: "1.5", exported: "2" }), -0.5);
  assert.equal(netEnergy({ imported: null, exported: "2" }), null);
  const scale = { imported: 400, exported: 100 };
  assert.deepEqual([0, 100, 400, 9999, -25].map((wh) => shadeOf(wh, scale)), [0, 0.5, 1, 1, 0.5]);
});
