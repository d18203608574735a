// The files that follow from the choices, and what to type where.

import { fileToml, hasSerialPort, sections, sectionsToml, startsBroker } from "./choices.js";
import { contractToml } from "./product.js";
import { APP_OPTIONS, COMPOSE, CONTRACT_OPTIONS, KEYS } from "./reference.js";
import { yaml } from "./yaml.js";

/** @typedef {import("./choices.js").Choices} Choices */
/** @typedef {{name: string, text: string, isFile: boolean}} Output a file, or what is typed into a form */

const SERVER = "iskra-server";
const BROKER = "mqtt";
const IN_CONTAINER = "/etc/iskra-server/iskra-server.toml";
const FILE = "iskra-server.toml";

/** @param {Choices} choices @returns {Output[]} */
export function outputs(choices) {
  if (choices.install === "app") return appOutputs(choices);
  const text = fileToml(choices);
  const toml = text ? [{ name: FILE, text, isFile: true }] : [];
  return choices.install === "docker"
    ? [{ name: "docker-compose.yml", text: composeFile(choices, Boolean(text)), isFile: true }, ...toml] : toml;
}

/**
 * docker-compose.yml for these choices: no ports of the host where no meter needs one.
 * @param {Choices} choices
 * @param {boolean} hasFile whether there is a configuration beside it
 */
export function composeFile(choices, hasFile) {
  const service = structuredClone(COMPOSE.services[SERVER]);
  // nobody who grabs this file has the source beside it
  delete service.build;
  service.ports = [service.ports[0].replace(/^.*:/, `${choices.hostPort.trim()}:`)];
  // what is chosen here stands in the file beside it, not in variables
  delete service.env_file;
  service.environment = { TZ: choices.timeZone.trim(), ...(hasFile ? { IES_CONFIG: IN_CONTAINER } : {}) };
  if (!hasSerialPort(choices)) {
    delete service.device_cgroup_rules;
    delete service.group_add;
    service.volumes = service.volumes.filter((/** @type {string} */ volume) => !volume.startsWith("/dev:"));
  }
  if (hasFile) service.volumes.push(`./${FILE}:${IN_CONTAINER}:ro`);
  const broker = startsBroker(choices) ? { [BROKER]: brokerService(choices.mqttPassword.trim()) } : {};
  const volumes = { data: {}, ...(startsBroker(choices) ? { [BROKER]: {} } : {}) };
  return yaml({ name: COMPOSE.name, services: { [SERVER]: service, ...broker }, volumes });
}

/** The broker, which an unchanged docker-compose.yml starts only when it is asked to. @param {string} password */
function brokerService(password) {
  const service = structuredClone(COMPOSE.services[BROKER]);
  delete service.profiles;
  service.environment = { IES_MQTT_PASSWORD: password };
  return service;
}

/** The options of the app as its editor takes them, and a file for what has no option. @param {Choices} choices */
function appOutputs(choices) {
  const all = sections(choices);
  const sources = all.filter(({ name }) => name === "meters").map(({ keys }) => typed("meters", keys));
  const others = all.filter(({ name }) => name !== "meters");
  /** @type {Record<string, unknown>} */
  const options = { sources };
  for (const { name, keys } of others) {
    const short = keys.filter(([key]) => `${name}.${key}` in APP_OPTIONS);
    for (const [key, value] of short) options[APP_OPTIONS[`${name}.${key}`]] = typed(name, [[key, value]])[key];
  }
  const rest = others.map((section) => ({
    ...section, keys: section.keys.filter(([key]) => !(`${section.name}.${key}` in APP_OPTIONS)),
  })).filter(({ keys }) => keys.length);
  const contract = choices.hasContract ? contractToml(choices.contract) : "";
  const entry = contract.includes("[contracts.") ? null : simpleContract(contract);
  const simple = entry !== null && Object.keys(entry).every((key) => CONTRACT_OPTIONS.includes(key));
  options.contracts = simple && contract ? [entry] : [];
  const file = [sectionsToml(rest), simple ? "" : contract].filter(Boolean).join("\n");
  return [
    { name: "options", text: yaml(options), isFile: false },
    ...(file ? [{ name: FILE, text: file, isFile: true }] : []),
  ];
}

/** The keys of a section with their types. @param {string} section @param {[string, string][]} keys */
function typed(section, keys) {
  return Object.fromEntries(keys.map(([key, value]) => {
    const { kind } = KEYS[`${section}.${key}`];
    const text = value.trim();
    if (kind === "flag") return [key, text === "true"];
    return [key, kind === "whole" || kind === "number" ? Number(text.replace(",", ".")) : text];
  }));
}

/** A contract without tables, as an entry of the option of that name. @param {string} toml */
function simpleContract(toml) {
  return Object.fromEntries(toml.split("\n").slice(1).filter(Boolean).map((line) => {
    const [, key, value] = /** @type {RegExpMatchArray} */ (line.match(/^(\w+) = (.*)$/));
    return [key, /^["\d-]/.test(value) && !/^\d{4}-/.test(value) ? JSON.parse(value) : value];
  }));
}
