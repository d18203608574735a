// The state of the page: meters, sources, outputs, the chosen meter. Views subscribe to its changes.

import { grouped } from "./exact.js";
import { isCentralServer } from "./page.js";

const RECONNECT_MS = 3000; // a stream that reconnects sooner is not an unreachable server
const SUSPEND_MS = 10_000;

/**
 * `meters`: id -> the last reading and the time of its arrival, by two clocks. `statuses`, `outputs`, `virtual`: the
 * state of each source, output and virtual meter; `statusAt`: the time of arrival. `chosen`: the id of the meter that
 * is shown. `lostAt`: since when the server does not answer, else null. `recent`: id -> times and powers of the last
 * hour. `recorded`: the meters of the history (recorded.js).
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
  /** @type {Api.VirtualState[]} */
  virtual: [],
  /** @type {string | null} */
  chosen: null,
  /** @type {number | null} */
  lostAt: performance.now(),
  /** @type {Map<string, [number[], number[]]>} */
  recent: new Map(),
  /** @type {Api.HistoryMeter[]} */
  recorded: [],
};

/** @type {Set<() => void>} */
const listeners = new Set();

/** Calls `listener` now and after each change, until the returned function is called. */
export function subscribe(/** @type {() => void} */ listener) {
  listeners.add(listener);
  listener();
  return () => { listeners.delete(listener); };
}

let isChosenByHand = false;

/** Calls the subscribers after a change. */
export function notify() {
  const ids = meterIds();
  // a meter at the grid comes first, even one that is not read yet: its diagnosis is shown
  const hasPlantsOnly = store.statuses[0]?.facts.role === "production";
  const first = ids.find((id) => !virtualState(id) && (!isPlant(id) || hasPlantsOnly)) ?? null;
  const isGone = store.chosen !== first && !ids.includes(store.chosen ?? "");
  // a meter that is read comes before one of the history, and that of an earlier source before others, unless somebody
  // has chosen one
  const placeOf = (/** @type {string | null} */ id) => store.statuses.findIndex(({ meter_id: meter }) => meter === id);
  const isOvertaken = !isChosenByHand && (isRecordedOnly(store.chosen) && !isRecordedOnly(first)
    || isPlant(store.chosen) && !isPlant(first) || placeOf(store.chosen) > placeOf(first));
  const before = store.chosen;
  if (isGone || isOvertaken) store.chosen = first;
  // what is shown was asked for the meter before
  if (before !== null && before !== store.chosen) showAgain();
  for (const listener of [...listeners]) listener();
}

export function chooseMeter(/** @type {string} */ id) {
  isChosenByHand = true;
  store.chosen = id;
  notify();
  showAgain();
}

/** Shows the view of the address for another meter. */
const showAgain = () => { dispatchEvent(new Event("hashchange")); };

/** The meters that were read since the server started: of electricity, other ones only where there is none. */
function readIds() {
  const ids = [...new Set([...store.statuses.flatMap(({ meter_id: id }) => id ?? []), ...store.meters.keys(),
    ...store.virtual.map(({ id }) => id)])];
  const electricity = ids.filter((id) => isElectricity(store.meters.get(id)?.meter));
  return electricity.length ? electricity : ids;
}

/** Those that were read, then those that only the history knows. */
export const meterIds = () => [...new Set([...readIds(), ...store.recorded.map(({ id }) => id)])];

/** Whether a meter was not read since the server started: only its history is there. @param {string | null} id */
export const isRecordedOnly = (id) => id !== null && !readIds().includes(id);

/** The last time of a meter in the history, in ms since 1970; null if it is not there. @param {string | null} id */
export function recordedUntil(id) {
  const meter = store.recorded.find((candidate) => candidate.id === id);
  return meter ? Date.parse(meter.recorded_until) : null;
}

/** Whether a meter measures what a solar plant produces. @param {string | null} id */
export const isPlant = (id) => store.meters.get(id ?? "")?.meter.role === "production"
  || store.statuses.some(({ meter_id: meter, facts }) => meter === id && facts.role === "production");

/** @param {Api.LiveMeter | undefined} meter a meter that was not read yet counts as one of electricity */
export const isElectricity = (meter) => !meter || (meter.medium === "electricity" && meter.channel === undefined);

/** The state of a virtual meter, undefined for any other. @param {string | null} id */
export const virtualState = (id) => store.virtual.find((state) => state.id === id);

export const meterName = (/** @type {string} */ id) =>
  store.statuses.find((status) => status.meter_id === id)?.facts.name || id;

/** The last reading of the chosen meter, however old. */
export const lastReading = () => store.meters.get(store.chosen ?? "");

/** The state of the chosen meter's source; of a meter that was not read yet, that of a source without a meter. */
export const chosenStatus = () => store.statuses.find((status) => status.meter_id === store.chosen)
  ?? (isRecordedOnly(store.chosen) ? store.statuses.find((status) => status.meter_id === null) ?? null
    : store.chosen !== null && (readIds().length > 1 || virtualState(store.chosen)) ? null : store.statuses[0]);

/** Whether a telegram has arrived after the last status, which reports a fault. */
export function isStatusOutdated() {
  const [reading, status] = [lastReading(), chosenStatus()];
  return Boolean(reading && reading.at > store.statusAt && status && !status.ok);
}

/** Age in seconds of the last reading of the chosen meter, null if there is none. */
export function readingAge() {
  const reading = lastReading();
  if (reading) return ageOf(reading);
  const until = recordedUntil(store.chosen);
  return chosenStatus()?.facts.age_s ?? (until === null ? null : Math.max(0, Date.now() - until) / 1000);
}

/** @param {{meter: Api.LiveMeter, at: number, wallAt: number}} reading */
export function ageOf(reading) {
  // performance.now() stops while the device is suspended: then the wall clock is far ahead
  const [monotonicMs, wallMs] = [performance.now() - reading.at, Date.now() - reading.wallAt];
  return reading.meter.measured_age_s + (wallMs - monotonicMs > SUSPEND_MS ? wallMs : monotonicMs) / 1000;
}

/** The reading of any meter, null if that is stale or missing. @param {string} id */
export function currentOf(id) {
  const reading = store.meters.get(id);
  const isLost = store.lostAt !== null && performance.now() - store.lostAt > RECONNECT_MS;
  return reading && !isLost && ageOf(reading) <= reading.meter.stale_after_s ? reading.meter : null;
}

/** @returns {"central" | "connecting" | "unreachable" | "waiting" | "stale" | "live"} */
export function pageState() {
  if (isCentralServer) return "central";
  const { lostAt } = store;
  if (lostAt !== null && performance.now() - lostAt > RECONNECT_MS) return "unreachable";
  const [reading, age] = [lastReading(), readingAge()];
  if (reading && age !== null) return age <= reading.meter.stale_after_s ? "live" : "stale";
  if (lostAt !== null && store.statuses.length === 0) return "connecting";
  return age === null ? "waiting" : "stale";
}

/** The chosen meter with its reading, null if that is stale or missing. */
export const currentReading = () => (pageState() === "live" ? lastReading()?.meter ?? null : null);
export const isSimulated = () => lastReading()?.meter.simulated ?? virtualState(store.chosen)?.simulated
  ?? chosenStatus()?.simulated ?? false;

/** @typedef {Pick<Api.LiveMeter, "registers"> & Partial<Pick<Api.LiveMeter, "locked">> | null | undefined} Registers */

/** The exact value of a register as text. @param {Registers} meter @param {string} name */
export function registerValue(meter, name) {
  const value = meter?.registers.find((register) => register.name === name)?.value;
  return typeof value === "string" ? value : undefined;
}

/**
 * The decimal places of a total in kWh that the meter sends, 3 if it sends more: none if it counts whole kWh.
 * @param {Registers} meter
 */
export function placesOf(meter, name = "energy_import") {
  const step = meter?.registers.find((register) => register.name === name)?.resolution ?? 1;
  return meter?.locked ? 0 : Math.max(0, 3 - Math.round(Math.log10(step)));
}

/** A total as exact text, with every place that the meter sends. @param {Registers} meter @param {string} name */
export function totalText(meter, name) {
  const [total, places] = [registerValue(meter, name), placesOf(meter, name)];
  return total === undefined ? undefined : `${grouped(total, 3, places < 3 ? places : Infinity)} kWh`;
}

/** Watts as text, + from grid, - to grid; undefined if the meter sends none. @param {Registers} meter */
export const powerOf = (meter) => registerValue(meter, "power");

/** The powers of L1, L2 and L3, null unless there are all three. @param {Registers} meter */
export function phasePowers(meter) {
  const powers = ["l1", "l2", "l3"].flatMap((phase) => registerValue(meter, `power_${phase}`) ?? []);
  return powers.length === 3 ? powers : null;
}

/** Calls `begin` once, as soon as a meter is chosen. @param {AbortSignal} signal @param {() => void} begin */
export const whenChosen = (signal, begin) => whenTrue(() => Boolean(store.chosen), signal, begin);

/**
 * Calls `begin` once, as soon as a source is known to be a solar plant: that may come later than the first reading.
 * @param {AbortSignal} signal @param {() => void} begin
 */
export const whenPlant = (signal, begin) =>
  whenTrue(() => store.statuses.some(({ facts }) => facts.role === "production"), signal, begin);

/** @param {() => boolean} isTrue @param {AbortSignal} signal @param {() => void} begin */
function whenTrue(isTrue, signal, begin) {
  let hasBegun = false;
  const stop = subscribe(() => {
    if (hasBegun || !isTrue()) return;
    hasBegun = true;
    queueMicrotask(() => { stop(); if (!signal.aborted) begin(); });
  });
  signal.addEventListener("abort", stop);
}
