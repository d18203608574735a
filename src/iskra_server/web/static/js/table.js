// Data as a table, and as a file to download.

import { make } from "./dom.js";

/** The first column names the row. @param {string[]} columns @param {string[][]} rows */
export const table = (columns, rows) =>
  make("div.scroll", { tabindex: "0", role: "region", "aria-label": columns[0] }, make("table",
    make("thead", make("tr", columns.map((name, at) => make(at ? "th.number" : "th", { scope: "col" }, name)))),
    make("tbody", rows.map(([name, ...cells]) =>
      make("tr", make("th", { scope: "row" }, name), cells.map((cell) => make("td.number", cell)))))));

export function download(/** @type {string} */ name, /** @type {string} */ text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
