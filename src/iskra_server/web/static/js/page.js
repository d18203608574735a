// What the server writes into the HTML: its version and commit, its time zone, whether it is a central server and keeps
// a history, whether the token is one for some groups; in the app of Home Assistant, its address for other programs.

const { address, build: builtFrom, central, history, scoped, tz, version: release } = document.documentElement.dataset;

/** A central server shows the meters of many readers and reads none itself. */
export const isCentralServer = central === "yes";
/** A token for some groups of meters: the routes of a single meter refuse it. */
export const isScoped = scoped === "yes";
/** The view of an address without a view. */
export const HOME = isCentralServer ? "fleet" : "now";
/** Where other programs reach the server: ingress takes signed-in people alone, and its address changes. */
export const serverAddress = address || new URL("./", location.href).href.replace(/\/$/, "");
export const isIngress = Boolean(address);
export const zone = tz || "UTC";
export const version = release ?? "";
/** The commit that the server was built from; empty where it is not known. */
export const build = builtFrom ?? "";
export const hasHistory = history === "yes";
