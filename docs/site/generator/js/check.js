// What is wrong with the choices: the field, and a sentence from the words of the page.

import { compact, isInflux2, meterUrl, startsBroker } from "./choices.js";
import { hasParts, isNumber, isPriced } from "./product.js";
import { KEYS } from "./reference.js";

/** @typedef {import("./choices.js").Choices} Choices */
/** @typedef {import("./choices.js").MeterChoice} MeterChoice */
/**
 * What the value of a key must be.
 * @typedef {{kind: "text" | "whole" | "number" | "flag" | "date" | "choice", filled?: boolean, min?: number,
 *   above?: number, max?: number, choices?: string[]}} Limits
 */
/** @typedef {{field: string, problem: string, detail: string}} Finding the name of a sentence, and what it mentions */

const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\.?|\[?[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*\]?)$/;
const TIME = /^(?:[01]?[0-9]|2[0-3]):(?:00|15|30|45)$|^24:00$/;
const MONTHS = /^(?:[1-9]|1[0-2])(?:-(?:[1-9]|1[0-2]))?$/;
const DAYS = /^(?:mon|tue|wed|thu|fri|sat|sun)(?:-(?:mon|tue|wed|thu|fri|sat|sun))?$/i;
const MAIL = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/;
const TOKEN_LENGTH = 16;

/** @param {Choices} choices @returns {Finding[]} */
export function findings(choices) {
  return [
    ...serverFindings(choices), ...choices.meters.flatMap((meter, index) => meterFindings(meter, `meters.${index}`)),
    ...sharedHeads(choices), ...mqttFindings(choices), ...databaseFindings(choices),
    ...(choices.hasContract ? contractFindings(choices.contract) : []), ...notifyFindings(choices),
  ];
}

/** @param {string} field @param {string} problem @returns {Finding} */
const finding = (field, problem, detail = "") => ({ field, problem, detail });
/** @param {boolean} isWrong @param {string} field @param {string} problem */
const when = (isWrong, field, problem, detail = "") => (isWrong ? [finding(field, problem, detail)] : []);
const isEmpty = (/** @type {string} */ typed) => typed.trim() === "";
/** @param {string} field @param {string} typed @param {boolean} isRight @param {string} problem of one that is not */
const required = (field, typed, isRight, problem) =>
  (isEmpty(typed) ? [finding(field, "missing")] : when(!isRight, field, problem));

/** A number within the limits of a key; an empty one counts as not set. @param {string} field @param {string} path */
function numberFindings(field, path, /** @type {string} */ typed) {
  const { kind, min = -Infinity, above = -Infinity, max = Infinity } = KEYS[path];
  if (isEmpty(typed)) return [];
  const text = typed.trim().replace(",", ".").replace(/^\+/, "");
  if (!isNumber(text)) return [finding(field, "number")];
  if (kind === "whole" && text.includes(".")) return [finding(field, "whole")];
  const value = Number(text);
  if (value < min || value <= above || value > max) {
    return [finding(field, "range", `${Math.max(min, above)} … ${max}`)];
  }
  return [];
}

/** @param {string} field @param {string} typed */
function hostFindings(field, typed) {
  return required(field, typed, HOST.test(typed.trim()), "host");
}

/** @param {string} field @param {string} typed */
function portFindings(field, typed) {
  if (isEmpty(typed)) return [finding(field, "missing")];
  return numberFindings(field, "server.port", typed);
}

/** @param {string} typed @param {string[]} schemes */
function isUrl(typed, schemes) {
  try {
    const { protocol, hostname } = new URL(typed.trim());
    return schemes.includes(protocol) && HOST.test(hostname) && !/\s/.test(typed.trim());
  } catch {
    return false;
  }
}

/** @param {Choices} choices */
function serverFindings({ install, hostPort, timeZone, token }) {
  return [
    ...(install === "docker" ? portFindings("hostPort", hostPort) : []),
    ...(install === "app" ? [] : required("timeZone", timeZone, isZone(timeZone), "zone")),
    ...when(!isEmpty(token) && token.trim().length < TOKEN_LENGTH, "token", "token"),
    ...when(/[^\x21-\x7e]/.test(token.trim()), "token", "ascii"),
  ];
}

/** @param {string} typed */
function isZone(typed) {
  // offsets such as +01:00 are time zones to browsers only
  if (!/^[A-Za-z]/.test(typed.trim())) return false;
  try { return Boolean(new Intl.DateTimeFormat("en", { timeZone: typed.trim() })); } catch { return false; }
}

/** @param {MeterChoice} meter @param {string} at */
function meterFindings(meter, at) {
  const { head, port, host, tcpPort, password, node, topic, user, key, authKey } = meter;
  const isKey = (/** @type {string} */ typed) => isEmpty(typed) || /^[0-9a-f]{32}$/i.test(compact(typed));
  return [
    ...(head === "port" ? required(`${at}.port`, port, /^\/dev\/[!-~]+$/.test(port.trim()), "port") : []),
    ...(["tcp", "tibber", "mqtt"].includes(head) ? hostFindings(`${at}.host`, host) : []),
    ...(head === "tcp" ? portFindings(`${at}.tcpPort`, tcpPort) : []),
    ...(head === "mqtt" && !isEmpty(tcpPort) ? portFindings(`${at}.tcpPort`, tcpPort) : []),
    ...(head === "tibber" ? [...when(isEmpty(password), `${at}.password`, "missing"),
      ...when(!/^\d{1,3}$/.test(node.trim()), `${at}.node`, "whole")] : []),
    ...(head === "mqtt" ? [...required(`${at}.topic`, topic, /^[^\s+#?/][^\s+#?]*$/.test(topic.trim()), "topic"),
      ...when(isEmpty(user) && !isEmpty(password), `${at}.user`, "missing")] : []),
    ...when(!isKey(key), `${at}.key`, "key"), ...when(!isKey(authKey), `${at}.authKey`, "key"),
    ...when(isEmpty(key) && !isEmpty(authKey), `${at}.key`, "missing"),
  ];
}

/** Two meters at one head, and a search beside named ports. @param {Choices} choices */
function sharedHeads({ meters }) {
  const urls = meters.map(meterUrl);
  return meters.flatMap(({ head }, index) => {
    const first = urls.indexOf(urls[index]);
    if (first === index) return [];
    return [finding(`meters.${index}.head`, head === "auto" ? "secondAuto" : "sameHead", String(first + 1))];
  });
}

/** @param {Choices} choices */
function mqttFindings(choices) {
  const { hasMqtt, mqttHost, mqttPort, mqttUser, mqttPassword, homeAssistant, install } = choices;
  if (startsBroker(choices)) {
    return required("mqttPassword", mqttPassword, /^[A-Za-z0-9._-]{8,}$/.test(mqttPassword.trim()), "brokerPassword");
  }
  if (!hasMqtt) return when(homeAssistant === "mqtt" && install !== "app", "hasMqtt", "needsMqtt");
  return [
    ...hostFindings("mqttHost", mqttHost), ...portFindings("mqttPort", mqttPort),
    ...when(isEmpty(mqttUser) && !isEmpty(mqttPassword), "mqttUser", "missing"),
  ];
}

/** @param {Choices} choices */
function databaseFindings(choices) {
  const { database, influxUrl, influxDatabase, influxOrg, influxBucket, influxToken, influxUser } = choices;
  if (database === "none") return [];
  const hasLogin = database === "influx1" || database === "questdb";
  return [
    ...required("influxUrl", influxUrl, isUrl(influxUrl, ["http:", "https:"]), "httpUrl"),
    ...(database === "influx1" ? when(isEmpty(influxDatabase), "influxDatabase", "missing") : []),
    ...(hasLogin ? when(isEmpty(influxUser) && !isEmpty(choices.influxPassword), "influxUser", "missing") : []),
    ...(database === "influx2" ? when(isEmpty(influxOrg), "influxOrg", "missing") : []),
    ...(isInflux2(choices) ? [...when(isEmpty(influxBucket), "influxBucket", "missing"),
      ...when(isEmpty(influxToken), "influxToken", "missing")] : []),
  ];
}

/** @param {Choices} choices */
function notifyFindings({ channel, notifyUrl, notifyToken, notifyUser, notifyPassword, notifySender, notifyRecipients,
  loadAboveW }) {
  if (channel === "none") return [];
  const load = numberFindings("loadAboveW", "alerts.load_above_w", loadAboveW);
  if (channel !== "email") {
    const isAddress = isUrl(notifyUrl, ["http:", "https:"]);
    const hasTopic = isAddress && /^\/[^/]+$/.test(new URL(notifyUrl).pathname);
    return [...required("notifyUrl", notifyUrl, isAddress, "httpUrl"),
      ...when(channel === "ntfy" && isAddress && !hasTopic, "notifyUrl", "ntfyTopic"),
      ...(channel === "gotify" ? when(isEmpty(notifyToken), "notifyToken", "missing") : []), ...load];
  }
  const sender = notifySender.trim() || notifyUser.trim();
  const recipients = notifyRecipients.split(",").map((one) => one.trim());
  return [
    ...required("notifyUrl", notifyUrl, isUrl(notifyUrl, ["smtp:", "smtps:"]), "mailUrl"),
    ...when(isEmpty(notifyUser) && !isEmpty(notifyPassword), "notifyUser", "missing"),
    ...required("notifySender", sender, MAIL.test(sender), "mail"),
    ...required("notifyRecipients", notifyRecipients, recipients.every((one) => MAIL.test(one)), "mail"), ...load,
  ];
}

/**
 * Fields are named as by the form of the page: the keys below contracts.
 * @param {import("./choices.js").ContractFields} fields
 */
export function contractFindings(fields) {
  const price = "contracts.energy.price";
  const { kind } = fields;
  const priceField = priceFieldOf(fields);
  const numbers = /** @type {[string, string, string][]} */ ([
    ...(kind === "spot" ? [["energy.fixed", price, fields.markup],
      ["energy.percent", "contracts.energy.percent", fields.percent]] : [[priceField, price, fields.price]]),
    ...(kind === "registers" ? [["energy.prices.1.8.2", price, fields.low]] : []),
    ...(hasParts(fields) ? partNumbers(fields) : []),
    ["base_fee", "contracts.base_fee", fields.baseFee], ["grid_fee", "contracts.grid_fee", fields.gridFee],
    ["metering_fee", "contracts.metering_fee", fields.meteringFee],
    ["instalment", "contracts.instalment", fields.instalment],
    ...feedInNumber(fields),
  ]);
  return [
    ...when(!/^\d{4}-\d\d-\d\d$/.test(fields.begins), "begins", "missing"),
    ...when(!isPriced(fields) && isEmpty(fields.price) && kind !== "spot", priceField, "missing"),
    ...when(kind === "registers" && isEmpty(fields.low), "energy.prices.1.8.2", "missing"),
    ...numbers.flatMap(([field, path, typed]) => numberFindings(field, path, typed)),
    ...allWindows(fields).flatMap(([windows, key]) => windowFindings(windows, key)),
  ];
}

/** @param {import("./choices.js").ContractFields} fields */
function priceFieldOf({ kind, isByParts }) {
  if (kind === "fixed") return isByParts ? "energy.price" : "energy_price";
  return kind === "registers" ? "energy.prices.1.8.1" : "energy.default";
}

/**
 * Grid fee, levies and tax.
 * @param {import("./choices.js").ContractFields} fields
 * @returns {[string, string, string][]}
 */
function partNumbers({ module, grid, vat, levies, credit }) {
  const price = "contracts.grid.price";
  return [
    [module === "3" ? "grid.default" : "grid.price", price, grid], ["vat_percent", "contracts.vat_percent", vat],
    ...levies.map(([name, typed]) => triple(`levies.${name}`, price, typed)),
    ...(module === "0" ? [] : [triple("grid.credit", "contracts.grid.credit", credit)]),
  ];
}

/**
 * The lists of windows that the contract has, and the key of each.
 * @param {import("./choices.js").ContractFields} fields
 * @returns {[import("./choices.js").ContractFields["windows"], string][]}
 */
const allWindows = (fields) => [
  ...(["windows", "daynight"].includes(fields.kind) ? [pair(fields.windows, "energy.windows")] : []),
  ...(hasParts(fields) && fields.module === "3" ? [pair(fields.gridWindows, "grid.windows")] : []),
];

/** @param {string} field @param {string} path @param {string} typed @returns {[string, string, string]} */
const triple = (field, path, typed) => [field, path, typed];
/** @template A, B @param {A} first @param {B} second @returns {[A, B]} */
const pair = (first, second) => [first, second];

/** @param {import("./choices.js").ContractFields} fields @returns {[string, string, string][]} */
function feedInNumber({ feedInKind, isUnpaidWhenNegative, feedIn }) {
  if (feedInKind === "none") return [];
  if (feedInKind === "spot") return [["feed_in.fixed", "contracts.feed_in.fixed", feedIn]];
  return isUnpaidWhenNegative ? [["feed_in.price", "contracts.feed_in.price", feedIn]]
    : [["feed_in", "contracts.feed_in", feedIn]];
}

/** @param {import("./choices.js").ContractFields["windows"]} windows @param {string} key */
function windowFindings(windows, key) {
  const isList = (/** @type {string} */ typed, /** @type {RegExp} */ form) =>
    typed.split(",").every((part) => form.test(part.trim()));
  return windows.flatMap(({ price, from, to, days, months }, index) => {
    const at = `${key}.${index + 1}`;
    return [
      ...when(isEmpty(price), `${at}.price`, "missing"),
      ...numberFindings(`${at}.price`, "contracts.energy.windows.price", price),
      ...when(!TIME.test(from) || from === "24:00", `${at}.from`, "time"), ...when(!TIME.test(to), `${at}.to`, "time"),
      ...when(TIME.test(from) && from === to, `${at}.to`, "wholeDay"),
      ...when(!isList(days, DAYS), `${at}.days`, "days"), ...when(!isList(months, MONTHS), `${at}.months`, "months"),
    ];
  });
}

