// What the server writes into the HTML: its version, its time zone, and whether it is a central server.

const { central, tz, version: release } = document.documentElement.dataset;

/** A central server shows the meters of many readers and reads none itself. */
export const isCentralServer = central === "yes";
/** The view of an address without a view. */
export const HOME = isCentralServer ? "fleet" : "now";
export const zone = tz || "UTC";
export const version = release ?? "";
