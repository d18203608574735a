// The rest of Now, loaded when the number is shown: charts, other meters, and the flow of solar power of a plant.

import { store, subscribe } from "../store.js";
import { showSubMeters } from "../subMeters.js";
import { showLastHour } from "./hour.js";
import { showToday } from "./today.js";

/**
 * @param {HTMLElement} main
 * @param {{hour: HTMLElement} & Parameters<typeof showToday>[0]} nodes
 * @param {AbortSignal} signal
 */
export function showCharts(main, { hour, ...today }, signal) {
  showLastHour(hour, signal);
  showToday(today, signal);
  showSubMeters(main, signal);
  let isShown = false;
  // the state of the sources may come later than the first reading
  signal.addEventListener("abort", subscribe(() => {
    if (isShown || !store.statuses.some(({ facts }) => facts.role === "production")) return;
    isShown = true;
    void import("./solarFlow.js").then(({ showSolarFlow }) => { if (!signal.aborted) showSolarFlow(main, signal); });
  }));
}
