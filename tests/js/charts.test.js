import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, load, randoms } from "./browser.js";

browser();
const { barRange, fittingLabels, nearest, roundTicks } = await load("charts/scales.js");
const { placeAfterKey } = await load("charts/picker.js");
const { lastHourOf, powerColumns } = await load("views/powerColumns.js");
const { daysOf, energyScale, netEnergy, shadeOf } = await load("views/heatGrid.js");

test("the range of bars is that of the highest, pale ones too", () => {
  assert.deepEqual(barRange([{ up: 2, down: 1 }, { up: null, down: null }, { up: 0.5, down: 0 }]), [-1, 2]);
  assert.deepEqual(barRange([{ up: 2, down: null }]), [0, 2]);
  // an export below 0 stands on the import
  assert.deepEqual(barRange([{ up: 2, down: -0.5 }]), [0, 2.5]);
  assert.deepEqual(barRange([{ up: 1, down: 0, wholeUp: 3, wholeDown: 0.5 }]), [-0.5, 3]);
  assert.deepEqual(barRange([{ up: -0.2, down: null, wholeUp: 0 }, { up: 1, down: null, wholeUp: 3 }]), [-0.2, 3]);
  assert.deepEqual(barRange([]), [0, 0]);
});

test("an axis ends at ticks, with one on each side where something is drawn", () => {
  const random = randoms(8);
  for (let turn = 0; turn < 3000; turn += 1) {
    const size = 10 ** Math.floor(random() * 8 - 3);
    const [low, high] = [-random() * size * (turn % 2), (0.1 + random()) * size * (turn % 3)];
    const max = 1 + Math.floor(random() * 9);
    const ticks = roundTicks(low, high, max);
    const step = ticks[1] - ticks[0];
    const digit = step / 10 ** Math.floor(Math.log10(step) + 1e-9);
    assert.ok([1, 2, 5, 10].some((round) => Math.abs(digit - round) < 1e-6), `${step}`);
    assert.ok(ticks.length - 1 <= Math.max(max, low < 0 && high > 0 ? 2 : 1), `${ticks}`);
    assert.ok(ticks.some((at) => at === 0), `${ticks}`);
    assert.ok(ticks[0] <= low + step * 1e-6 && ticks.at(-1) >= high - step * 1e-6, `${low} ${high}: ${ticks}`);
    assert.equal(ticks[0] < 0, low < 0);
    if (high > 0) assert.ok(ticks.at(-1) > 0);
    // the range that the axis has then has the same ticks
    assert.deepEqual(roundTicks(ticks[0], ticks.at(-1), max), ticks);
  }
});

test("the axes that had no number above zero have one", () => {
  // a year with much to the grid, wide and on a phone; a day on a phone
  assert.deepEqual(roundTicks(-725, 152, 5), [-800, -600, -400, -200, 0, 200]);
  assert.deepEqual(roundTicks(-725, 152, 3), [-1000, -500, 0, 500]);
  assert.deepEqual(roundTicks(-0.19, 0.38, 3), [-0.2, 0, 0.2, 0.4]);
  assert.deepEqual(roundTicks(0, 0, 4), [0, 0.5, 1]);
  assert.deepEqual(roundTicks(-460, 0, 2), [-500, 0]);
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
  // the mean of a quarter-hour is level
  const level = powerColumns({ resolution_s: 900, points: [point(0, "1"), point(900, "5")] });
  assert.deepEqual(level.times.map((at) => at - 1_764_000_000), [0, 899, 900, 1799]);
  assert.deepEqual(level.mean, [1, 1, 5, 5]);
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
  const { gaps, ...hour } = lastHourOf(past, [[3200, 3250, 4000], [100, 150, 200]], 4100);
  assert.deepEqual(hour, {
    times: [1000, 2000, 3000, 3100, 3200, 3250, 3625, 4000],
    mean: [2, null, 4, null, 100, 150, null, 200], begin: 500, end: 4100,
  });
  // from the beginning of the axis, where history has a hole, and while no telegram came; not a minute without one
  assert.deepEqual(gaps, [[500, 1000], [1000, 3000], [3000, 3200], [3250, 4000], [4000, 4100]]);
  assert.deepEqual(lastHourOf(past, [[3200, 4000], [1, 2]], 4100, 900).gaps, [[1000, 3000]]);
  assert.deepEqual(lastHourOf(past, undefined, 3600).times, past.times);
  // the clock of the browser is behind
  assert.deepEqual(lastHourOf(past, [[4000, 4500], [1, 2]], 4100).end, 4500);
  // nothing yet: all of it is hatched
  assert.deepEqual(lastHourOf({ times: [], mean: [] }, undefined, 9000).gaps, [[5400, 9000]]);
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
  assert.equal(energyScale([{ day: "", cells }]), 99);
  const exportAt = (at) => (at < 5 ? String(2 * at) : "0");
  const both = Array.from({ length: 11 }, (_, at) => ({ imported: String(at), exported: exportAt(at) }));
  assert.equal(energyScale([{ day: "", cells: both }]), 9);
  assert.equal(energyScale([{ day: "", cells: [null, { imported: null, exported: null }] }]), null);
});

test("colours grow with energy, and energy to the grid is negative", () => {
  assert.equal(netEnergy({ imported: "1.5", exported: "2" }), -0.5);
  assert.equal(netEnergy({ imported: null, exported: "2" }), null);
  // the same in both directions
  assert.deepEqual([0, 100, 400, 9999, -100].map((wh) => shadeOf(wh, 400)), [0, 0.5, 1, 1, 0.5]);
});
