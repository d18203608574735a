// The current reading, as large as it is important: power with its direction, and the register. Without one, no number.

import { time } from "./clock.js";
import { isNew, make, setData, setText } from "./dom.js";
import { grouped, rounded, split } from "./exact.js";
import { words } from "./language.js";
import { ageOfChosen, freshMeter, lastReading, pageState, powerOf } from "./store.js";

const FRAMES = 4;
const WHOLE_DIGITS = 6;

/** Power in a word, a sign and a colour: a node, and a function that shows that of the chosen meter now. */
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
    setText(direction, lastWatts === undefined ? "" : words.noReadingSince);
  }
  return { node, show };
}

/** In place of a number while there is no current reading. */
export function missingReadingText() {
  const state = pageState();
  if (state === "unreachable" || state === "connecting") return words[state];
  return lastSeenText() || words.waiting;
}

/** "last seen 14:03:12" of the chosen meter, empty where it was never seen. */
function lastSeenText() {
  const age = ageOfChosen();
  return age == null ? "" : words.lastSeen(time(new Date(Date.now() - age * 1000)));
}

/**
 * The meter's own register: digit by digit as on the meter, the places behind the point in frames; a locked meter sends
 * none of them. A node, and a function that shows a total in Wh (its text), or `missing` in words.
 */
export function registerWidget() {
  const digits = make("span.digits", { role: "img" });
  const node = make("p.register", digits, make("span.unit", "kWh"));

  /** @param {string | undefined} total @param {boolean} locked @param {string} missing */
  function show(total, locked, missing) {
    const [, whole, places] = total === undefined ? ["", "", ""] : split(total, 3);
    const wholeText = total === undefined ? " ".repeat(WHOLE_DIGITS) : whole.padStart(WHOLE_DIGITS, "0");
    const placesText = (locked ? "" : places) || " ".repeat(FRAMES);
    if (isNew(digits, [wholeText.length, placesText.length])) {
      const frames = [...placesText].map(() => make("span.place"));
      digits.replaceChildren(...[...wholeText].map(() => make("span")), ...frames);
    }
    [...wholeText, ...placesText].forEach((digit, at) => setText(digits.children[at], digit));
    digits.setAttribute("aria-label", total === undefined ? missing
      : `${grouped(locked ? whole : total, locked ? 0 : 3)} kWh`);
  }
  return { node, show };
}
