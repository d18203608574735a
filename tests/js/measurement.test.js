import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, load } from "./browser.js";

browser();
const { addTelegram, measured, startMeasurement } = await load("measurement.js");

const BEFORE = [[90, 95, 98, 99], [900, 310, 300, 305]];

test("an appliance is what is above the level before the start", () => {
  const measurement = startMeasurement(100, ...BEFORE, "1000.5", "0");
  assert.equal(measurement.level, 305);
  // 300 W until 110, 2305 W for an hour with a telegram every ten seconds
  for (let at = 110; at <= 110 + 3600; at += 10) addTelegram(measurement, at, 2305);
  const { seconds, houseWh, applianceWh, netWh, missingS } = measured(measurement, "3306.3");
  assert.deepEqual([seconds, houseWh, applianceWh, missingS], [3610, "2305.8", 2000, 0]);
  assert.ok(Math.abs(netWh - (2305 + 305 * 10 / 3600)) < 1e-9);
});

test("a silence of more than a minute is not in the estimate", () => {
  const measurement = startMeasurement(100, ...BEFORE, "0", undefined);
  addTelegram(measurement, 101, 1305);
  addTelegram(measurement, 301, 305);
  const { applianceWh, missingS } = measured(measurement, undefined);
  assert.deepEqual([applianceWh, missingS], [(1000 * 60) / 3600, 140]);
});

test("without telegrams before the start there is no level, so no estimate of an appliance", () => {
  const measurement = startMeasurement(100, [], [], "0", undefined);
  addTelegram(measurement, 110, 500);
  addTelegram(measurement, 120, 500);
  const { applianceWh, netWh, missingS } = measured(measurement, "1.4");
  assert.deepEqual([applianceWh, netWh, missingS], [null, 5000 / 3600, 10]);
});

test("a counter that restarted or is not sent tells nothing", () => {
  assert.equal(measured(startMeasurement(100, ...BEFORE, "1000", undefined), "3").houseWh, null);
  assert.equal(measured(startMeasurement(100, ...BEFORE, undefined, undefined), "3").houseWh, null);
  assert.equal(measured(startMeasurement(100, ...BEFORE, "3", undefined), undefined).houseWh, null);
});

test("telegrams that come out of order do not count twice", () => {
  const measurement = startMeasurement(100, ...BEFORE, "0", undefined);
  addTelegram(measurement, 110, 305);
  addTelegram(measurement, 105, 9999);
  addTelegram(measurement, 120, 305);
  assert.equal(measured(measurement, "0").applianceWh, 0);
});

test("while the sun shines an appliance is measured all the same", () => {
  const measurement = startMeasurement(100, [95, 99], [-3000, -3000], "5", "7");
  for (let at = 110; at <= 3710; at += 10) addTelegram(measurement, at, -1000);
  assert.ok(Math.abs(measured(measurement, "5").applianceWh - 2000) < 1e-9);
  assert.equal(measured(measurement, "5").houseWh, "0");
});
