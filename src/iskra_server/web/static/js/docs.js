// The API page: the server's own description, with an example to copy and a button that shows the live answer.

const HERE = new URL("./", location.href);
const SHOWN_EVENTS = 3;

function make(tag, content = [], attributes = {}) {
  const node = document.createElement(tag);
  node.append(...[content].flat());
  for (const [name, text] of Object.entries(attributes)) node.setAttribute(name, text);
  return node;
}

/** Text in which `words` between backticks are code. */
const prose = (text) => text.split("`").map((part, at) => (at % 2 ? make("code", part) : part));

const typeName = (schema) => schema.$ref?.split("/").pop();

/** A schema in a word or two: "string", "[Meter]", "number or null". */
function typeText(schema) {
  if (schema.$ref) return typeName(schema);
  if (schema.anyOf) return schema.anyOf.map(typeText).join(" or ");
  if (schema.enum) return schema.enum.map((choice) => JSON.stringify(choice)).join(" or ");
  if (schema.type === "array") return `[${schema.items ? typeText(schema.items) : "…"}]`;
  return [schema.format ?? schema.type ?? "any"].flat().join(" or ");
}

const row = (...cells) => make("tr", cells.map((cell, column) =>
  column ? make("td", cell) : make("th", cell, { scope: "row" })));

/** The address of an operation with what was filled in. */
function address(path, parameters, filled) {
  const url = new URL(path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(filled[name] || `{${name}}`)).slice(1), HERE);
  for (const { name, in: place } of parameters) if (place === "query" && filled[name]) url.searchParams.set(name, filled[name]);
  return url;
}

const curl = (url, streams) => `curl ${streams ? "-N " : ""}'${decodeURI(url.href)}'`.replaceAll(" ", (space, at) => (at < 8 ? space : "%20"));

function operation(path, { summary, parameters, responses }) {
  const streams = Boolean(responses[200].content["text/event-stream"]);
  const inputs = parameters.filter(({ in: place }) => place !== "header").map(({ name, description }) =>
    make("input", [], { name, placeholder: `${name}: ${description}`, "aria-label": name, autocomplete: "off" }));
  const example = make("pre", "");
  const answer = make("pre", "", { hidden: "", "aria-live": "polite" });
  const filled = () => Object.fromEntries(inputs.map((input) => [input.name, input.value.trim()]));
  const refresh = () => { example.textContent = curl(address(path, parameters, filled()), streams); };
  const form = make("form", [...inputs, make("button", streams ? `Try: ${SHOWN_EVENTS} events` : "Try")]);
  form.oninput = refresh;
  form.onsubmit = (event) => {
    event.preventDefault();
    answer.hidden = false;
    (streams ? listen : fetchOnce)(address(path, parameters, filled()), answer);
  };
  refresh();
  return make("section", [
    make("h2", [make("span", "GET ", { class: "unit" }), path], { class: "path" }),
    make("p", prose(summary)),
    table(parameters.map(({ name, in: place, description }) => row(make("code", name), [`${place}: `, ...prose(description)]))),
    table(Object.entries(responses).map(([status, response]) => row(status, [...prose(response.description), ` · ${contentText(response)}`]))),
    example, form, answer,
  ], { class: "card operation" });
}

const contentText = ({ content }) =>
  Object.entries(content).map(([media, { schema }]) => `${typeText(schema)} as ${media}`).join(", ");

const table = (rows) => (rows.length ? make("table", make("tbody", rows)) : "");

async function fetchOnce(url, answer) {
  try {
    const response = await fetch(url);
    answer.textContent = `${response.status}\n${indented(await response.text())}`;
  } catch {
    answer.textContent = "The server cannot be reached.";
  }
}

function listen(url, answer) {
  const stream = new EventSource(url);
  let left = SHOWN_EVENTS;
  answer.textContent = "";
  const show = (event) => {
    answer.textContent += `event: ${event.type}\n${event.lastEventId && `id: ${event.lastEventId}\n`}data: ${indented(event.data)}\n\n`;
    if (--left === 0) stream.close();
  };
  stream.addEventListener("reading", show);
  stream.addEventListener("status", show);
}

/** JSON with line breaks and nothing else changed: numbers keep their digits. */
function indented(json) {
  let depth = 0;
  const line = () => `\n${"  ".repeat(depth)}`;
  return json.replace(/"(?:[^"\\]|\\.)*"|[{}[\],:]/g, (token) => {
    if (token === "{" || token === "[") { depth += 1; return token + line(); }
    if (token === "}" || token === "]") { depth -= 1; return line() + token; }
    if (token === ",") return token + line();
    return token === ":" ? ": " : token;
  });
}

function typeCard(name, schema) {
  const required = new Set(schema.required);
  const rows = Object.entries(schema.properties ?? {}).map(([field, type]) =>
    row(make("code", field), typeText(type) + (required.has(field) || "default" in type ? "" : " (may be absent)")));
  return make("details", [make("summary", name), schema.description ? make("p", prose(schema.description), { class: "soft" }) : "", table(rows)]);
}

const description = await (await fetch("api/openapi.json")).json();
document.getElementById("version").textContent = `version ${description.info.version}`;
document.getElementById("operations").append(...Object.entries(description.paths).map(([path, { get }]) => operation(path, get)));
document.getElementById("types").append(...Object.entries(description.components.schemas).map(([name, schema]) => typeCard(name, schema)));
