// The bars of a period by name, in a sentence, and along the axis.

import { dated, wallRange } from "../clock.js";
import { energyText, quarterText } from "../measured.js";

/** A bar's name: a quarter by the clock, a day by its date. */
export function nameOf(kind, { begin, end }) {
  const date = begin.slice(0, 10);
  if (kind === "day") return wallRange(begin, end);
  if (kind === "week") return `${dated(date, { weekday: "short", day: "numeric", month: "short" })} ${wallRange(begin, end)}`;
  if (kind === "month") return dated(date, { weekday: "short", day: "numeric", month: "long" });
  return kind === "year" ? dated(date, { month: "long", year: "numeric" }) : date.slice(0, 4);
}

export function bucketText(kind, bucket, shown) {
  return kind === "day" ? quarterText(bucket, shown) : `${nameOf(kind, bucket)} · ${energyText(bucket, shown, kind === "week" ? 1 : 0)}`;
}

/** [place, text] along the axis. */
export function labelsOf(kind, buckets) {
  const at = (test, text) => buckets.flatMap(({ begin }, place) => (test(begin) ? [[place, text(begin)]] : []));
  if (kind === "day") return at((begin) => begin.slice(14, 16) === "00" && Number(begin.slice(11, 13)) % 3 === 0, (begin) => begin.slice(11, 13));
  if (kind === "week") return at((begin) => begin.slice(11, 13) === "00", (begin) => dated(begin.slice(0, 10), { weekday: "short" }));
  if (kind === "month") return at(() => true, (begin) => String(Number(begin.slice(8, 10))));
  return at(() => true, (begin) => (kind === "year" ? dated(begin.slice(0, 10), { month: "short" }) : begin.slice(0, 4)));
}
