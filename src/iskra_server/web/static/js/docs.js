// The API page: the OpenAPI description with an example command and a button that shows the live answer.

import { make } from "./dom.js";
import { serverAddress } from "./page.js";
import { addressOf, contentText, curl, indented, typeText } from "./openapi.js";

/** @typedef {import("./openapi.js").Description} Description */
/** @typedef {import("./openapi.js").Operation} Operation */
/** @typedef {import("./openapi.js").Schema} Schema */

const HERE = new URL("./", location.href).href;
// in the commands
const SERVER = `${serverAddress}/`;
const SHOWN_EVENTS = 3;

/** Text with code between backticks. */
const prose = (/** @type {string} */ text) => text.split("`").map((part, at) => (at % 2 ? make("code", part) : part));

/** @param {Content<HTMLElement>} name @param {Content<HTMLElement>} content */
const row = (name, content) => make("tr", make("th", { scope: "row" }, name), make("td", content));
const table = (/** @type {Node[]} */ rows) => (rows.length ? make("table", make("tbody", rows)) : "");

/** @param {string} path @param {Operation} operation */
function operationCard(path, { summary, parameters, responses }) {
  const streams = Boolean(responses[200].content["text/event-stream"]);
  const inputs = parameters.filter(({ in: place }) => place !== "header").map(({ name, description }) =>
    make("input", { name, placeholder: `${name}: ${description}`, "aria-label": name, autocomplete: "off" }));
  const example = make("pre");
  const answer = make("pre", { hidden: true, "aria-live": "polite" });
  const address = (/** @type {string} */ base) =>
    addressOf(base, path, parameters, Object.fromEntries(inputs.map((input) => [input.name, input.value.trim()])));
  const refresh = () => { example.textContent = curl(address(SERVER), streams); };
  const onsubmit = (/** @type {Event} */ event) => {
    event.preventDefault();
    answer.hidden = false;
    (streams ? showEvents : showAnswer)(address(HERE), answer);
  };
  refresh();
  return make("section.card.operation",
    make("h2.path", make("span.unit", "GET "), path),
    make("p", prose(summary)),
    table(parameters.map(({ name, in: place, description }) =>
      row(make("code", name), [`${place}: `, ...prose(description)]))),
    table(Object.entries(responses).map(([status, response]) =>
      row(status, [...prose(response.description), ` · ${contentText(response)}`]))),
    example,
    make("form", { oninput: refresh, onsubmit }, inputs,
      make("button", streams ? `Try: ${SHOWN_EVENTS} events` : "Try")),
    answer);
}

/** @param {URL} url @param {HTMLElement} answer */
async function showAnswer(url, answer) {
  try {
    const response = await fetch(url);
    answer.textContent = `${response.status}\n${indented(await response.text())}`;
  } catch {
    answer.textContent = "The server cannot be reached.";
  }
}

/** @param {URL} url @param {HTMLElement} answer */
function showEvents(url, answer) {
  const stream = new EventSource(url);
  let left = SHOWN_EVENTS;
  answer.textContent = "";
  const show = (/** @type {MessageEvent} */ { type, lastEventId: id, data }) => {
    answer.textContent += `event: ${type}\n${id && `id: ${id}\n`}data: ${indented(data)}\n\n`;
    if (--left === 0) stream.close();
  };
  stream.addEventListener("reading", show);
  stream.addEventListener("status", show);
}

/** @param {string} name @param {Schema} schema */
function typeCard(name, schema) {
  const required = new Set(schema.required);
  const rows = Object.entries(schema.properties ?? {}).map(([field, type]) =>
    row(make("code", field), typeText(type) + (required.has(field) || "default" in type ? "" : " (may be absent)")));
  return make("details", make("summary", name),
    schema.description ? make("p.soft", prose(schema.description)) : "", table(rows));
}

/** @type {Description} */
const { info, paths, components } = await (await fetch("api/openapi.json")).json();
/** @param {string} id @param {Node[]} nodes */
const append = (id, nodes) => document.getElementById(id)?.append(...nodes);
append("version", [new Text(`version ${info.version}`)]);
append("operations", Object.entries(paths).map(([path, { get }]) => operationCard(path, get)));
append("types", Object.entries(components.schemas).map(([name, schema]) => typeCard(name, schema)));
