import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, load, plain } from "./browser.js";

browser({ languages: ["fr-FR", "de-AT", "en"] });
const { grouped, rounded } = await load("exact.js");
const { language, LANGUAGES, locale, localized, words } = await load("language.js");
const { dateText } = await load("calendar.js");
const { money, price } = await load("costs.js");
const { periodTitle } = await load("periods.js");
const { csvText } = await load("table.js");

test("the language is the first of the browser that the page has, with its region", () => {
  assert.deepEqual([language, locale], ["de", "de-AT"]);
  assert.equal(words.sections.history, "Verlauf");
  assert.equal(localized({ en: "meter", de: "Zähler" }), "Zähler");
  assert.deepEqual(Object.keys(LANGUAGES), ["en", "de"]);
});

test("numbers have a comma", () => {
  assert.equal(plain(grouped("-1234567.5")), "−1 234 567,5");
  assert.equal(rounded("1.25", 1), "1,3");
});

test("dates and periods are German", () => {
  assert.equal(dateText("2026-11-22", { weekday: "long", day: "numeric", month: "long" }), "Sonntag, 22. November");
  assert.equal(periodTitle("month", "2026-03"), "März 2026");
});

test("a file for a German Excel has semicolons, decimal commas and times without offset", () => {
  // an hour that comes twice
  const rows = [["begin", "import_wh"], ["2026-10-25T02:00:00+02:00", "-10732309.10"],
    ["2026-10-25T02:00:00+01:00", "8"], ["x", "7"], ["1.2.3", ""]];
  assert.equal(csvText(rows), ["\ufeffbegin;import_wh;begin_utc",
    "2026-10-25 02:00:00;-10732309,10;2026-10-25 00:00:00",
    "2026-10-25 02:00:00;8;2026-10-25 01:00:00", "x;7;", "1.2.3;;", ""].join("\r\n"));
  assert.equal(csvText([["begin"]]), "\ufeffbegin\r\n");
});

test("money is exact to the cent, with a real minus", () => {
  // as a JavaScript number this would be 1.00499999...
  assert.equal(plain(money("1.005", "EUR")), "€ 1,01");
  assert.equal(plain(money("-0.125", "EUR")).replace(" ", ""), "−€0,13");
  assert.equal(plain(price("0.3265", "EUR")), "€ 0,3265");
});

test("an unknown currency is shown as configured", () => assert.equal(money("12.5", "Talers"), "12.50 Talers"));
