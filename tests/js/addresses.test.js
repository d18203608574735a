import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, define, listeners, load, randoms } from "./browser.js";

browser();
define("Element", class {});
define("CSS", { escape: (text) => text.replaceAll('"', '\\"') });
const { link, navigate, parseAddress, PERIODS } = await load("router.js");
const { bindKeys } = await load("keys.js");
const { addressOf, curl, indented, typeText } = await load("openapi.js");

const VIEWS = ["now", "day", "fleet"];

test("link and parseAddress are inverse", () => {
  const random = randoms(10);
  const letters = ["a", "7", "/", "%", "ü", " ", "?", "#", "&", "=", "-"];
  const letter = () => letters[Math.floor(random() * letters.length)];
  const text = () => Array.from({ length: 1 + Math.floor(random() * 6) }, letter).join("");
  for (let turn = 0; turn < 500; turn += 1) {
    const [parts, query] = [[text(), text()], { as: text(), find: "" }];
    const address = parseAddress(VIEWS, link("day", parts, query));
    assert.deepEqual([address.view, address.parts, [...address.query]], ["day", parts, [["as", query.as]]]);
  }
});

test("an unknown view leads to the home view", () => {
  for (const hash of ["", "#", "#/", "#/nothing", "#/toString"]) assert.equal(parseAddress(VIEWS, hash).view, "now");
});

test("links leave out empty parts and parameters", () => {
  assert.equal(link("day", ["", "2026"], { as: "" }), "#/day/2026");
  navigate("day", ["2026-11-22"], { as: "table" });
  assert.equal(globalThis.location.hash, "#/day/2026-11-22?as=table");
  assert.deepEqual(PERIODS, ["day", "week", "month", "year", "all"]);
});

test("shortcuts open sections and press buttons, but not while the user types", () => {
  const clicks = [];
  const button = { click: () => clicks.push("t") };
  bindKeys({ querySelector: (selector) => (selector === '[data-key="t"]' ? button : null) });
  const press = (key, more = {}) => {
    const event = { key, target: null, prevented: false, preventDefault() { this.prevented = true; }, ...more };
    listeners.get("keydown")(event);
    return event;
  };
  press("c");
  assert.equal(globalThis.location.hash, "#/cost");
  press("n");
  assert.equal(globalThis.location.hash, "#/now");
  assert.ok(press("t").prevented);
  assert.deepEqual(clicks, ["t"]);
  const field = Object.assign(new globalThis.Element(), { closest: () => ({}) });
  press("c", { target: field });
  for (const held of ["ctrlKey", "metaKey", "altKey"]) press("c", { [held]: true });
  press('"]');
  assert.equal(globalThis.location.hash, "#/now");
});

test("typeText names the types of OpenAPI", () => {
  assert.equal(typeText({ $ref: "#/components/schemas/Meter" }), "Meter");
  const items = { anyOf: [{ type: "number" }, { type: "null" }] };
  assert.equal(typeText({ type: "array", items }), "[number or null]");
  assert.equal(typeText({ enum: ["Wh", 1] }), '"Wh" or 1');
  assert.equal(typeText({ type: "string", format: "date-time" }), "date-time");
  assert.equal(typeText({ type: ["number", "string"] }), "number or string");
  assert.equal(typeText({}), "any");
});

test("an example address has the values, or the names of missing parameters", () => {
  const parameters = [{ name: "id", in: "path" }, { name: "from", in: "query" }, { name: "accept", in: "header" }];
  const address = (values) => addressOf("http://meter.local/base/", "/api/v1/meters/{id}/energy", parameters, values);
  assert.equal(address({ id: "1 ISK/00", from: "2026-11", accept: "x" }).href,
    "http://meter.local/base/api/v1/meters/1%20ISK%2F00/energy?from=2026-11");
  assert.equal(curl(address({}), false), "curl 'http://meter.local/base/api/v1/meters/{id}/energy'");
  assert.equal(curl(address({ id: "1 ISK" }), true), "curl -N 'http://meter.local/base/api/v1/meters/1%20ISK/energy'");
});

test("an indented answer is the same answer, with the same digits", () => {
  const json = '{"a":[1.50,-2e3,"x, [y]: {\\"z\\"}"],"b":{"c":null,"d":true}}';
  assert.deepEqual(JSON.parse(indented(json)), JSON.parse(json));
  assert.equal(indented('{"a":[1.50]}'), '{\n  "a": [\n    1.50\n  ]\n}');
});
