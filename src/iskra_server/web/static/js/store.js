// What the page knows of the meters, in one place. Views look here and are told when it changes.

import { isCentralServer } from "./page.js";

const PATIENCE_MS = 3000; // a reconnecting stream is not yet an unreachable server

/**
 * `meters`: id -> the newest reading and when it arrived here. `statuses`, `outputs`: how each source, and whoever hands readings on,
 * stands, as the server says.
 * `toldAt`: when they were told. `chosen`: the meter that is shown. `lostAt`: since when the server is silent, null while it is there.
 */
export const store = {
  meters: new Map(),
  statuses: [],
  toldAt: 0,
  history: "",
  outputs: [],
  chosen: null,
  lostAt: performance.now(),
  recent: new Map(),
};

const listeners = new Set();

/** Calls `listener` now and whenever something changes, until `stop` is called. */
export function follow(listener) {
  listeners.add(listener);
  listener();
  return () => listeners.delete(listener);
}

export function changed() {
  const known = ids();
  if (!known.includes(store.chosen)) store.chosen = known[0] ?? null;
  for (const listener of [...listeners]) listener();
}

export function choose(id) {
  store.chosen = id;
  changed();
}

export const ids = () =>
  [...new Set([...store.statuses.map((status) => status.meter_id).filter(Boolean), ...store.meters.keys()])];

export const nameOf = (id) => store.statuses.find((status) => status.meter_id === id)?.facts.name || id;

export const known = () => store.meters.get(store.chosen);
/** How the source of the chosen meter stands. */
export const status = () =>
  store.statuses.find((each) => each.meter_id === store.chosen) ?? (ids().length > 1 ? null : store.statuses[0]);

/** A telegram is newer than what the server last said was wrong with its source. */
export const isOutrun = () => Boolean(known() && known().at > store.toldAt && status() && !status().ok);

const ageOf = ({ meter, at }) => meter.measured_age_s + (performance.now() - at) / 1000;
/** Seconds since the chosen meter was measured, null where it never was. */
export const age = () => (known() ? ageOf(known()) : status()?.facts.age_s ?? null);

/** @returns {"centre"|"connecting"|"unreachable"|"waiting"|"stale"|"live"} */
export function state() {
  if (isCentralServer) return "centre";
  const lost = store.lostAt !== null;
  if (lost && performance.now() - store.lostAt > PATIENCE_MS) return "unreachable";
  if (known()) return age() <= known().meter.stale_after_s ? "live" : "stale";
  if (lost && store.statuses.length === 0) return "connecting";
  return status()?.facts.age_s == null ? "waiting" : "stale";
}

/** The reading of the chosen meter, null unless it is fresh. */
export const fresh = () => (state() === "live" ? known().meter : null);
export const isSimulated = () => known()?.meter.simulated ?? status()?.simulated ?? false;

export const value = (meter, name) => meter?.registers.find((register) => register.name === name)?.value;

/** Watts, + drawing, - feeding in, as text; meters send it in one of these forms. */
export function power(meter) {
  const out = value(meter, "power_export");
  if (value(meter, "power") === undefined && Number(out) > 0) return `-${out}`;
  return value(meter, "power") ?? value(meter, "power_absolute") ?? value(meter, "power_import");
}

/** L1, L2 and L3 where the meter sends all three, else null. */
export function phases(meter) {
  const of = (phase) => {
    const out = value(meter, `power_export_${phase}`);
    if (Number(out) > 0) return `-${out}`;
    return value(meter, `power_${phase}`) ?? value(meter, `power_import_${phase}`);
  };
  const found = ["l1", "l2", "l3"].map(of);
  return found.includes(undefined) ? null : found;
}

/** Once, as soon as it is known which meter is shown. */
export function whenChosen(signal, begin) {
  let begun = false;
  const stop = follow(() => {
    if (begun || !store.chosen) return;
    begun = true;
    queueMicrotask(() => { stop(); if (!signal.aborted) begin(); });
  });
  signal.addEventListener("abort", () => stop());
}
