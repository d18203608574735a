// Icons: SVG paths in the colour of the surrounding text.

import { makeSvg } from "./dom.js";

const PATHS = {
  now: ["M3 13h4l2.5-8 4.5 14 2.5-6H21"],
  history: ["M4 20V11", "M9.3 20V5", "M14.6 20v-7", "M20 20V8"],
  cost: ["M17.5 6.5A7 7 0 1 0 17.5 17.5", "M4 10.5h9", "M4 13.5h9"],
  setup: ["M6 4h12v16H6z", "M9 8h6v3H9z", "M12 15v1.5"],
  left: ["M15 5l-7 7 7 7"],
  right: ["M9 5l7 7-7 7"],
  fleet: ["M3 11l5-4 5 4v9H3z", "M13 20V7l4-3 4 3v13z"],
  about: ["M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18", "M12 11v6", "M12 7v1"],
};

export const icon = (/** @type {keyof typeof PATHS} */ name) =>
  makeSvg("svg.icon", { viewBox: "0 0 24 24", "aria-hidden": "true" },
    ...PATHS[name].map((d) => makeSvg("path", { d })));
