// The texts of "Is that normal?" in English. normalDe.js has the same keys.

export const normalWords = {
  title: "Is that normal?",
  steps: "Switched on and off",
  stepsNote: "Changes of at least 200 W within the last 15 minutes; they appear here within a minute.",
  stepAt: (/** @type {string} */ time, /** @type {string} */ after) => `at ${time}, then ${after}`,
  noSteps: (/** @type {string} */ time) => `No such change until ${time}.`,
  noTelegrams: "No telegrams of this time are kept, or the meter sends no power.",
  measure: "Measure one appliance",
  measureHint: 
    "Press start, switch the appliance on, press stop when it is done. Leave everything else as it is.",
  needsPower: "This needs a current power value from the meter.",
  start: "Start",
  stop: "Stop",
  duration: "Since",
  appliance: "This appliance",
  above: (/** @type {string} */ level) =>
    `The value of the appliance is an estimate: the power above the ${level} before the start.`,
  house: "Whole house, from grid",
  exact: "The value of the house is exact: it is from the meter's counter.",
  coarse: "The value of the house is from the meter's counter, which shows no more digits.",
  missing: (/** @type {number} */ seconds) =>
    `For ${seconds} s no telegram arrived; that time is not in the estimate.`,
  typical: (/** @type {string} */ weekday) => `A typical ${weekday}`,
  fewDays: "Three such days must be measured before one can be typical.",
  legend: (/** @type {number} */ days, /** @type {string} */ weekday) =>
    `Line: today. Band: the middle half of the last ${days} ${weekday}s.`,
  quarter: (/** @type {string} */ clock, /** @type {string} */ now, /** @type {string} */ median,
    /** @type {string} */ band) => `${clock} · today ${now} · typical ${median} (${band})`,
  highest: "Highest quarter-hour of each month",
  highestNote: "Mean power from the grid over 15 minutes; a capacity tariff bills it.",
  columns: ["Month", "Power", "Moment"],
};
