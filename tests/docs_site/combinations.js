// Prints what the configuration generator makes of its choices, one JSON object a line: for test_generator.py.
// With the argument "all": each combination of everything; else each of what belongs together.

import { browser } from "../js/browser.js";

browser();
const folder = new URL("../../docs/site/generator/js/", import.meta.url);
const load = (name) => import(new URL(name, folder).href);
const { CHANNELS, DATABASES, HEADS, INSTALLS, WAYS, emptyMeter, firstChoices } = await load("choices.js");
const { findings } = await load("check.js");
const { outputs } = await load("output.js");
const { steps } = await load("steps.js");
const { words: en } = await load("words/en.js");
const { words: de } = await load("words/de.js");

const KEY = "0011 2233 4455 6677 8899 AABB CCDD EEFF";
const METERS = {
  auto: {}, uart: { name: "Wärmepumpe \"neu\"" },
  port: { port: "/dev/serial/by-id/usb-FTDI_0001-if00-port0", key: KEY, authKey: KEY },
  tcp: { host: "192.168.1.31", tcpPort: "6638", name: "House" },
  tibber: { host: "tibber.local", password: "AD56-54BA" },
  mqtt: { host: "fd00::1", tcpPort: "1884", user: "house", password: "p@ss: %/w?#", topic: "tele/tasmota_1/RESULT" },
  simulator: {},
};
const DATABASE = {
  influxUrl: "http://192.168.1.20:8086", influxUser: "me", influxPassword: "se cret", influxOrg: "home",
  influxBucket: "energy", influxToken: "tok\"en==",
};
const CHANNEL = {
  none: {}, ntfy: { notifyUrl: "https://ntfy.sh/a-topic-of-mine" },
  webhook: { notifyUrl: "http://192.168.1.5:8123/api/webhook/x" },
  gotify: { notifyUrl: "https://gotify.example.org", notifyToken: "Abc123" },
  email: {
    notifyUrl: "smtps://smtp.example.org", notifyUser: "me@example.org", notifyPassword: "a b",
    notifyRecipients: "a@example.org, b@example.org",
  },
};
const BROKER = { hasMqtt: true, mqttHost: "192.168.1.10", mqttUser: "iskra", mqttPassword: "p@ss word" };
const SERVERS = [{}, { token: "0123456789abcdef", language: "de" }];
const NIGHT = { name: "night", months: "1-12", days: "mon-sun", from: "22:00", to: "06:00", price: "24,5" };
const HT = { ...NIGHT, name: "HT", months: "1-3,10-12", from: "17:00", to: "21:00", price: "15.2" };
const NT = { ...NIGHT, name: "NT", price: "3.1" };

/** Each combination of the lists, as one object. */
const both = (some, more) => some.flatMap((one) => more.map((two) => ({ ...one, ...two })));
const product = (lists) => lists.reduce(both, [{}]);
const named = (name, values) => values.map((value) => ({ [name]: value }));

const contracts = product([
  [{ kind: "fixed", price: "32,65" }, { kind: "fixed", price: "11.5", isByParts: true },
    { kind: "daynight", price: "33", windows: [NIGHT] },
    { kind: "windows", price: "30", windows: [NIGHT, { ...HT, days: "Mon-Fri,sun" }], isByParts: true },
    { kind: "registers", price: "33", low: "25" }, { kind: "spot", markup: "1,5", percent: "3" },
    { kind: "spot", per: "hour" }],
  [{ module: "0" }, { module: "1", credit: "120" },
    { module: "3", credit: "120", gridWindows: [HT, NT], grid: "9.12" }],
  [{ feedInKind: "none" }, { feedInKind: "fixed", feedIn: "7.78" },
    { feedInKind: "fixed", feedIn: "7.78", isUnpaidWhenNegative: true },
    { feedInKind: "spot", feedIn: "-0.5" }],
  [{ baseFee: "11.90", instalment: "85", name: "Stadtwerk" },
    { baseFee: "120", baseFeePer: "year", gridFee: "60", meteringFee: "25" }],
]);
const ways = WAYS.flatMap((homeAssistant) => [{ homeAssistant }, { homeAssistant, ...BROKER },
  { homeAssistant, ...BROKER, isBrokerBeside: true, mqttPassword: "a.long-One_1" }])
  .filter(({ homeAssistant, hasMqtt }) => hasMqtt || homeAssistant !== "mqtt");
const heads = HEADS.map((head) => ({ meters: [{ ...emptyMeter(), head, ...METERS[head] }] }));
const several = [{ meters: HEADS.map((head) => ({ ...emptyMeter(), head, ...METERS[head] })) }];
const databases = DATABASES.map((database) => ({ database, ...(database === "none" ? {} : DATABASE) }));
const channels = CHANNELS.map((channel) =>
  ({ channel, ...CHANNEL[channel], loadAboveW: channel === "ntfy" ? "9000" : "" }));
const installs = named("install", INSTALLS);

const isAll = process.argv[2] === "all";
// each list with each of its values, the ways to install in turn
const inTurn = (list) => list.map((one, index) => ({ install: INSTALLS[index % INSTALLS.length], ...one }));
const meters = [...heads, ...several];
const combinations = isAll ? product([installs, meters, ways, databases, channels, SERVERS])
  : [...product([named("install", ["docker", "app"]), meters, ways]),
    ...inTurn(product([databases, channels, SERVERS]))];
for (const chosen of combinations) print(chosen);
for (const contract of isAll ? product([installs, contracts]) : inTurn(contracts)) {
  const { install, ...fields } = contract;
  print({ hasContract: true, install }, fields);
}

function print(chosen, contract = {}) {
  const choices = { ...firstChoices("Europe/Vienna", "auto", "2026-01-01"), ...chosen };
  Object.assign(choices.contract, contract);
  const made = outputs(choices);
  const hasFile = made.some(({ name }) => name === "iskra-server.toml");
  console.log(JSON.stringify({
    choices, findings: findings(choices), outputs: Object.fromEntries(made.map(({ name, text }) => [name, text])),
    commands: [en, de].flatMap((words) => steps(choices, words, hasFile)).flatMap(([, command]) => command.split("\n")),
  }));
}
