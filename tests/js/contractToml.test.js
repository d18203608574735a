import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, load } from "./browser.js";

browser({ tz: "Europe/Berlin" });
const { contractToml, emptyContract, emptyWindow } = await load("contractToml.js");

const fields = (more) => ({ ...emptyContract("2026-01-01"), ...more });

test("a contract with one price has the short keys", () => {
  assert.equal(contractToml(fields({
    name: "Städtische Werke \"A\"", price: "32,65", baseFee: "11.90", instalment: "85",
    feedInKind: "fixed", feedIn: "8.11",
  })), `[[contracts]]
begins = 2026-01-01
name = "Städtische Werke \\"A\\""
energy_price = 0.3265
base_fee = 11.9
feed_in = 0.0811
instalment = 85
`);
});

test("empty fields are left out", () => {
  assert.equal(contractToml(fields({ price: "30" })), "[[contracts]]\nbegins = 2026-01-01\nenergy_price = 0.3\n");
});

test("prices are exact, whatever their number of digits", () => {
  assert.match(contractToml(fields({ price: "0.1234567890123" })), /energy_price = 0\.001234567890123\n/);
  assert.match(contractToml(fields({ price: "-3,5" })), /energy_price = -0\.035\n/);
});

test("what is no number stays as typed, for the server to say so", () => {
  assert.match(contractToml(fields({ price: "thirty" })), /energy_price = "thirty"\n/);
  assert.match(contractToml(fields({ price: "1.2.3" })), /energy_price = "1\.2\.3"\n/);
});

test("day and night are a price and a window", () => {
  const windows = [{ ...emptyWindow("Night"), price: "24.5" }];
  assert.equal(contractToml(fields({ kind: "daynight", price: "33", windows })), `[[contracts]]
begins = 2026-01-01

[contracts.energy]
kind = "windows"
default = 0.33
windows = [
  { name = "Night", months = "1-12", days = "mon-sun", from = "22:00", to = "06:00", price = 0.245 },
]
`);
});

test("tariff registers have a price each", () => {
  assert.match(contractToml(fields({ kind: "registers", price: "33", low: "25" })),
    /kind = "registers"\nprices = \{ "1\.8\.1" = 0\.33, "1\.8\.2" = 0\.25 \}\n/);
});

test("a dynamic contract has its parts without tax", () => {
  const text = contractToml(fields({
    kind: "spot", markup: "2.15", grid: "9.12", module: "3", credit: "148.40", baseFee: "5.99", baseFeePer: "year",
    gridWindows: [{ ...emptyWindow("HT"), months: "1-3,10-12", from: "17:00", to: "21:15", price: "15.2" }],
    feedInKind: "fixed", feedIn: "7.78", isUnpaidWhenNegative: true,
  }));
  assert.equal(text, `[[contracts]]
begins = 2026-01-01
base_fee = 5.99
base_fee_per = "year"
vat_percent = 19

[contracts.energy]
kind = "spot"
zone = "DE-LU"
per = "quarter"
fixed = 0.0215

[contracts.grid]
kind = "windows"
default = 0.0912
module = 3
credit = 148.4
windows = [
  { name = "HT", months = "1-3,10-12", days = "mon-sun", from = "17:00", to = "21:15", price = 0.152 },
]

[contracts.levies]
tax = 0.0205
kwkg = 0.00446
offshore = 0.00941
special = 0.01559
concession = 0.0159

[contracts.feed_in]
kind = "fixed"
zone = "DE-LU"
price = 0.0778
unpaid_when_negative = true
`);
});
