// The flow of power between a solar plant, the house and the grid; as history/model/solar_flows.py on the server.

/** @typedef {{production: number, house: number, toHouse: number, toGrid: number, fromGrid: number}} Flows in W */

/**
 * @param {number} grid W at the grid, + from it, - to it
 * @param {number} production W that the plant produces
 * @returns {Flows}
 */
export function flowsOf(grid, production) {
  const [fromGrid, toGrid] = [Math.max(grid, 0), Math.max(-grid, 0)];
  return { production, house: production + grid, toHouse: production - toGrid, toGrid, fromGrid };
}

/**
 * What a plant produces, by the power of its meter; what an inverter draws at night is consumption.
 * @param {number} watts
 * @param {"export" | "import"} counter the counter that counts the production
 */
export const produced = (watts, counter) => Math.max(counter === "export" ? -watts : watts, 0);

/**
 * A bucket as a bar in kWh: what the house used of the production, in front of the whole production.
 * @param {Api.SolarBucket} bucket
 * @returns {Bar}
 */
export function solarBar({ quarters, counted_quarters: counted, production_wh: all, self_consumption_wh: used }) {
  const kwh = (/** @type {string | undefined} */ wh) => (wh === undefined ? null : Number(wh) / 1000);
  return {
    up: kwh(used), down: null, wholeUp: kwh(all), ink: "exp",
    kind: quarters === 0 ? "future" : counted === 0 ? "missing" : counted < quarters ? "partial" : "complete",
  };
}
