// The rest of Now, loaded when the number is shown: charts, other meters, and the flow of solar power of a plant.

import { whenPlant } from "../store.js";
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
  whenPlant(signal, async () => {
    const { showSolarFlow } = await import("./solarFlow.js");
    if (!signal.aborted) await showSolarFlow(main, signal);
  });
}
