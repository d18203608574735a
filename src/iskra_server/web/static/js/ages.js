// How long ago something was, in words.

import { time } from "./clock.js";
import { decimal } from "./exact.js";
import { words } from "./language.js";
import { ageOfChosen } from "./store.js";

/** @param {number} seconds */
export function ageText(seconds) {
  if (seconds < 10) return `${decimal(seconds, 1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

/** "last seen 14:03:12" of the chosen meter, empty where it was never seen. */
export function lastSeenText() {
  const age = ageOfChosen();
  return age == null ? "" : words.lastSeen(time(new Date(Date.now() - age * 1000)));
}
