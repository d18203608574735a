// What is worth knowing about the total: when the meter sent it, why there is none, what it is computed from.

import { time } from "../clock.js";
import { setText } from "../dom.js";
import { localized, words } from "../language.js";
import { lagOf, partsText } from "../readingText.js";
import { chosenStatus, currentReading, registerValue, store, subscribe, virtualState } from "../store.js";

/** @param {HTMLElement} note @param {AbortSignal} signal */
export function showNote(note, signal) {
  signal.addEventListener("abort", subscribe(() => {
    const [virtual, meter] = [virtualState(store.chosen), currentReading()];
    setText(note, virtual ? words.virtual.parts(partsText(virtual)) : !meter ? ""
      : registerValue(meter, "energy_import") === undefined ? missingText() : lagText(meter));
  }));
}

/** The diagnosis knows of a total that is held back. */
function missingText() {
  const check = chosenStatus()?.checks.find(({ name }) => name === "plausible");
  const isHeldBack = chosenStatus()?.facts.counter_violation?.register === "1-0:1.8.0";
  return check?.advice && isHeldBack ? localized(check.advice).sentence : words.noTotal;
}

/** When the meter sent its total, if that was another list than the newest. @param {Api.LiveMeter} meter */
function lagText(meter) {
  const lag = lagOf(meter, "energy_import");
  return lag > 0 && meter.received_at ? words.readAt(time(Date.parse(meter.received_at) - 1000 * lag)) : "";
}
