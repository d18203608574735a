// What notes say of a reading, which the first view does not need.

/** What a virtual meter is computed from: "Z1 − Z2". @param {Api.VirtualState} state */
export const partsText = ({ parts }) => parts.map(({ name, counts }, at) =>
  (counts === "minus" ? `− ${name}` : at > 0 ? `+ ${name}` : name)).join(" ");

/** How many seconds before the newest telegram a register arrived: a meter may send several lists in turn. */
export const lagOf = (/** @type {Api.LiveMeter | null} */ meter, /** @type {string} */ name) => {
  const register = meter?.registers.find((candidate) => candidate.name === name);
  return meter && register ? register.age_s - meter.measured_age_s : 0;
};
