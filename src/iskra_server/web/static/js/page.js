// What the server wrote into the page itself: its version, its time zone, and whether it is a central server.

const { central, tz, version: release } = document.documentElement.dataset;

/** A central server reads no meter itself: it shows the meters of many readers. */
export const isCentralServer = central === "yes";
/** The view at an address that names none. */
export const HOME = isCentralServer ? "fleet" : "now";
export const zone = tz || "UTC";
export const version = release ?? "";
