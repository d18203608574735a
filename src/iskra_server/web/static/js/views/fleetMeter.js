// A meter of a central server: its energy in each period, as the page of its reader shows it.

import { make, setTitle } from "../dom.js";
import { words } from "../language.js";
import { firstDay, isKind, keyOf } from "../periods.js";
import { link } from "../router.js";
import { store } from "../store.js";
import { navBar, periodLinks } from "../toolbar.js";
import { showPeriodEnergy } from "./periodEnergy.js";

/** @param {HTMLElement} main @param {string[]} parts @param {string} as @param {AbortSignal} signal */
export function showFleetMeter(main, [id, period = "", text = ""], as, signal) {
  const kind = isKind(period) ? period : "month";
  const key = keyOf(kind, text);
  /** @type {import("./periodEnergy.js").PeriodAddress} */
  const address = (other, at, how = "") => ["fleet", ["meter", id, other, at], { as: how }];
  // here nothing is read that could choose another one
  store.chosen = id;
  setTitle(id);
  main.append(make("h1", id), navBar(words.kindsLabel,
    periodLinks(kind, firstDay(kind, key), (other, at) => link(...address(other, at, as)))));
  showPeriodEnergy(main, { kind, key, as, address }, signal);
}
