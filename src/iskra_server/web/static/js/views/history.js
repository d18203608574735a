// History: a day, week, month, year or all years of the chosen meter.

import { setTitle } from "../dom.js";
import { firstDay, isKind, keyOf, periodTitle } from "../periods.js";
import { kindsBar } from "../toolbar.js";
import { showPeriodEnergy } from "./periodEnergy.js";

/** @type {View} */
export function show(main, { view, parts, query }, signal) {
  const kind = isKind(view) ? view : "day";
  const key = keyOf(kind, parts[0]);
  const as = query.get("as") ?? "";
  setTitle(periodTitle(kind, key));
  main.append(kindsBar(kind, firstDay(kind, key), as));
  showPeriodEnergy(main, { kind, key, as, address: (other, at, how = "") => [other, [at], { as: how }] }, signal);
}
