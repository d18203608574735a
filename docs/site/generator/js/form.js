// The fields of the page; which ones are shown depends on the answers.

import { emptyMeter, isInflux2, startsBroker } from "./choices.js";
import { checkBox, contractSections, fieldset, make, selectField, textField } from "./product.js";

/** @typedef {import("./choices.js").Choices} Choices */
/** @typedef {import("./choices.js").MeterChoice} MeterChoice */
/** @typedef {typeof import("./words/en.js").words} Words */

const TOKEN_BYTES = 16;
// the app needs no port of the host, and no YAML in Home Assistant
const WAYS_OF_APP = ["none", "integration", "mqtt"];

/**
 * @param {Choices} choices
 * @param {Words} words
 * @param {() => void} change called after a value has changed
 * @param {() => void} redraw called after an answer that other fields depend on
 */
export function formSections(choices, words, change, redraw) {
  const isApp = choices.install === "app";
  const fields = fieldMaker(choices, "", words, change, redraw);
  const ways = Object.entries(words.options.homeAssistant).filter(([way]) => !isApp || WAYS_OF_APP.includes(way));
  return [
    fieldset(words.groups.install, fields.choice("install"),
      choices.install === "docker" && fields.text("hostPort"), !isApp && fields.text("timeZone"),
      fields.choice("language"), fields.text("token"),
      make("button", { type: "button", onclick: () => { choices.token = randomToken(); redraw(); } }, words.makeToken)),
    ...choices.meters.map((meter, index) => meterFields(choices, meter, index, words, change, redraw)),
    make("button", { type: "button", name: "addMeter",
      onclick: () => { choices.meters.push({ ...emptyMeter(), head: "port" }); redraw(); } }, words.addMeter),
    fieldset(words.groups.homeAssistant, fields.choice("homeAssistant", ways)),
    fieldset(words.groups.mqtt, fields.check("hasMqtt"), ...mqttFields(choices, fields)),
    fieldset(words.groups.database, fields.choice("database"), ...databaseFields(choices, fields)),
    fieldset(words.groups.contract, fields.check("hasContract")),
    ...(choices.hasContract ? contractSections(choices.contract, [], change, redraw) : []),
    fieldset(words.groups.notify, fields.choice("channel"), ...channelFields(choices, fields)),
  ];
}

/**
 * Makes fields with a help text below each. A field of a meter is named meters.0.host.
 * @template {Record<string, unknown>} T
 * @param {T} values
 * @param {string} prefix
 * @param {Words} words
 * @param {() => void} change
 * @param {() => void} redraw
 */
function fieldMaker(values, prefix, words, change, redraw) {
  const texts = /** @type {Record<string, string[]>} */ (words.fields);
  const named = (/** @type {string} */ name, /** @type {string} */ title, /** @type {HTMLElement} */ field) =>
    withHelp(field, `${prefix}${name}`, texts[title][1]);
  const options = /** @type {Record<string, Record<string, string>>} */ (words.options);
  return {
    // also passwords are shown as typed: what goes into a file must be right
    /** @param {keyof T & string} name */
    text: (name, /** @type {string} */ title = name) =>
      named(name, title, textField({ fields: values, change }, name, texts[title][0], `${prefix}${name}`)),
    /** @param {keyof T & string} name @param {[string, string][]} entries */
    choice: (name, entries = Object.entries(options[name])) =>
      named(name, name,
        selectField({ fields: values, change: redraw }, name, texts[name][0], `${prefix}${name}`, entries)),
    /** @param {keyof T & string} name */
    check: (name) => {
      const box = checkBox({ fields: values, change: redraw }, name, texts[name][0]);
      const note = make("p.finding", { hidden: true });
      return named(name, name, make("div.field", { "data-key": `${prefix}${name}` }, box, note));
    },
  };
}

/** @param {HTMLElement} field @param {string} name @param {string} help */
function withHelp(field, name, help) {
  const id = `help-${name}`;
  field.querySelector("input, select")?.setAttribute("aria-describedby", `${id} finding-${name}`);
  field.querySelector("p.finding")?.setAttribute("id", `finding-${name}`);
  field.querySelector("label")?.after(make("p.soft", { id }, help));
  return field;
}

/**
 * @param {Choices} choices
 * @param {MeterChoice} meter
 * @param {number} index
 * @param {Words} words
 * @param {() => void} change
 * @param {() => void} redraw
 */
function meterFields(choices, meter, index, words, change, redraw) {
  const fields = fieldMaker(meter, `meters.${index}.`, words, change, redraw);
  const remove = () => { choices.meters.splice(index, 1); redraw(); };
  return fieldset(words.groups.meter(index + 1), fields.choice("head"), ...headFields(meter, fields),
    fields.text("name"), fields.text("key"), fields.text("authKey"),
    choices.meters.length > 1 && make("button.quiet", { type: "button", onclick: remove }, words.removeMeter));
}

/** @param {MeterChoice} meter @param {ReturnType<typeof fieldMaker<MeterChoice>>} fields */
function headFields({ head }, fields) {
  switch (head) {
    case "port": return [fields.text("port")];
    case "tcp": return [fields.text("host"), fields.text("tcpPort")];
    case "tibber": return [fields.text("host"), fields.text("password", "bridgePassword"), fields.text("node")];
    case "mqtt": return [fields.text("host", "brokerHost"), fields.text("tcpPort", "brokerPort"), fields.text("topic"),
      fields.text("user"), fields.text("password")];
    default: return [];
  }
}

/** @param {Choices} choices @param {ReturnType<typeof fieldMaker<Choices>>} fields */
function mqttFields(choices, fields) {
  if (!choices.hasMqtt) return [];
  const beside = choices.install === "docker" && fields.check("isBrokerBeside");
  if (startsBroker(choices)) return [beside, fields.text("mqttPassword", "brokerPassword")];
  return [beside, fields.text("mqttHost"), fields.text("mqttPort"), fields.check("isMqttEncrypted"),
    fields.text("mqttUser"), fields.text("mqttPassword")];
}

/** @param {Choices} choices @param {ReturnType<typeof fieldMaker<Choices>>} fields */
function databaseFields(choices, fields) {
  const { database } = choices;
  if (database === "none") return [];
  const login = [fields.text("influxUser"), fields.text("influxPassword")];
  return [fields.text("influxUrl"), ...(database === "influx1" ? [fields.text("influxDatabase"), ...login] : []),
    ...(database === "questdb" ? login : []), database === "influx2" && fields.text("influxOrg"),
    ...(isInflux2(choices) ? [fields.text("influxBucket"), fields.text("influxToken")] : [])];
}

/** @param {Choices} choices @param {ReturnType<typeof fieldMaker<Choices>>} fields */
function channelFields({ channel }, fields) {
  if (channel === "none") return [];
  const address = channel === "email"
    ? [fields.text("notifyUrl", "mailUrl"), fields.text("notifyUser"), fields.text("notifyPassword"),
      fields.text("notifySender"), fields.text("notifyRecipients")]
    : [fields.text("notifyUrl"), fields.text("notifyToken")];
  return [...address, fields.text("loadAboveW")];
}

/** 32 hex digits, from the random numbers of the browser. */
const randomToken = () => [...crypto.getRandomValues(new Uint8Array(TOKEN_BYTES))]
  .map((byte) => byte.toString(16).padStart(2, "0")).join("");
