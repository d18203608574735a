// Power as one large number with its direction in a word, a sign and a colour; without a fresh one, no number.

import { lastSeen } from "./ages.js";
import { make, mark, say } from "./dom.js";
import { rounded } from "./exact.js";
import { words } from "./language.js";
import { fresh, known, power, state } from "./store.js";

/** A node, and a function that shows how it stands now. */
export function powerNow() {
  const number = make("span.number");
  const unit = make("span.unit", "W");
  const big = make("p.big", number, unit);
  const direction = make("p.direction");
  const node = make("div.power-now", big, direction);

  function show() {
    const meter = fresh();
    const watts = meter ? power(meter) : undefined;
    const was = meter || !known() ? undefined : power(known().meter);
    const flow = watts === undefined ? null : Math.sign(Number(watts));
    const text = watts === undefined ? "" : rounded(watts);
    unit.hidden = watts === undefined;
    mark(big, "kind", kindOf(watts, text, was));
    say(number, watts === undefined ? instead(meter) : text);
    mark(direction, "flow", { 1: "import", "-1": "export" }[flow] ?? "");
    say(direction, flow === null ? beside(was) : { 1: words.importing, "-1": words.exporting, 0: words.balanced }[flow]);
    const title = watts === undefined ? "" : `${text} W · `;
    if (document.body.dataset.view === "now" || document.body.dataset.view === "wall") document.title = `${title}ISKRA Electricity`;
  }
  return { node, show };
}

function kindOf(watts, text, was) {
  if (watts !== undefined) return text.length > 6 ? "long" : "";
  return was === undefined ? "none" : "past";
}

/** In place of a number. */
export function instead(meter) {
  if (meter) return words.noPower;
  const now = state();
  if (now === "unreachable" || now === "connecting") return words[now];
  return lastSeen() || words.waiting;
}

/** Below a number that is no longer there. */
const beside = (was) => (was === undefined ? "" : words.noFresh);
