import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, load, randoms } from "./browser.js";

browser();
const { flowsOf, produced, solarBar } = await load("solarFlows.js");

test("what a plant produces goes to the house first, and the rest to the grid", () => {
  assert.deepEqual(flowsOf(-1900, 2350), { production: 2350, house: 450, toHouse: 450, toGrid: 1900, fromGrid: 0 });
  assert.deepEqual(flowsOf(300, 200), { production: 200, house: 500, toHouse: 200, toGrid: 0, fromGrid: 300 });
});

test("no power is lost: production and consumption are the sums of their flows", () => {
  const random = randoms(7);
  for (let tried = 0; tried < 1000; tried += 1) {
    const [used, all] = [Math.round(random() * 9000), Math.round(random() * 9000)];
    const flows = flowsOf(used - all, all);
    assert.equal(flows.house, used);
    assert.equal(flows.toHouse + flows.toGrid, flows.production);
    assert.equal(flows.toHouse + flows.fromGrid, flows.house);
    assert.ok(flows.toHouse >= 0 && (flows.toGrid === 0 || flows.fromGrid === 0));
  }
});

test("the counter says which sign is production, and an inverter at night produces nothing", () => {
  assert.equal(produced(-2350, "export"), 2350);
  assert.equal(produced(5, "export"), 0);
  assert.equal(produced(2350, "import"), 2350);
  assert.equal(produced(-5, "import"), 0);
});

test("a bar is what the house used in front of all that was produced", () => {
  const bucket = { quarters: 4, counted_quarters: 4, production_wh: "1125", self_consumption_wh: "225" };
  assert.deepEqual(solarBar(bucket), { up: 0.225, down: null, wholeUp: 1.125, ink: "exp", kind: "complete" });
  assert.equal(solarBar({ ...bucket, counted_quarters: 3 }).kind, "partial");
  assert.equal(solarBar({ quarters: 4, counted_quarters: 0 }).kind, "missing");
  assert.equal(solarBar({ quarters: 0, counted_quarters: 0 }).kind, "future");
});
