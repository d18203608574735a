import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { browser, define, load, plain } from "./browser.js";

browser();
let now = 1_000_000;
// how far the clock on the wall is ahead of the one that runs while the device does
let wall = 1_764_000_000_000;
mock.method(Date, "now", () => wall + now);
define("performance", { now: () => now });
const store = await load("store.js");
const { addPower } = await load("live.js");
const { subMeters } = await load("subMeters.js");
const { lagOf, partsText } = await load("readingText.js");

const registers = (values) => ({ registers: Object.entries(values).map(([name, value]) => ({ name, value })) });
const reading = (id, at = now) =>
  ({ meter: { id, measured_age_s: 1, stale_after_s: 10, simulated: false, registers: [] }, at, wallAt: wall + at });
const status = (id, age = null, ok = true) => ({ meter_id: id, ok, simulated: true, facts: { name: "", age_s: age } });

beforeEach(() => {
  const empty = { meters: new Map(), statuses: [], statusAt: 0, chosen: null, lostAt: null, recorded: [], virtual: [] };
  Object.assign(store.store, empty);
  store.notify();
});

// before the others: nobody has chosen a meter
test("the meter of the first source is shown, however late it is read", () => {
  define("dispatchEvent", () => true);
  const read = (id) => {
    store.store.meters.set(id, { ...reading(id), meter: { ...reading(id).meter, medium: "electricity" } });
  };
  read("b");
  store.notify();
  assert.equal(store.store.chosen, "b");
  // the first source has no meter yet
  store.store.statuses = [status(null), status("b", 1)];
  store.notify();
  assert.equal(store.store.chosen, "b");
  read("a");
  store.store.statuses = [status("a", 1), status("b", 1)];
  store.notify();
  assert.equal(store.store.chosen, "a");
  // another meter at the same head does not replace it
  store.store.statuses = [status("c", 1), status("b", 1)];
  store.notify();
  assert.equal(store.store.chosen, "a");
});

test("power is the register with that name", () => {
  assert.equal(store.powerOf(registers({ power: "-12.5", power_import: "8" })), "-12.5");
  assert.equal(store.powerOf(registers({ power_import: "8" })), undefined);
  assert.equal(store.powerOf(null), undefined);
});

test("a total has the decimal places that the meter sends", () => {
  const total = (value, rest = {}) => ({ registers: [{ name: "energy_import", value, ...rest }] });
  assert.equal(plain(store.totalText(total("28136073.4"), "energy_import")), "28 136.0734 kWh");
  assert.equal(plain(store.totalText(total("28136070", { resolution: 10 }), "energy_import")), "28 136.07 kWh");
  assert.equal(plain(store.totalText(total("28136000", { resolution: 1000 }), "energy_import")), "28 136 kWh");
  // the guard keeps the last exact value of a meter that has locked
  assert.equal(plain(store.totalText({ ...total("28136973.4"), locked: true }, "energy_import")), "28 136 kWh");
  assert.equal(store.totalText(total("1"), "energy_export"), undefined);
  const meters = [total("1"), total("1", { resolution: 10_000 }), null];
  assert.deepEqual(meters.map((meter) => store.placesOf(meter)), [3, 0, 3]);
});

test("a meter of the history can be chosen, and is not current", () => {
  const old = { id: "old", recorded_until: new Date(Date.now() - 90_000).toISOString() };
  Object.assign(store.store, { recorded: [old], statuses: [status(null)] });
  store.notify();
  assert.deepEqual([store.store.chosen, store.pageState(), store.currentReading()], ["old", "stale", null]);
  assert.equal(store.readingAge(), 90);
  // of the head that delivers nothing
  assert.equal(store.chosenStatus(), store.store.statuses[0]);
  assert.ok(store.isRecordedOnly("old"));
});

test("a meter that is read comes before one of the history, unless that was chosen", () => {
  const shown = [];
  define("dispatchEvent", ({ type }) => shown.push(type));
  store.store.recorded = [{ id: "old", recorded_until: "2026-01-01T00:00:00Z" }];
  store.notify();
  store.store.meters.set("new", reading("new"));
  store.notify();
  assert.deepEqual([store.store.chosen, shown], ["new", ["hashchange"]]);
  assert.deepEqual(store.meterIds(), ["new", "old"]);
  store.chooseMeter("old");
  store.notify();
  assert.deepEqual([store.store.chosen, store.chosenStatus()], ["old", null]);
  store.store.meters.set("old", reading("old"));
  assert.ok(!store.isRecordedOnly("old"));
});

test("the meter of a solar plant is chosen only by hand, or where there is no other", () => {
  const shown = [];
  define("dispatchEvent", ({ type }) => shown.push(type));
  const role = (one, name) => ({ ...one, facts: { ...one.facts, role: name } });
  const roof = { ...reading("roof"), meter: { ...reading("roof").meter, role: "production" } };
  // its telegram comes before the state of the sources
  store.store.meters.set("roof", roof);
  store.notify();
  assert.equal(store.store.chosen, null);
  store.store.statuses = [role(status(null), "grid"), role(status("roof"), "production")];
  store.notify();
  assert.deepEqual([store.store.chosen, store.pageState()], [null, "waiting"]);
  assert.equal(store.chosenStatus(), store.store.statuses[0]);
  store.store.meters.set("house", reading("house"));
  store.store.statuses = [role(status("house"), "grid"), role(status("roof"), "production")];
  store.notify();
  assert.deepEqual([store.store.chosen, store.isPlant("roof"), store.isPlant("house")], ["house", true, false]);
  store.chooseMeter("roof");
  store.notify();
  assert.equal(store.store.chosen, "roof");
  Object.assign(store.store, { statuses: [role(status("roof"), "production")], meters: new Map([["roof", roof]]),
    chosen: null });
  store.notify();
  assert.equal(store.store.chosen, "roof");
});

test("what is shown of a meter that is gone is shown again of the next", () => {
  const shown = [];
  define("dispatchEvent", ({ type }) => shown.push(type));
  const gas = { ...reading("gas"), meter: { ...reading("gas").meter, medium: "gas" } };
  // an electricity meter sends the readings of a gas meter along
  store.store.meters.set("gas", gas);
  store.notify();
  assert.deepEqual([store.store.chosen, shown], ["gas", []]);
  const electricity = { ...reading("a"), meter: { ...reading("a").meter, medium: "electricity" } };
  store.store.meters.set("a", electricity);
  store.notify();
  assert.deepEqual([store.store.chosen, shown], ["a", ["hashchange"]]);
});

test("phases are shown only if all three are there", () => {
  assert.deepEqual(store.phasePowers(registers({ power_l1: "1", power_l2: "-2", power_l3: "3" })), ["1", "-2", "3"]);
  assert.equal(store.phasePowers(registers({ power_l1: "1", power_l2: "2" })), null);
});

test("a reading is current until it is older than stale_after_s", () => {
  store.store.meters.set("a", reading("a"));
  store.notify();
  assert.equal(store.pageState(), "live");
  assert.equal(store.readingAge(), 1);
  now += 9_000;
  assert.equal(store.pageState(), "live");
  now += 1;
  assert.equal(store.pageState(), "stale");
  assert.equal(store.currentReading(), null);
  assert.equal(store.lastReading().meter.id, "a");
});

test("after suspension an old reading is not current", () => {
  store.store.meters.set("a", reading("a"));
  store.notify();
  wall += 3_600_000;
  assert.equal(store.readingAge(), 3601);
  assert.equal(store.pageState(), "stale");
  store.store.meters.set("a", reading("a"));
  // the clock on the wall is set by a little, or back
  wall += 9_000;
  assert.equal(store.readingAge(), 1);
  wall -= 86_400_000;
  assert.equal(store.readingAge(), 1);
});

test("a short interruption is not unreachable", () => {
  store.store.meters.set("a", reading("a"));
  store.notify();
  store.store.lostAt = now;
  assert.equal(store.pageState(), "live");
  now += 3001;
  assert.equal(store.pageState(), "unreachable");
  assert.equal(store.currentReading(), null);
});

test("without a reading the age comes from the status", () => {
  store.store.lostAt = now;
  assert.equal(store.pageState(), "connecting");
  store.store.lostAt = null;
  store.store.statuses = [status(null)];
  store.notify();
  assert.equal(store.pageState(), "waiting");
  store.store.statuses = [status("a", 50)];
  store.notify();
  assert.equal(store.pageState(), "stale");
  assert.equal(store.isSimulated(), true);
});

test("the chosen meter stays chosen while it is there", () => {
  store.store.statuses = [status("a"), status("b")];
  store.notify();
  assert.equal(store.store.chosen, "a");
  store.chooseMeter("b");
  assert.equal(store.chosenStatus().meter_id, "b");
  store.store.statuses = [status("a")];
  store.notify();
  assert.equal(store.store.chosen, "a");
});

test("a meter has its name, or its id", () => {
  store.store.statuses = [{ ...status("a"), facts: { name: "Cellar", age_s: null } }, status("b")];
  assert.deepEqual(["a", "b", "c"].map(store.meterName), ["Cellar", "b", "c"]);
});

test("with several sources a meter without status has none", () => {
  store.store.statuses = [status(null)];
  assert.equal(store.chosenStatus().meter_id, null);
  store.store.statuses = [status("a"), status("b")];
  store.store.chosen = "c";
  assert.equal(store.chosenStatus(), null);
});

test("a telegram outdates an older fault, but not a good status", () => {
  store.store.statuses = [status("a", 1, false)];
  store.store.statusAt = now;
  store.store.meters.set("a", reading("a", now - 1));
  store.notify();
  assert.equal(store.isStatusOutdated(), false);
  store.store.meters.set("a", reading("a", now + 1));
  assert.equal(store.isStatusOutdated(), true);
  store.store.statuses = [status("a", 1, true)];
  assert.equal(store.isStatusOutdated(), false);
});

test("subscribers are called at once and on changes, until they unsubscribe", () => {
  let calls = 0;
  const stop = store.subscribe(() => { calls += 1; });
  store.notify();
  stop();
  store.notify();
  assert.equal(calls, 2);
});

test("whenChosen calls once, and not after an abort", async () => {
  const [leave, left] = [new AbortController(), new AbortController()];
  const begun = [];
  store.whenChosen(leave.signal, () => begun.push("stays"));
  store.whenChosen(left.signal, () => begun.push("left"));
  left.abort();
  store.store.statuses = [status("a")];
  store.notify();
  store.notify();
  await Promise.resolve();
  assert.deepEqual(begun, ["stays"]);
});

test("the last hour is kept with one point per second", () => {
  const [times, powers] = [[], []];
  for (let at = 0; at < 3 * 3600; at += 0.5) addPower(times, powers, at, at);
  assert.equal(times.length, powers.length);
  assert.ok(times.length <= 3601 && times.at(-1) - times[0] >= 3500);
  assert.ok(times.every((time, at) => at === 0 || time - times[at - 1] >= 1));
  // the newest power of a second counts
  assert.equal(powers.at(-1), 3 * 3600 - 0.5);
});

const gas = (id, source, at = now) => {
  const { meter, ...times } = reading(id, at);
  return { meter: { ...meter, medium: "gas", channel: 1, source }, ...times };
};
const electricity = (id, source) => {
  const { meter, ...times } = reading(id);
  return { meter: { ...meter, medium: "electricity", source }, ...times };
};

test("a gas meter is not chosen, but belongs to the electricity meter of its source", () => {
  const meters = [gas("gas", "a"), electricity("e", "a"), electricity("f", "b"), gas("other gas", "b")];
  store.store.meters = new Map(meters.map((each) => [each.meter.id, each]));
  store.notify();
  assert.deepEqual(store.meterIds(), ["e", "f"]);
  assert.equal(store.store.chosen, "e");
  assert.deepEqual(subMeters().map(({ id }) => id), ["gas"]);
  store.chooseMeter("f");
  assert.deepEqual(subMeters().map(({ id }) => id), ["other gas"]);
});

test("a gas meter whose reading is stale is not shown", () => {
  store.store.meters.set("e", electricity("e", "a"));
  store.store.meters.set("gas", gas("gas", "a", now - 9_500));
  store.notify();
  assert.deepEqual(subMeters(), []);
});

test("where there is no electricity meter, another one is chosen", () => {
  store.store.meters.set("gas", gas("gas", "a"));
  store.notify();
  assert.deepEqual(store.meterIds(), ["gas"]);
});

test("a total of another list is older than the newest telegram", () => {
  const meter = { measured_age_s: 1, registers: [{ name: "energy_import", age_s: 301 }, { name: "power", age_s: 1 }] };
  assert.equal(lagOf(meter, "energy_import"), 300);
  assert.equal(lagOf(meter, "power"), 0);
  assert.equal(lagOf(meter, "energy_export"), 0);
});

test("a virtual meter can be chosen before it has a value, and says what it is computed from", () => {
  const parts = [{ name: "Z1", counts: "plus" }, { name: "Z2", counts: "minus" }, { name: "Z3", counts: "plus" }];
  Object.assign(store.store, { statuses: [status("1", 1)], virtual: [{ id: "Heat pump", simulated: false, parts }] });
  store.notify();
  assert.deepEqual(store.meterIds(), ["1", "Heat pump"]);
  assert.equal(partsText(store.virtualState("Heat pump")), "Z1 − Z2 + Z3");
  store.chooseMeter("Heat pump");
  // its state is not that of the only source
  assert.equal(store.chosenStatus() ?? null, null);
  assert.equal(store.isSimulated(), false);
  assert.equal(store.virtualState("1"), undefined);
});

test("a virtual meter is chosen by hand alone: first comes a meter, or why it is not read", () => {
  Object.assign(store.store, { statuses: [status(null, null, false)], virtual: [{ id: "pump" }, { id: "rest" }] });
  store.notify();
  assert.deepEqual([store.store.chosen, store.chosenStatus()], [null, store.store.statuses[0]]);
  store.chooseMeter("pump");
  assert.deepEqual([store.store.chosen, store.chosenStatus()], ["pump", null]);
});
