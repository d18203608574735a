// The configuration generator of the documentation: what it finds wrong, its texts, and how it writes YAML.

import assert from "node:assert/strict";
import { test } from "node:test";

import { browser } from "./browser.js";

browser();
const load = (name) => import(new URL(`../../docs/site/generator/js/${name}`, import.meta.url).href);
const { CHANNELS, DATABASES, HEADS, INSTALLS, WAYS, emptyMeter, fileToml, firstChoices } = await load("choices.js");
const { findings } = await load("check.js");
const { outputs } = await load("output.js");
const { KEYS } = await load("reference.js");
const { yaml } = await load("yaml.js");
const texts = { en: (await load("words/en.js")).words, de: (await load("words/de.js")).words };

const chosen = (more, contract = {}) => {
  const choices = { ...firstChoices("Europe/Berlin", "auto", "2026-01-01"), ...more };
  return { ...choices, contract: { ...choices.contract, ...contract } };
};
const meter = (more) => ({ meters: [{ ...emptyMeter(), ...more }] });
const found = (choices) => findings(choices).map(({ field, problem }) => `${field}: ${problem}`);
const MQTT = { hasMqtt: true, mqttHost: "broker.local" };
const NIGHT = { name: "n", months: "1-12", days: "mon-sun", from: "22:00", to: "06:00", price: "20" };

const WRONG = [
  [{ hostPort: "80800" }, "hostPort: range"], [{ hostPort: "" }, "hostPort: missing"],
  [{ timeZone: "Berlin" }, "timeZone: zone"], [{ timeZone: "+01:00" }, "timeZone: zone"],
  [{ token: "short" }, "token: token"], [{ token: "with a blank in it" }, "token: ascii"],
  [meter({ head: "port" }), "meters.0.port: missing"],
  [meter({ head: "port", port: "ttyUSB0" }), "meters.0.port: port"],
  [meter({ head: "tcp", host: "192.168.1.31", tcpPort: "0" }), "meters.0.tcpPort: range"],
  [meter({ head: "tcp", host: "http://head", tcpPort: "1" }), "meters.0.host: host"],
  [meter({ head: "tibber", host: "bridge" }), "meters.0.password: missing"],
  [meter({ head: "tibber", host: "bridge", password: "a", node: "one" }), "meters.0.node: whole"],
  [meter({ head: "mqtt", host: "broker", topic: "tele/+/x" }), "meters.0.topic: topic"],
  [meter({ key: "0123" }), "meters.0.key: key"],
  [meter({ authKey: "00112233445566778899AABBCCDDEEFF" }), "meters.0.key: missing"],
  [{ meters: [emptyMeter(), emptyMeter()] }, "meters.1.head: secondAuto"],
  [{ meters: ["/dev/a", "/dev/a"].map((port) => ({ ...emptyMeter(), head: "port", port })) },
    "meters.1.head: sameHead"],
  [{ homeAssistant: "mqtt" }, "hasMqtt: needsMqtt"], [{ ...MQTT, mqttHost: "broker:1883" }, "mqttHost: host"],
  [{ ...MQTT, mqttPassword: "p" }, "mqttUser: missing"], [{ ...MQTT, mqttPort: "1.5" }, "mqttPort: whole"],
  [{ hasMqtt: true, isBrokerBeside: true }, "mqttPassword: missing"],
  [{ hasMqtt: true, isBrokerBeside: true, mqttPassword: "with $ign" }, "mqttPassword: brokerPassword"],
  [{ database: "influx1", influxUrl: "influx:8086" }, "influxUrl: httpUrl"],
  [{ database: "influx2", influxUrl: "http://i:8086", influxBucket: "b", influxToken: "t" }, "influxOrg: missing"],
  [{ channel: "ntfy", notifyUrl: "https://ntfy.sh/" }, "notifyUrl: ntfyTopic"],
  [{ channel: "gotify", notifyUrl: "https://gotify.local" }, "notifyToken: missing"],
  [{ channel: "webhook", notifyUrl: "https://a.local/", loadAboveW: "much" }, "loadAboveW: number"],
  [{ channel: "email", notifyUrl: "smtp.example.org", notifyUser: "a@b.org", notifyRecipients: "a@b.org" },
    "notifyUrl: mailUrl"],
  [{ channel: "email", notifyUrl: "smtp://h", notifyUser: "me", notifyRecipients: "a@b.org" }, "notifySender: mail"],
];

for (const [choices, finding] of WRONG) {
  test(`${finding} of ${JSON.stringify(choices)}`, () => assert.deepEqual(found(chosen(choices)), [finding]));
}

const WRONG_CONTRACTS = [
  [{}, "energy_price: missing"], [{ price: "cheap" }, "energy_price: number"],
  [{ price: "30", begins: "" }, "begins: missing"],
  [{ kind: "registers", price: "30" }, "energy.prices.1.8.2: missing"],
  [{ kind: "daynight", price: "30", windows: [{ ...NIGHT, from: "22:10" }] }, "energy.windows.1.from: time"],
  [{ kind: "daynight", price: "30", windows: [{ ...NIGHT, to: "22:00" }] }, "energy.windows.1.to: wholeDay"],
  [{ kind: "windows", price: "30", windows: [{ ...NIGHT, days: "Mo-Fr" }] }, "energy.windows.1.days: days"],
  [{ kind: "windows", price: "30", windows: [{ ...NIGHT, months: "0-3" }] }, "energy.windows.1.months: months"],
  [{ kind: "windows", price: "30", windows: [{ ...NIGHT, price: "" }] }, "energy.windows.1.price: missing"],
  [{ kind: "spot", percent: "2000" }, "energy.percent: range"], [{ kind: "spot", vat: "119" }, "vat_percent: range"],
  [{ kind: "spot", module: "1", credit: "-1" }, "grid.credit: range"],
  [{ price: "30", feedInKind: "fixed", feedIn: "x" }, "feed_in: number"],
  [{ price: "30", baseFee: "-1" }, "base_fee: range"],
];

for (const [contract, finding] of WRONG_CONTRACTS) {
  test(`${finding} of a contract with ${JSON.stringify(contract)}`, () =>
    assert.deepEqual(found(chosen({ hasContract: true }, contract)), [finding]));
}

test("every finding has a sentence, and every choice a text, in both languages", () => {
  const problems = [...WRONG, ...WRONG_CONTRACTS].map(([, finding]) => finding.split(": ")[1]);
  for (const words of Object.values(texts)) {
    for (const problem of problems) assert.match(words.problems[problem]("1"), /\.$/);
    // and no sentence that nothing needs
    assert.deepEqual(new Set(Object.keys(words.problems)), new Set(problems));
    const { install, head, database, channel, homeAssistant } = words.options;
    assert.deepEqual([install, head, database, channel, homeAssistant].map(Object.keys),
      [INSTALLS, HEADS, DATABASES, CHANNELS, WAYS].map((names) => [...names]));
    for (const [title, help] of Object.values(words.fields)) assert.ok(title && /[.)]$|\/$|…$/.test(help), help);
  }
});

test("both languages have the same texts", () => {
  const shape = (value) => (Array.isArray(value) ? value.length : typeof value === "object"
    ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shape(inner)])) : typeof value);
  assert.deepEqual(shape(texts.en), shape(texts.de));
});

test("nothing has to be configured for one meter with one USB head", () => {
  assert.equal(fileToml(chosen({})), "");
  assert.deepEqual(outputs(chosen({})).map(({ name }) => name), ["docker-compose.yml"]);
  assert.deepEqual(outputs(chosen({ install: "app" })),
    [{ name: "options", text: "sources: []\ncontracts: []\n", isFile: false }]);
});

test("every key that is written is one of the configuration", () => {
  const text = fileToml(chosen({ ...MQTT, token: "0123456789abcdef", homeAssistant: "rest" }));
  assert.match(text, /discovery = "off"/);
  assert.ok("outputs.mqtt.discovery" in KEYS && "server.token" in KEYS);
});

test("texts that YAML would take for something else are in quotes", () => {
  const value = { a: "no", b: "1883:1883", c: ["x", { d: "", e: true }], f: {}, g: [], h: "#x", i: "two words" };
  assert.equal(yaml(value),
    'a: "no"\nb: "1883:1883"\nc:\n  - x\n  - d: ""\n    e: true\nf: {}\ng: []\nh: "#x"\ni: two words\n');
});
