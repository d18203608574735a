// Power as one large number with its direction in a word, a sign and a colour; without a current one, no number.

import { lastSeenText } from "./ages.js";
import { make, setData, setText } from "./dom.js";
import { rounded } from "./exact.js";
import { words } from "./language.js";
import { freshMeter, lastReading, pageState, powerOf } from "./store.js";

/** A node, and a function that shows the power of the chosen meter now. */
export function powerWidget() {
  const number = make("span.number");
  const unit = make("span.unit", "W");
  const big = make("p.big", number, unit);
  const direction = make("p.direction");
  const node = make("div.power-now", big, direction);

  function show() {
    const meter = freshMeter();
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

  /** @param {boolean} isFresh @param {string | undefined} lastWatts */
  function showMissing(isFresh, lastWatts) {
    setData(big, "kind", lastWatts === undefined ? "none" : "past");
    setText(number, isFresh ? words.noPower : missingReadingText());
    setData(direction, "flow", "");
    setText(direction, lastWatts === undefined ? "" : words.noFresh);
  }
  return { node, show };
}

/** In place of a number while there is no current reading. */
export function missingReadingText() {
  const state = pageState();
  if (state === "unreachable" || state === "connecting") return words[state];
  return lastSeenText() || words.waiting;
}
