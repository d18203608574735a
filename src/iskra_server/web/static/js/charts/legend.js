// The legend of a chart: each colour and what it means.

import { make } from "../dom.js";
import { exportName } from "../energyText.js";
import { words } from "../language.js";

/** @typedef {"imp" | "exp" | "money" | "soft" | "fan" | "hatch" | "pale" | "faint" | "line" | "thin" | "dashed"} Ink */
/** @param {Ink} ink @param {string} text */
export const legendItem = (ink, text) =>
  make("span.ink", { "data-ink": ink }, make("i", { "aria-hidden": "true" }), text);

/** The legend of energy bars. @param {boolean} hasExport @param {string | null} [exported] its total */
export const energyLegend = (hasExport, exported) => [
  legendItem("imp", words.fromGrid),
  ...(hasExport ? [legendItem("exp", exportName(exported))] : []),
  legendItem("hatch", words.noData),
];
