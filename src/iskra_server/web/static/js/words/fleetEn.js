// The texts of the views of a central server in English. fleetDe.js has the same keys.

export const fleetWords = {
  meters: "Meters",
  readers: "Readers",
  kinds: { building: "Buildings", tenant: "Tenants", tariff: "Tariffs" },
  group: {
    building: (/** @type {string} */ name) => `Building ${name}`,
    tenant: (/** @type {string} */ name) => `Tenant ${name}`,
    tariff: (/** @type {string} */ name) => `Tariff ${name}`,
  },
  find: "Find a meter by its number",
  example: "part of the number",
  findGroup: { building: "Find a building", tenant: "Find a tenant", tariff: "Find a tariff" },
  exampleGroup: "part of the name",
  lastHeard: "Last contact",
  groups: "Groups",
  reader: "Reader",
  silentSince: (/** @type {string} */ time) => `silent since ${time}`,
  silentCount: (/** @type {string} */ count) => `${count} silent`,
  replacedBy: (/** @type {string} */ meter) => `replaced by ${meter}`,
  count: (/** @type {string} */ count) => `${count} ${count === "1" ? "meter" : "meters"}`,
  metersNow: "Meters now",
  partOf: (/** @type {string} */ count, /** @type {string} */ all) => `${count} of ${all} meters complete`,
  more: "More",
  none: "Nothing found.",
  incomplete: "Incomplete",
  nobody: "no meter in the group",
  missing: (/** @type {string} */ count, /** @type {string} */ all) => `${count} of ${all} quarter-hours missing`,
  estimated: (/** @type {string} */ count) =>
    `${count} ${count === "1" ? "quarter-hour" : "quarter-hours"} estimated`,
  missingTimes: "Missing:",
  allMissing: "all",
  moreTimes: (/** @type {number} */ count) => `${count} more`,
  whatCounts: "The sum has the energy between the readings that are known, also over gaps; nothing is filled in. "
    + "The statement says which meter lacks what.",
  gaps: "Gaps",
  inNoBar: (/** @type {string} */ energy) =>
    `${energy} of it are in no bar: of that time only the sum over several bars is known.`,
  since: (/** @type {string} */ day) => `since ${day}`,
  until: (/** @type {string} */ day) => `until ${day}`,
  version: (/** @type {string} */ version) => `version ${version}`,
  ahead: (/** @type {string} */ seconds) => `clock ${seconds} s ahead`,
  behind: (/** @type {string} */ seconds) => `clock ${seconds} s behind`,
  waiting: (/** @type {string} */ count) => `${count} ${count === "1" ? "quarter-hour" : "quarter-hours"} waiting`,
  refused: (/** @type {string} */ count) => `${count} ${count === "1" ? "quarter-hour" : "quarter-hours"} refused`,
  conflicts: (/** @type {string} */ count) =>
    (count === "1" ? "1 value differs from the stored one." : `${count} values differ from the stored ones.`),
  conflictsMeaning: "Another value was sent for a meter and a quarter-hour that are stored already, by a second "
    + "reader or by one with a wrong clock. The stored value counts in every sum. “iskra-server fleet conflicts” on "
    + "the central server lists both.",
  moreProblems: (/** @type {number} */ count) => `${count} more ${count === 1 ? "problem" : "problems"}`,
  files: {
    title: "Files",
    statement: "A statement has the readings at both ends, the energy and what is missing, by meter and month.",
    tooLarge: (/** @type {string} */ count) => `The page makes statements of at most ${count} meters; `
      + "“iskra-server fleet statement” on the central server makes larger ones.",
    print: "Statement to print",
    csv: "Statement as CSV",
    all: "Statements of all tenants, to print and as CSV (ZIP)",
    quarters: "15-minute values as CSV",
    legal: "Read over the meter's interface: not for legal billing where calibration law asks for verified values.",
  },
};
