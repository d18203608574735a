// What can be chosen on the page of the configuration generator, and the sections of the configuration that follow.

import { KEYS } from "./reference.js";
import { contractToml, emptyContract, string } from "./product.js";

/** @typedef {import("../../../../src/iskra_server/web/static/js/contractToml.js").ContractFields} ContractFields */

export const INSTALLS = /** @type {const} */ (["docker", "debian", "app"]);
export const HEADS = /** @type {const} */ (["auto", "port", "uart", "tcp", "tibber", "mqtt", "simulator"]);
export const DATABASES = /** @type {const} */ (["none", "influx1", "influx2", "influx3", "victoriametrics", "questdb"]);
export const CHANNELS = /** @type {const} */ (["none", "ntfy", "webhook", "gotify", "email"]);
export const WAYS = /** @type {const} */ (["none", "integration", "mqtt", "rest"]);
const SERIAL = ["auto", "port", "uart"];

/**
 * A meter and the head that reads it; every value as it was typed.
 * @typedef {{head: typeof HEADS[number], port: string, host: string, tcpPort: string, user: string, password: string,
 *   node: string, topic: string, name: string, key: string, authKey: string}} MeterChoice
 */

/**
 * @typedef {{install: typeof INSTALLS[number], hostPort: string, timeZone: string, language: "auto" | "en" | "de",
 *   token: string, meters: MeterChoice[], hasMqtt: boolean, isBrokerBeside: boolean, mqttHost: string,
 *   mqttPort: string, isMqttEncrypted: boolean, mqttUser: string, mqttPassword: string,
 *   database: typeof DATABASES[number], influxUrl: string, influxDatabase: string, influxUser: string,
 *   influxPassword: string, influxOrg: string, influxBucket: string, influxToken: string, hasContract: boolean,
 *   contract: ContractFields, channel: typeof CHANNELS[number], notifyUrl: string, notifyToken: string,
 *   notifyUser: string, notifyPassword: string, notifySender: string, notifyRecipients: string, loadAboveW: string,
 *   homeAssistant: typeof WAYS[number]}} Choices
 */

/** @returns {MeterChoice} */
export const emptyMeter = () => ({
  head: "auto", port: "", host: "", tcpPort: "", user: "", password: "", node: "1", topic: "", name: "", key: "",
  authKey: "",
});

/** @param {string} timeZone @param {"auto" | "en" | "de"} language @param {string} begins @returns {Choices} */
export const firstChoices = (timeZone, language, begins) => ({
  install: "docker", hostPort: "18080", timeZone, language, token: "", meters: [emptyMeter()], hasMqtt: false,
  isBrokerBeside: false, mqttHost: "", mqttPort: "1883", isMqttEncrypted: false, mqttUser: "", mqttPassword: "",
  database: "none", influxUrl: "", influxDatabase: "iskra", influxUser: "", influxPassword: "", influxOrg: "",
  influxBucket: "",
  influxToken: "", hasContract: false, contract: emptyContract(begins), channel: "none", notifyUrl: "",
  notifyToken: "", notifyUser: "", notifyPassword: "", notifySender: "", notifyRecipients: "", loadAboveW: "",
  homeAssistant: "none",
});

export const hasSerialPort = (/** @type {Choices} */ { meters }) => meters.some(({ head }) => SERIAL.includes(head));
export const isInflux2 = (/** @type {Choices} */ { database }) => database === "influx2" || database === "influx3";

/** User and password of an address. @param {string} user @param {string} password */
function account(user, password) {
  const encoded = [user, password].filter(Boolean).map((text) => encodeURIComponent(text.trim()));
  return encoded.length ? `${encoded.join(":")}@` : "";
}

/** A name or number as part of an address; IPv6 in brackets. @param {string} typed */
function place(typed) {
  const host = typed.trim();
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}

/** The address of a meter. @param {MeterChoice} meter */
export function meterUrl({ head, port, host, tcpPort, user, password, node, topic }) {
  const to = tcpPort.trim() ? `${place(host)}:${tcpPort.trim()}` : place(host);
  switch (head) {
    case "port": return port.trim();
    case "uart": return "/dev/serial0";
    case "tcp": return `tcp://${to}`;
    case "tibber": return `http://${account("admin", password)}${place(host)}/data.json?node_id=${node.trim()}`;
    case "mqtt": return `mqtt://${account(user, password)}${to}/${topic.trim()}`;
    case "simulator": return "simulator:MT631-two-way";
    default: return "auto";
  }
}

/** Whether docker-compose.yml starts the broker, too. @param {Choices} choices */
export const startsBroker = ({ install, hasMqtt, isBrokerBeside }) => install === "docker" && hasMqtt && isBrokerBeside;

/** The address of the broker, without its password. @param {Choices} choices */
function brokerUrl(choices) {
  // user and service as in docker-compose.yml
  if (startsBroker(choices)) return "mqtt://iskra@mqtt:1883";
  const { isMqttEncrypted, mqttUser, mqttHost, mqttPort } = choices;
  return `mqtt${isMqttEncrypted ? "s" : ""}://${account(mqttUser, "")}${place(mqttHost)}:${mqttPort.trim()}`;
}

/**
 * A section of the configuration and those of its keys that were chosen.
 * @typedef {{name: string, isList: boolean, keys: [string, string][]}} Section
 */

/** What was chosen, by section; contracts are written by contractToml. @param {Choices} choices @returns {Section[]} */
export function sections(choices) {
  const filled = (/** @type {[string, string][]} */ ...keys) => keys.filter(([, value]) => value.trim() !== "");
  const isAlone = choices.meters.length === 1;
  const meters = choices.meters.map((meter) => ({
    name: "meters", isList: true, keys: filled(
      ["name", meter.name], ["url", isAlone && meter.head === "auto" ? "" : meterUrl(meter)],
      ["key", compact(meter.key)], ["auth_key", compact(meter.authKey)]),
  }));
  /** @type {Section[]} */
  const all = [
    // the app has the time zone of Home Assistant, a container the one of its compose file
    { name: "server", isList: false, keys: filled(
      ["time_zone", choices.install === "debian" ? choices.timeZone : ""],
      ["language", choices.language === "auto" ? "" : choices.language], ["token", choices.token]) },
    ...meters,
    { name: "outputs.mqtt", isList: false, keys: choices.hasMqtt ? filled(
      ["url", brokerUrl(choices)], ["password", choices.mqttPassword],
      ["language", choices.language === "de" ? "de" : ""],
      // the other ways make the same entities: two of a meter would count twice
      ["discovery", ["integration", "rest"].includes(choices.homeAssistant) ? "off" : ""])
      : choices.install === "app" && choices.homeAssistant === "integration" ? [["use_home_assistant", "false"]] : [] },
    { name: "outputs.influx", isList: false, keys: influxKeys(choices).filter(([, value]) => value.trim() !== "") },
    { name: "notify", isList: true, keys: choices.channel === "none" ? [] : filled(
      ["kind", choices.channel], ["url", choices.notifyUrl], ...channelKeys(choices),
      ["language", choices.language === "de" ? "de" : ""]) },
    { name: "alerts", isList: false, keys: choices.channel === "none" ? [] : filled(
      ["load_above_w", choices.loadAboveW]) },
  ];
  return all.filter(({ keys }) => keys.length);
}

/** @param {Choices} choices @returns {[string, string][]} */
function influxKeys(choices) {
  const { influxUrl, influxDatabase, influxUser, influxPassword, influxOrg, influxBucket, influxToken } = choices;
  /** @type {[string, string][]} */
  const login = [["user", influxUser], ["password", influxPassword]];
  switch (choices.database) {
    case "none": return [];
    case "influx1": return [["url", influxUrl], ["database", influxDatabase], ...login];
    case "influx2": return [["url", influxUrl], ["org", influxOrg], ["bucket", influxBucket], ["token", influxToken]];
    case "influx3": return [["url", influxUrl], ["bucket", influxBucket], ["token", influxToken]];
    case "questdb": return [["url", influxUrl], ...login];
    default: return [["url", influxUrl]];
  }
}

/** @param {Choices} choices @returns {[string, string][]} */
function channelKeys({ channel, notifyToken, notifyUser, notifyPassword, notifySender, notifyRecipients }) {
  return channel === "email"
    ? [["user", notifyUser], ["password", notifyPassword], ["sender", notifySender], ["recipients", notifyRecipients]]
    : [["token", notifyToken]];
}

/** A key as letters of grid operators print it, in groups. @param {string} typed */
export const compact = (typed) => typed.replace(/[\s:-]/g, "");

/** The sections as TOML. @param {Section[]} list */
export const sectionsToml = (list) => list.map(({ name, isList, keys }) =>
  [isList ? `[[${name}]]` : `[${name}]`, ...keys.map(([key, value]) => `${key} = ${toml(`${name}.${key}`, value)}`)]
    .map((line) => `${line}\n`).join("")).join("\n");

/** A value as TOML: a number without quotes where the key is one. @param {string} path @param {string} value */
function toml(path, value) {
  const { kind } = KEYS[path];
  return kind === "text" || kind === "choice" ? string(value.trim()) : value.trim().replace(",", ".");
}

/** The whole file; empty where the defaults do. @param {Choices} choices @param {Section[]} list */
export const fileToml = (choices, list = sections(choices)) =>
  [sectionsToml(list), choices.hasContract ? contractToml(choices.contract) : ""].filter(Boolean).join("\n");
