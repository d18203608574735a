// The rest of Now, loaded when the number is shown: a note about the total, charts, other meters, and the flow of solar
// power of a plant.

import { whenPlant } from "../store.js";
import { reloadForPart } from "../stream.js";
import { showSubMeters } from "../subMeters.js";
import { showLastHour } from "./hour.js";
import { showNote } from "./nowNote.js";
import { showToday } from "./today.js";

/**
 * @param {HTMLElement} main
 * @param {{hour: HTMLElement, note: HTMLElement} & Parameters<typeof showToday>[0]} nodes
 * @param {AbortSignal} signal
 */
export function showCharts(main, { hour, note, ...today }, signal) {
  showNote(note, signal);
  showLastHour(hour, signal);
  showToday(today, signal);
  showSubMeters(main, signal);
  whenPlant(signal, async () => {
    const solar = await import("./solarFlow.js").catch(reloadForPart);
    if (solar && !signal.aborted) await solar.showSolarFlow(main, signal);
  });
}
