// Data as a table, and as a file to download.

import { make } from "./dom.js";
import { language } from "./language.js";

/** The first column names the row. @param {string[]} columns @param {string[][]} rows */
export const table = (columns, rows) =>
  make("div.scroll", { tabindex: "0", role: "region", "aria-label": columns[0] }, make("table",
    make("thead", make("tr", columns.map((name, at) => make(at ? "th.number" : "th", { scope: "col" }, name)))),
    make("tbody", rows.map(([name, ...cells]) =>
      make("tr", make("th", { scope: "row" }, name), cells.map((cell) => make("td.number", cell)))))));

/**
 * The text of a CSV file. On a German page it is what a German Excel reads: semicolons, decimal commas, times without
 * offset and once more in UTC, and the mark of UTF-8.
 * @param {string[][]} rows the first one has the names
 */
export const csvText = (rows) => (language === "de"
  ? `\ufeff${withUtc(rows).map((row) => `${row.map(germanCell).join(";")}\r\n`).join("")}`
  : rows.map((row) => `${row.join(",")}\r\n`).join(""));

/** Each time once more, behind the other columns: in October a local hour comes twice. @param {string[][]} rows */
function withUtc([names, ...rows]) {
  const times = names.flatMap((_, at) => (rows.some((row) => TIME.test(row[at])) ? at : []));
  return [[...names, ...times.map((at) => `${names[at]}_utc`)], ...rows.map((row) =>
    [...row, ...times.map((at) => (TIME.test(row[at]) ? new Date(row[at]).toISOString() : ""))])];
}

const TIME = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d).*$/;

const germanCell = (/** @type {string} */ cell) => (/^-?\d+(\.\d+)?$/.test(cell) ? cell.replace(".", ",")
  : cell.replace(TIME, "$1 $2"));

export function download(/** @type {string} */ name, /** @type {string} */ text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
