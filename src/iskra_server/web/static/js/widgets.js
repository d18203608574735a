// The current reading: power with its direction, and the register digit by digit. Without one there is no number.

import { timeOrDate } from "./clock.js";
import { make, setContent, setData, setText } from "./dom.js";
import { rounded, split } from "./exact.js";
import { words } from "./language.js";
import {
  isPlant, readingAge, currentReading, lastReading, pageState, placesOf, powerOf, registerValue, store, subscribe,
  totalText, virtualState,
} from "./store.js";

const WHOLE_DIGITS = 6;
const PLACES = 4;

/** Power as a number, an arrow and a colour: a node, and a function that shows the power of the chosen meter. */
export function powerWidget() {
  const number = make("span.number");
  const unit = make("span.unit", "W");
  const big = make("p.big", number, unit);
  const direction = make("p.direction");
  const node = make("div.power-now", big, direction);

  function show() {
    const meter = currentReading();
    const watts = meter ? powerOf(meter) : undefined;
    if (watts === undefined) showMissing(Boolean(meter), meter ? undefined : powerOf(lastReading()?.meter));
    else showWatts(watts);
    unit.hidden = watts === undefined;
    const { view } = document.body.dataset;
    if (view !== "now" && view !== "wall") return;
    document.title = `${watts === undefined ? "" : `${rounded(watts)} W · `}ISKRA Electricity`;
  }

  /** @param {string} watts */
  function showWatts(watts) {
    const text = rounded(watts);
    const texts = virtualState(store.chosen) ? words.virtual : words;
    const isProduced = isPlant(store.chosen);
    const [flow, sentence] = Number(watts) < 0 ? ["export", isProduced ? words.producing : texts.exporting]
      : isProduced ? ["", ""] : Number(watts) > 0 ? ["import", texts.importing] : ["", texts.balanced];
    setData(big, "kind", text.length > 6 ? "long" : "");
    setText(number, text);
    setData(direction, "flow", flow);
    setText(direction, sentence);
  }

  /** @param {boolean} isCurrent @param {string | undefined} lastWatts */
  function showMissing(isCurrent, lastWatts) {
    setData(big, "kind", lastWatts === undefined ? "none" : "past");
    setText(number, isCurrent ? words.noPower : missingReadingText());
    setData(direction, "flow", "");
    setText(direction, lastWatts === undefined ? "" : words.noReadingSince);
  }
  return { node, show };
}

/** The text in place of a number while there is no current reading. */
export function missingReadingText() {
  const state = pageState();
  return lastSeenText() || (state === "unreachable" || state === "connecting" ? words[state] : words.waiting);
}

/** "last seen 14:03:12" of the chosen meter, empty if it was never seen. */
function lastSeenText() {
  const age = readingAge();
  return age == null ? "" : words.lastSeen(timeOrDate(Date.now() - age * 1000));
}

/**
 * Says that history is being loaded, or why it is not: before the first reading of a meter there is none.
 * @param {AbortSignal} signal
 * @param {string | null} text that is shown then; by default the way to the diagnosis stands there too
 */
export function historyNote(signal, kind = "p.empty", text = null) {
  const note = make(kind);
  signal.addEventListener("abort", subscribe(() => {
    const state = store.chosen ? "loading" : pageState();
    if (state === "unreachable") setContent(note, words.unreachable);
    else if (state !== "waiting") setContent(note, words.loading);
    else setContent(note, text ?? [words.noHistoryYet, " ", make("a", { href: "#/setup" }, words.setup.diagnosis)]);
  }));
  return note;
}

/**
 * The register as on the meter: digit by digit, decimal places in frames, which stay empty for a locked meter. A node,
 * and a function that shows the total of a reading; without one `missing` is the text for screen readers.
 */
export function registerWidget() {
  const digits = make("span.digits", { role: "img" });
  const node = make("p.register", digits, make("span.unit", "kWh"));

  /** @param {Api.LiveMeter | null} meter @param {string} missing */
  function show(meter, missing) {
    const total = registerValue(meter, "energy_import");
    const [, whole, places] = total === undefined ? ["", "", ""] : split(total, 3);
    const wholeText = total === undefined ? " ".repeat(WHOLE_DIGITS) : whole.padStart(WHOLE_DIGITS, "0");
    const sent = placesOf(meter);
    const placesText = total === undefined || meter?.locked ? " ".repeat(PLACES)
      : sent < 3 ? places.slice(0, sent) : places;
    setContent(digits, [...wholeText].map((digit) => make("span", digit)),
      [...placesText].map((digit) => make("span.place", digit)));
    digits.setAttribute("aria-label", totalText(meter, "energy_import") ?? missing);
  }
  return { node, show };
}
