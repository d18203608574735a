// The meter's own register: digit by digit as on the meter, the places behind the point in frames. A locked meter
// sends none of them: its frames are empty.

import { make, say } from "./dom.js";
import { grouped, split } from "./exact.js";

const FRAMES = 4;
const WHOLE_DIGITS = 6;

/** A node, and a function that shows a total in Wh (its text), or `nothing` in words. */
export function register() {
  const digits = make("span.digits", { role: "img" });
  const node = make("p.register", digits, make("span.unit", "kWh"));

  /** @param {string | undefined} total @param {boolean} locked @param {string} nothing */
  function show(total, locked, nothing) {
    const [, whole, places] = total === undefined ? ["", "", ""] : split(total, 3);
    const fine = locked ? "" : places;
    const wholeText = total === undefined ? " ".repeat(WHOLE_DIGITS) : whole.padStart(WHOLE_DIGITS, "0");
    const fineText = fine || " ".repeat(FRAMES);
    fit(digits, wholeText.length, fineText.length);
    [...wholeText, ...fineText].forEach((digit, at) => say(digits.children[at], digit));
    digits.setAttribute("aria-label", total === undefined ? nothing : `${grouped(locked ? split(total, 3)[1] : total, locked ? 0 : 3)} kWh`);
  }
  return { node, show };
}

function fit(digits, whole, fine) {
  if (digits.dataset.form === `${whole}.${fine}`) return;
  digits.dataset.form = `${whole}.${fine}`;
  digits.replaceChildren(...Array.from({ length: whole + fine }, (_, at) => make(at < whole ? "span" : "span.place")));
}
