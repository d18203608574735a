// When quarter-hours of a group are missing, in words.

import { grouped } from "../exact.js";
import { fleetWords } from "../fleetWords.js";
import { bucketName } from "./buckets.js";

/** @typedef {Pick<Api.FleetBucket, "begin" | "end" | "import_completeness" | "export_completeness">} Counted */

// a sentence with more of them is not read
const SHOWN = 4;

/** Those that are missing of the import, else of the export. @param {Counted} bucket */
function lackOf({ import_completeness: imported, export_completeness: exported }) {
  const [one, other] = [imported, exported].map(({ quarters, measured }) =>
    ({ missing: quarters - (measured ?? quarters), isAll: quarters > 0 && measured === 0 }));
  return one.missing ? one : other;
}

/**
 * "Tue 3 November (2), 5 – 7 November (all)": the buckets in which quarter-hours are missing, those of which nothing is
 * known in one run; empty if none are.
 * @param {Kind} period @param {Counted[]} buckets
 */
export function missingTimes(period, buckets) {
  /** @type {{first: Counted, last: Counted, text: string | null}[]} the text of a run is null */
  const parts = [];
  let isRun = false;
  for (const bucket of buckets) {
    const { missing, isAll } = lackOf(bucket);
    const run = parts.at(-1);
    if (isRun && isAll && run) run.last = bucket;
    else if (missing) parts.push({ first: bucket, last: bucket, text: isAll ? null : grouped(String(missing)) });
    isRun = isAll;
  }
  const name = (/** @type {Counted} */ bucket) => bucketName(period, bucket);
  const texts = parts.slice(0, SHOWN).map(({ first, last, text }) => {
    const when = first === last ? name(first) : `${name(first)} – ${name(last)}`;
    return `${when} (${text ?? fleetWords.allMissing})`;
  });
  if (parts.length > SHOWN) texts.push(fleetWords.moreTimes(parts.length - SHOWN));
  return texts.join("; ");
}
