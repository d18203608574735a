// The API page: the OpenAPI description with an example command and a button that shows the live answer.
// Its frame is that of the other pages, without a stream of readings.

import { make } from "./dom.js";
import { icon } from "./icons.js";
import { LANGUAGES, language, setLanguage, words } from "./language.js";
import { isCentralServer, serverAddress, version } from "./page.js";
import { applyTheme } from "./theme.js";
import { texts as bothTexts } from "./words/docs.js";
import { addressOf, contentText, curl, indented, typeText } from "./openapi.js";

/** @typedef {import("./openapi.js").Description} Description */
/** @typedef {import("./openapi.js").Operation} Operation */
/** @typedef {import("./openapi.js").Schema} Schema */

const HERE = new URL("./", location.href).href;
// in the commands
const SERVER = `${serverAddress}/`;
const SHOWN_EVENTS = 3;
const texts = bothTexts[language];

/** The sections of the page, and the view that each opens. @type {[keyof typeof words.sections, string][]} */
const SECTIONS = isCentralServer ? [["fleet", "fleet"], ["about", "about"]]
  : [["now", "now"], ["history", "day"], ["cost", "cost"], ["setup", "setup"]];

const viewLink = (/** @type {string} */ view) => `./#/${view}`;

/** Text with code between backticks. */
const prose = (/** @type {string} */ text) => text.split("`").map((part, at) => (at % 2 ? make("code", part) : part));

/** @param {Content<HTMLElement>} name @param {Content<HTMLElement>} content */
const row = (name, content) => make("tr", make("th", { scope: "row" }, name), make("td", content));
const table = (/** @type {Node[]} */ rows) => (rows.length ? make("table", make("tbody", rows)) : "");

/**
 * A route that is posted to has no button here.
 * @param {string} method
 * @param {string} path
 * @param {Operation} operation
 */
function operationCard(method, path, { summary, parameters = [], responses }) {
  const streams = Boolean(responses[200].content["text/event-stream"]);
  const inputs = parameters.filter(({ in: place }) => place !== "header").map(({ name, description }) =>
    make("input", { name, placeholder: `${name}: ${description}`, "aria-label": name, autocomplete: "off" }));
  const example = make("pre");
  const answer = make("pre", { hidden: true, "aria-live": "polite" });
  const address = (/** @type {string} */ base) =>
    addressOf(base, path, parameters, Object.fromEntries(inputs.map((input) => [input.name, input.value.trim()])));
  const refresh = () => { example.textContent = curl(address(SERVER), streams); };
  let shown = new AbortController();
  const onsubmit = (/** @type {Event} */ event) => {
    event.preventDefault();
    answer.hidden = false;
    // an answer to the question before may come later
    shown.abort();
    shown = new AbortController();
    (streams ? showEvents : showAnswer)(address(HERE), answer, shown.signal);
  };
  refresh();
  return make("section.card.operation",
    make("h2.path", make("span.unit", `${method.toUpperCase()} `), path),
    make("p", prose(summary)),
    table(parameters.map(({ name, in: place, description }) =>
      row(make("code", name), [`${place}: `, ...prose(description)]))),
    table(Object.entries(responses).map(([status, response]) =>
      row(status, [...prose(response.description), ` · ${contentText(response)}`]))),
    method === "get" && example,
    method === "get" && make("form", { oninput: refresh, onsubmit }, inputs,
      make("button", streams ? texts.runEvents(SHOWN_EVENTS) : texts.run)),
    answer);
}

/** @param {URL} url @param {HTMLElement} answer @param {AbortSignal} signal */
async function showAnswer(url, answer, signal) {
  try {
    const response = await fetch(url, { signal });
    answer.textContent = `${response.status}\n${indented(await response.text())}`;
  } catch {
    if (!signal.aborted) answer.textContent = texts.unreachable;
  }
}

/** @param {URL} url @param {HTMLElement} answer @param {AbortSignal} signal */
function showEvents(url, answer, signal) {
  const stream = new EventSource(url);
  signal.addEventListener("abort", () => stream.close());
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
    row(make("code", field), typeText(type) + (required.has(field) || "default" in type ? "" : ` (${texts.absent})`)));
  return make("details", make("summary", name),
    schema.description ? make("p.soft", prose(schema.description)) : "", table(rows));
}

function header() {
  const links = SECTIONS.map(([name, view]) =>
    // as in the shell, each with its icon on a phone
    make("a", { href: viewLink(view) }, icon(/** @type {Parameters<typeof icon>[0]} */ (name)),
      make("span", words.sections[name])));
  return make("header", make("a.brand", { href: "./" }, "ISKRA Electricity"),
    make("nav.sections", { "aria-label": words.sectionsLabel }, links), make("p.pulse", texts.version(version)));
}

function footer() {
  const otherLanguages = Object.entries(LANGUAGES).filter(([name]) => name !== language);
  return make("footer", otherLanguages.map(([name, label]) =>
    make("button.quiet", { type: "button", lang: name, onclick: () => setLanguage(name) }, label)),
  isCentralServer ? null : make("a", { href: viewLink("wall") }, words.wall),
  make("a", { href: "docs", "aria-current": "page" }, "API"),
  make("a", { href: viewLink("about") }, words.about));
}

/** Shows the routes with all words of the field alone. @param {HTMLElement[]} cards */
function finder(cards) {
  const none = make("p.empty.card", { hidden: true, role: "status" }, texts.none);
  const oninput = (/** @type {Event & {target: HTMLInputElement}} */ { target }) => {
    const wanted = target.value.toLowerCase().split(/\s+/);
    for (const card of cards) {
      const text = (card.textContent ?? "").toLowerCase();
      card.hidden = !wanted.every((word) => text.includes(word));
    }
    none.hidden = cards.some((card) => !card.hidden);
  };
  const input = make("input", { type: "search", placeholder: texts.find, "aria-label": texts.find, oninput });
  return { input, none };
}

/** @type {Description} */
const { paths, components } = await (await fetch("api/openapi.json")).json();
const cards = Object.entries(paths).flatMap(([path, operations]) =>
  Object.entries(operations).map(([method, operation]) => operationCard(method, path, operation)));
const { input, none } = finder(cards);
document.documentElement.lang = language;
applyTheme();
document.body.replaceChildren(header(),
  make("main.docs",
    make("section.card.intro", make("h1", texts.title), make("p", texts.intro),
      texts.english && make("p", texts.english),
      make("p", `${texts.machine} `, make("a", { href: "api/openapi.json" }, "openapi.json")),
      make("p.find", input)),
    make("div", { id: "operations" }, cards), none,
    make("section.card", { id: "types" }, make("h2", texts.types),
      Object.entries(components.schemas).map(([name, schema]) => typeCard(name, schema)))),
  footer());
