// The meter's own register: digit by digit as on the meter, the places behind the point in frames. A locked meter
// sends none of them: its frames are empty.

import { isNew, make, setText } from "./dom.js";
import { grouped, split } from "./exact.js";

const FRAMES = 4;
const WHOLE_DIGITS = 6;

/** A node, and a function that shows a total in Wh (its text), or `missing` in words. */
export function register() {
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
