// What history answers, as bars and as sentences.

import { wallRange } from "./clock.js";
import { grouped, rounded, times } from "./exact.js";
import { words } from "./language.js";

const WH = 1000;

/** A bucket as a bar in kWh; `energy` is the answer it stands in. @returns {import("./charts/bars.js").Bar} */
export function bar(bucket, energy, now) {
  const [begin, end] = [Date.parse(bucket.begin), Date.parse(bucket.end)];
  const kwh = (wh) => (wh === undefined ? null : Number(wh) / WH);
  const isEmpty = bucket.import_wh === undefined && bucket.export_wh === undefined;
  return {
    up: kwh(bucket.import_wh), down: kwh(bucket.export_wh), mark: marks(energy).some(({ at }) => begin <= Date.parse(at) && Date.parse(at) < end),
    kind: begin > now ? "ahead" : isEmpty ? (end > now ? "ahead" : "gap") : bucket.import_quality === "partial" && end <= now ? "part" : "whole",
  };
}

/** Where counters of the answer began anew. */
export const marks = (energy) => [...energy.import.epochs, ...(energy.export?.epochs ?? [])];

export const kwh = (wh) => (wh == null ? words.nothing : `${grouped(wh, 3)} kWh`);
/** To three places, for a heading. */
export const kwhShort = (wh) => (wh == null ? words.nothing : `${rounded(wh, 3, 3)} kWh`);

/** "18:30 – 18:45 · drawn 0.5775 kWh, 2 310 W · fed in 0 kWh" */
export function quarterText(bucket, shown) {
  return `${wallRange(bucket.begin, bucket.end)} · ${energyText(bucket, shown, 4)}`;
}

/** What was drawn and fed in; with the mean power where so many of the bucket are an hour. */
export function energyText(bucket, shown, anHour = 0) {
  if (shown.kind === "ahead") return words.ahead;
  if (shown.kind === "gap") return words.notMeasured;
  const watts = (wh) => (anHour ? ` (${rounded(times(wh, anHour))} W)` : "");
  const parts = [bucket.import_wh === undefined ? `${words.drawn}: ${words.notMeasured}` : `${words.drawn} ${kwh(bucket.import_wh)}${watts(bucket.import_wh)}`];
  if (bucket.export_wh !== undefined) parts.push(`${words.fed} ${kwh(bucket.export_wh)}${Number(bucket.export_wh) ? watts(bucket.export_wh) : ""}`);
  if (shown.kind === "part") parts.push(words.partly);
  if (bucket.import_quality === "interpolated") parts.push(words.interpolated);
  if (shown.mark) parts.push(words.epoch);
  return parts.join(" · ");
}

/** A number of an axis: as few places as it needs. */
export const axisNumber = (value) => {
  const size = Math.abs(value);
  const text = value.toFixed(size >= 10 ? 0 : size >= 1 ? 1 : 3);
  return grouped(text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text);
};
