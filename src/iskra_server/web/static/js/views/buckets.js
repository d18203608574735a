// The buckets of a period: names, texts, labels of the axis.

import { dateText, wallTimeRange } from "../calendar.js";
import { energyText, quarterText } from "../energyText.js";
import { words } from "../language.js";

/** @typedef {import("../energyText.js").Bucket} Bucket */

/** The name of a bar: a quarter-hour by its times, a day by its date. @param {Kind} kind of the whole period */
export function bucketName(kind, /** @type {Pick<Bucket, "begin" | "end">} */ { begin, end }) {
  const date = begin.slice(0, 10);
  if (kind === "day") return wallTimeRange(begin, end);
  if (kind === "week") {
    return `${dateText(date, { weekday: "short", day: "numeric", month: "short" })} ${wallTimeRange(begin, end)}`;
  }
  if (kind === "month") return dateText(date, { weekday: "short", day: "numeric", month: "long" });
  return kind === "year" ? dateText(date, { month: "long", year: "numeric" }) : date.slice(0, 4);
}

/** @param {Kind} kind @param {Bucket} bucket @param {Bar} bar */
export function bucketText(kind, bucket, bar) {
  if (kind === "day") return quarterText(bucket, bar);
  return `${bucketName(kind, bucket)} · ${energyText(bucket, bar, kind === "week" ? 1 : 0)}`;
}

/** How a bar is opened. @param {Kind} next what that shows */
export function opensText(next) {
  /** @type {Record<string, string>} */
  const texts = matchMedia("(pointer: coarse)").matches ? words.opensByTap : words.opens;
  return texts[next];
}

/** Whether an instant is a full hour that is a multiple of three. */
export const isThirdHour = (/** @type {string} */ begin) =>
  begin.slice(14, 16) === "00" && Number(begin.slice(11, 13)) % 3 === 0;

/**
 * The labels along the axis.
 * @param {Kind} kind
 * @param {Pick<Bucket, "begin">[]} buckets
 * @returns {[number, string][]}
 */
export function axisLabels(kind, buckets) {
  /** @type {(test: (begin: string) => boolean, text: (begin: string) => string) => [number, string][]} */
  const at = (test, text) => buckets.flatMap(({ begin }, index) => (test(begin) ? [[index, text(begin)]] : []));
  if (kind === "day") return at(isThirdHour, (begin) => begin.slice(11, 13));
  if (kind === "week") {
    return at((begin) => begin.slice(11, 13) === "00", (begin) => dateText(begin.slice(0, 10), { weekday: "short" }));
  }
  if (kind === "month") return at(() => true, (begin) => String(Number(begin.slice(8, 10))));
  if (kind === "year") return at(() => true, (begin) => dateText(begin.slice(0, 10), { month: "short" }));
  return at(() => true, (begin) => begin.slice(0, 4));
}

/** Whether labels are below the middle of their bars, or where they begin. @param {Kind} kind */
export const isLabelCentred = (kind) => kind !== "day" && kind !== "week";
