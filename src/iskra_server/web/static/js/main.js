// Starts the page: one store, one event stream, one view at a time.

import { loadStyles, painted } from "./dom.js";
import { language } from "./language.js";
import { startLive } from "./live.js";
import { hasHistory, isCentralServer } from "./page.js";
import { PERIODS, route } from "./router.js";
import { buildShell } from "./shell.js";
import { reloadForPart } from "./stream.js";
import { applyTheme } from "./theme.js";

/** @typedef {() => Promise<{show: View}>} Load */

/** @type {Record<string, Load>} */
const VIEWS = {
  now: () => import("./views/now.js"),
  wall: () => import("./views/wall.js"),
  ...styled({
    registers: () => import("./views/registers.js"),
    ...Object.fromEntries(PERIODS.map((kind) => [kind, () => import("./views/history.js")])),
    heat: () => import("./views/heat.js"),
    compare: () => import("./views/compare.js"),
    normal: () => import("./views/normal.js"),
    sum: () => import("./views/sum.js"),
    cost: () => import("./views/cost.js"),
    contracts: () => import("./views/comparison.js"),
    setup: () => import("./views/setup.js"),
    about: () => import("./views/about.js"),
    fleet: () => import("./views/fleet.js"),
  }),
};

/** Views that need more style sheets than the first one. @param {Record<string, Load>} views */
function styled(views) {
  const both = (/** @type {Load} */ load) => async () => (await Promise.all([load(), loadStyles()]))[0];
  return Object.fromEntries(Object.entries(views).map(([name, load]) => [name, both(load)]));
}

document.documentElement.lang = language;
startLive();
applyTheme();
const { main, onShow } = buildShell(document.body);
// the other views show a single meter, which a central server does not have
const { fleet, about } = VIEWS;
route(main, isCentralServer ? { fleet, about } : VIEWS, onShow);
import("./keys.js").then(({ bindKeys }) => bindKeys(main), reloadForPart);
painted().then(async () => {
  if (hasHistory && !isCentralServer) (await import("./recorded.js")).loadRecorded();
}).catch(reloadForPart);
