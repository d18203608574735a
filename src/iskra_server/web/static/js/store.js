// What the page knows of the meters, in one place. Views read it, and are called when it changes.

import { isCentralServer } from "./page.js";

const PATIENCE_MS = 3000; // a reconnecting stream is not yet an unreachable server
const ASLEEP_MS = 10_000;

/**
 * `meters`: id -> the last reading and when it arrived here, by two clocks. `statuses`, `outputs`: the state of each
 * source and output, as the server says; `statusAt`: when that arrived. `chosen`: the meter that is shown. `lostAt`:
 * since when the server is silent, null while it is there. `recent`: id -> times and powers of the last hour.
 */
export const store = {
  /** @type {Map<string, {meter: Api.LiveMeter, at: number, wallAt: number}>} */
  meters: new Map(),
  /** @type {Api.SourceStatus[]} */
  statuses: [],
  statusAt: 0,
  history: "",
  /** @type {Api.OutputState[]} */
  outputs: [],
  /** @type {string | null} */
  chosen: null,
  /** @type {number | null} */
  lostAt: performance.now(),
  /** @type {Map<string, [number[], number[]]>} */
  recent: new Map(),
};

/** @type {Set<() => void>} */
const listeners = new Set();

/** Calls `listener` now and whenever something changes, until the returned function is called. */
export function subscribe(/** @type {() => void} */ listener) {
  listeners.add(listener);
  listener();
  return () => { listeners.delete(listener); };
}

/** Tells the subscribers that something has changed. */
export function notify() {
  const ids = meterIds();
  if (!store.chosen || !ids.includes(store.chosen)) store.chosen = ids[0] ?? null;
  for (const listener of [...listeners]) listener();
}

export function chooseMeter(/** @type {string} */ id) {
  store.chosen = id;
  notify();
}

export const meterIds = () =>
  [...new Set([...store.statuses.flatMap(({ meter_id: id }) => id ?? []), ...store.meters.keys()])];

export const meterName = (/** @type {string} */ id) =>
  store.statuses.find((status) => status.meter_id === id)?.facts.name || id;

/** The last reading of the chosen meter, however old. */
export const lastReading = () => store.meters.get(store.chosen ?? "");

/** The state of the chosen meter's source. */
export const chosenStatus = () => store.statuses.find((status) => status.meter_id === store.chosen)
  ?? (meterIds().length > 1 ? null : store.statuses[0]);

/** Whether a telegram is newer than the server's last word that something is wrong with its source. */
export function isStatusOutdated() {
  const [reading, status] = [lastReading(), chosenStatus()];
  return Boolean(reading && reading.at > store.statusAt && status && !status.ok);
}

/** Seconds since the chosen meter was measured, null where it never was. */
export function ageOfChosen() {
  const reading = lastReading();
  if (!reading) return chosenStatus()?.facts.age_s ?? null;
  // a device that slept does not count that in performance.now(): then the wall clock is far ahead
  const [ranMs, wallMs] = [performance.now() - reading.at, Date.now() - reading.wallAt];
  return reading.meter.measured_age_s + (wallMs - ranMs > ASLEEP_MS ? wallMs : ranMs) / 1000;
}

/** @returns {"central" | "connecting" | "unreachable" | "waiting" | "stale" | "live"} */
export function pageState() {
  if (isCentralServer) return "central";
  const { lostAt } = store;
  if (lostAt !== null && performance.now() - lostAt > PATIENCE_MS) return "unreachable";
  const [reading, age] = [lastReading(), ageOfChosen()];
  if (reading && age !== null) return age <= reading.meter.stale_after_s ? "live" : "stale";
  if (lostAt !== null && store.statuses.length === 0) return "connecting";
  return age === null ? "waiting" : "stale";
}

/** The chosen meter with its current reading, null where that is stale or missing. */
export const freshMeter = () => (pageState() === "live" ? lastReading()?.meter ?? null : null);
export const isSimulated = () => lastReading()?.meter.simulated ?? chosenStatus()?.simulated ?? false;

/** @typedef {Pick<Api.LiveMeter, "registers"> | null | undefined} Registers */

/** The exact value of a register as text. @param {Registers} meter @param {string} name */
export function registerValue(meter, name) {
  const value = meter?.registers.find((register) => register.name === name)?.value;
  return typeof value === "string" ? value : undefined;
}

/** Watts as text, + from the grid, - to the grid; undefined where the server knows none. @param {Registers} meter */
export const powerOf = (meter) => registerValue(meter, "power");

/** The powers of L1, L2 and L3 where all three are known, else null. @param {Registers} meter */
export function phasePowers(meter) {
  const powers = ["l1", "l2", "l3"].flatMap((phase) => registerValue(meter, `power_${phase}`) ?? []);
  return powers.length === 3 ? powers : null;
}

/** Calls `begin` once, as soon as it is known which meter is shown. */
export function whenChosen(/** @type {AbortSignal} */ signal, /** @type {() => void} */ begin) {
  let hasBegun = false;
  const stop = subscribe(() => {
    if (hasBegun || !store.chosen) return;
    hasBegun = true;
    queueMicrotask(() => { stop(); if (!signal.aborted) begin(); });
  });
  signal.addEventListener("abort", stop);
}
