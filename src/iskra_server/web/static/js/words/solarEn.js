// The texts of solar power in English. solarDe.js has the same keys.

export const solarWords = {
  now: "Solar power now",
  solar: "Solar",
  house: "House",
  grid: "Grid",
  flow: (/** @type {Record<"production" | "toHouse" | "toGrid" | "fromGrid" | "house", string>} */ watts) =>
    `The solar plant produces ${watts.production}: ${watts.toHouse} go to the house, ${watts.toGrid} to the grid. `
    + `The house uses ${watts.house}, ${watts.fromGrid} of it from the grid.`,
  noGrid: 'No meter at the grid is configured: add one to [[meters]] without role = "production".',
  noFlow: (/** @type {string} */ names) => `No current power of: ${names}`,
  differ: "The readings of the meters do not fit together right now: they are of different seconds, or a battery "
    + "feeds the grid.",
  title: "Solar power",
  chart: "Production",
  production: "Production",
  used: "used in the house",
  unused: "to grid",
  consumption: "Consumption of the house",
  selfConsumption: "Self-consumption",
  selfSufficiency: "Self-sufficiency",
  ofProduction: (/** @type {string} */ percent) => `${percent} % of the production`,
  today: "Today",
  uncounted: (/** @type {string} */ percent, /** @type {string} */ names) =>
    `These numbers are of ${percent} % of the time. For the rest, readings are missing of: ${names}.`,
  since: (/** @type {string} */ time) => `All meters have been recorded since ${time}.`,
  noExport: "The meter at the grid does not count energy to the grid (2.8.0). What the house used of the production is "
    + "not known.",
  otherCounter: (/** @type {string} */ name, /** @type {string} */ own, /** @type {string} */ other,
    /** @type {string} */ value) =>
    `${name} counted more in the other counter (${other}) than in the one that counts as production (${own}). If it is `
    + `wired the other way round, set production_counter = "${value}" in its section [[meters]].`,
  noCost: "This meter measures the solar plant. What electricity costs is shown for the meter at the grid.",
  ofPlant: "This meter measures the solar plant: energy to the grid is what the plant produces.",
};
