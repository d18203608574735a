// The current reading: power with its direction, and the register digit by digit. Without one there is no number.

import { time } from "./clock.js";
import { make, setContent, setData, setText } from "./dom.js";
import { grouped, rounded, split } from "./exact.js";
import { words } from "./language.js";
import { readingAge, currentReading, lastReading, pageState, powerOf } from "./store.js";

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
    const [flow, sentence] = Number(watts) > 0 ? ["import", words.importing]
      : Number(watts) < 0 ? ["export", words.exporting] : ["", words.balanced];
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
  if (state === "unreachable" || state === "connecting") return words[state];
  return lastSeenText() || words.waiting;
}

/** "last seen 14:03:12" of the chosen meter, empty if it was never seen. */
function lastSeenText() {
  const age = readingAge();
  return age == null ? "" : words.lastSeen(time(new Date(Date.now() - age * 1000)));
}

/**
 * The register as on the meter: digit by digit, decimal places in frames, which stay empty for a locked meter. A node,
 * and a function that shows a total in Wh; without one `missing` is the text for screen readers.
 */
export function registerWidget() {
  const digits = make("span.digits", { role: "img" });
  const node = make("p.register", digits, make("span.unit", "kWh"));

  /** @param {string | undefined} total @param {boolean} locked @param {string} missing */
  function show(total, locked, missing) {
    const [, whole, places] = total === undefined ? ["", "", ""] : split(total, 3);
    const wholeText = total === undefined ? " ".repeat(WHOLE_DIGITS) : whole.padStart(WHOLE_DIGITS, "0");
    const placesText = (locked ? "" : places) || " ".repeat(PLACES);
    setContent(digits, [...wholeText].map((digit) => make("span", digit)),
      [...placesText].map((digit) => make("span.place", digit)));
    digits.setAttribute("aria-label", total === undefined ? missing
      : `${grouped(locked ? whole : total, locked ? 0 : 3)} kWh`);
  }
  return { node, show };
}
