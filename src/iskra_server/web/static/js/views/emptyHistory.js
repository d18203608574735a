// What to say where there is nothing to draw: since when history records, and when the first bar will appear.

import { dayOf, QUARTER_MS, today } from "../calendar.js";
import { dateTime, shortTime } from "../clock.js";
import { words } from "../language.js";

/** @param {Pick<Api.Energy, "begin" | "end" | "recorded_since">} energy of a period without any bar */
export function emptyText({ begin, end, recorded_since: since }, now = Date.now()) {
  const at = since === undefined ? null : Date.parse(since);
  if (Date.parse(begin) > now) return words.future;
  if (at !== null && Date.parse(end) <= at) return words.recordingBegan(dateTime(at));
  if (at === null) return words.nothingRecordedYet;
  if (Date.parse(end) <= now) return words.nothingRecorded;
  // energy is the difference of two readings at quarter-hours
  const first = (Math.ceil(at / QUARTER_MS) + 1) * QUARTER_MS;
  const text = dayOf(at) === today() ? shortTime(at) : dateTime(at);
  return first > now ? words.firstBar(text, shortTime(first)) : words.recordingSince(text);
}
