// What the page of a central server says about sums, periods and readers.

import { minus, sum } from "./arithmetic.js";
import { dateRange, dateText, shiftDays } from "./calendar.js";
import { grouped } from "./exact.js";
import { fleetWords } from "./fleetWords.js";
import { words } from "./language.js";

/** @typedef {Api.SumCompleteness} Completeness */

const DAY = 10;
// a message takes some of them
const NOTABLE_SKEW_S = 5;

const count = (/** @type {number} */ number) => grouped(String(number));

/** Whether quarter-hours are missing in a sum. @param {Completeness} known */
export const hasGaps = ({ quarters, measured = quarters }) => measured < quarters;
/** Whether a meter has no reading at an end. @param {Completeness} known */
export const isIncomplete = ({ meters, complete }) => complete < meters;

/** What a sum lacks: "23 of 24 meters complete, 2 of 2 304 quarter-hours missing, 24 estimated"; empty if nothing. */
export function completenessText(/** @type {Completeness} */ { meters, complete, quarters, measured, estimated }) {
  const texts = fleetWords;
  const parts = [];
  if (complete < meters) parts.push(texts.partOf(count(complete), count(meters)));
  if (measured !== undefined && measured < quarters) {
    parts.push(texts.missing(count(quarters - measured), count(quarters)));
  }
  if (estimated) parts.push(texts.estimated(count(estimated)));
  return parts.join(", ");
}

/** Whether a sum lacks more than another, in proportion. @param {Completeness} one @param {Completeness} other */
const lacksMore = (one, other) => one.complete * other.meters < other.complete * one.meters
  || (one.measured ?? 0) * other.quarters < (other.measured ?? 0) * one.quarters;

/** What the sums of a bucket or a period lack; that of the export where it lacks more. */
export function missingText(
  /** @type {{import_completeness: Completeness, export_completeness: Completeness}} */
  { import_completeness: imported, export_completeness: exported },
) {
  const fromGrid = completenessText(imported);
  if (!lacksMore(exported, imported)) return fromGrid;
  return [fromGrid, `${words.toGrid}: ${completenessText(exported)}`].filter(Boolean).join(" · ");
}

/**
 * From when until when a group has meters, by its days; empty if always.
 * @param {{begin?: string, end?: string}} span
 */
export function spanText({ begin, end }) {
  /** @type {Intl.DateTimeFormatOptions} */
  const style = { day: "numeric", month: "short", year: "numeric" };
  // the end is the first moment that does not belong any more
  const last = end && shiftDays(end.slice(0, DAY), -1);
  const first = begin?.slice(0, DAY);
  if (first && last) return dateRange(first, last, style);
  return first ? fleetWords.since(dateText(first, style)) : last ? fleetWords.until(dateText(last, style)) : "";
}

/** What is known of a reader beside its sentence. @param {Api.FleetReader} reader */
export function readerText({ meters, version, skew_s: skew, waiting, refused }) {
  const texts = fleetWords;
  return [
    meters ? texts.count(count(meters)) : "",
    version ? texts.version(version) : "",
    skew && Math.abs(skew) >= NOTABLE_SKEW_S ? (skew > 0 ? texts.ahead : texts.behind)(count(Math.abs(skew))) : "",
    waiting ? texts.waiting(count(waiting)) : "",
    refused ? texts.refused(count(refused)) : "",
  ].filter(Boolean).join(" · ");
}

/**
 * The energy of a whole period that is in none of its buckets: of gaps over the edge of one; null if there is none.
 * @param {string | undefined} whole
 * @param {(string | undefined)[]} parts
 */
export function inNoBucket(whole, parts) {
  const rest = whole === undefined ? "0" : minus(whole, sum(parts) ?? "0");
  return Number(rest) > 0 ? rest : null;
}
