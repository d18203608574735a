import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, load, plain } from "./browser.js";

browser();
const { partText, paymentPart, totalText } = await load("costs.js");
const { store } = await load("store.js");
const { words } = await load("language.js");

test("a total names the energy that has no price", () => {
  assert.equal(totalText({ total_amount: "8.89" }, "EUR"), "€8.89");
  const paid = { total_amount: "8.89", unpriced_import_wh: "102404.1", unpriced_export_wh: "0" };
  assert.equal(plain(totalText(paid, "EUR")), "€8.89 (102.4 kWh without a price)");
  assert.equal(totalText({ total_amount: "8.89", unpriced_import_wh: "0.0" }, "EUR"), "€8.89");
});

test("an energy of which a part has no price has no cost", () => {
  assert.equal(partText("0.00", "12.5", "EUR"), "");
  assert.equal(partText("0.00", "0.000", "EUR"), "€0.00");
  assert.equal(partText("1.25", undefined, "EUR"), "€1.25");
});

test("a payment is taken off a cost; a price below 0 makes no own solar power", () => {
  assert.equal(paymentPart("0.00", "EUR"), null);
  assert.deepEqual(paymentPart("1.25", "EUR"), [words.toGrid, "−€1.25"]);
  assert.deepEqual(paymentPart("-1.25", "EUR"), [words.toGrid, "€1.25"]);
  Object.assign(store, { virtual: [{ id: "Heat pump" }], chosen: "Heat pump" });
  assert.deepEqual(paymentPart("-1.25", "EUR"), [words.virtual.solar, "€1.25"]);
});
