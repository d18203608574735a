// The page of the configuration generator: the form, and beside it the files that follow from it. It requests nothing.

import { findings } from "./check.js";
import { firstChoices } from "./choices.js";
import { formSections } from "./form.js";
import { outputs } from "./output.js";
import { make, setText } from "./product.js";
import { steps } from "./steps.js";

/** @typedef {import("./check.js").Finding} Finding */

const language = document.documentElement.lang === "de" ? "de" : "en";
const { words } = await (language === "de" ? import("./words/de.js") : import("./words/en.js"));

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const choices = firstChoices(zone.includes("/") ? zone : "Europe/Berlin", "auto", `${new Date().getFullYear()}-01-01`);
const form = make("form.contract-form", { autocomplete: "off", onsubmit: (event) => event.preventDefault() });
const verdict = make("p.outcome", { role: "status" });
const open = make("ul.marks");
const files = make("div");
const todo = make("ol.steps");
/** Names of fields that were left once: before that, an empty one is no mistake to point at. @type {Set<string>} */
const touched = new Set();

/**
 * Copies; without permission the text is selected, to copy by key.
 * @param {HTMLElement} node
 * @param {HTMLElement} note
 */
async function copy(node, note) {
  getSelection()?.selectAllChildren(node);
  // undefined without https
  const clipboard = /** @type {Clipboard | undefined} */ (navigator.clipboard);
  const isDone = await clipboard?.writeText(node.textContent ?? "").then(() => true, () => false);
  setText(note, (isDone ?? document.execCommand("copy")) ? words.copied : words.selected);
}

/** @param {string} name @param {string} text */
function download(name, text) {
  const href = URL.createObjectURL(new Blob([text], { type: "application/octet-stream" }));
  make("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href));
}

/** @param {import("./output.js").Output} output @param {boolean} isReady */
function fileCard({ name, text, isFile }, isReady) {
  const title = isFile ? name : words.optionsName;
  const content = make("pre", { tabindex: "0", "aria-label": title }, text);
  const copied = make("span.soft", { role: "status" });
  return make("section",
    make("div.card-head", make("h3", title),
      make("button", { type: "button", disabled: !isReady, "aria-label": `${words.copy}: ${title}`,
        onclick: () => copy(content, copied) }, words.copy),
      isFile && make("button", { type: "button", disabled: !isReady, "aria-label": `${words.download}: ${title}`,
        onclick: () => download(name, text) }, words.download), copied),
    content);
}

/** Shows each sentence at its field, and all of them beside the files. @param {Finding[]} found */
function showFindings(found) {
  for (const note of /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll("p.finding"))) {
    setText(note, "");
    note.hidden = true;
  }
  for (const input of form.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
  open.replaceChildren(...found.map((finding) => {
    const sentence = sentenceOf(finding);
    const field = form.querySelector(`[data-key="${CSS.escape(finding.field)}"]`);
    if (finding.problem !== "missing" || touched.has(finding.field)) showAtField(field, sentence);
    const label = field?.querySelector("label span")?.textContent ?? finding.field;
    const legend = field?.closest("fieldset")?.querySelector("legend")?.textContent ?? "";
    return make("li", `${legend}, ${label}: ${sentence}`);
  }));
  setText(verdict, found.length ? words.open(found.length) : words.ready);
}

/** @param {Element | null} field @param {string} sentence */
function showAtField(field, sentence) {
  const note = /** @type {HTMLElement | null} */ (field?.querySelector(":scope > p.finding") ?? null);
  if (!field || !note) return;
  setText(note, sentence);
  note.hidden = false;
  field.querySelector("input, select")?.setAttribute("aria-invalid", "true");
}

/** @param {Finding} finding */
const sentenceOf = ({ problem, detail }) =>
  /** @type {Record<string, (detail: string) => string>} */ (words.problems)[problem](detail);

function change() {
  const found = findings(choices);
  showFindings(found);
  const made = outputs(choices);
  files.replaceChildren(...made.map((output) => fileCard(output, !found.length)),
    ...(made.length ? [] : [make("p", words.nothing)]));
  const hasFile = made.some(({ name }) => name === "iskra-server.toml");
  todo.replaceChildren(...steps(choices, words, hasFile).map(([sentence, command]) =>
    make("li", make("p", sentence), command && make("pre", { tabindex: "0", "aria-label": sentence }, command))));
}

// the fields that are shown depend on the answers
function draw() {
  const focused = document.activeElement?.getAttribute("name");
  form.replaceChildren(...formSections(choices, words, change, () => { draw(); change(); }));
  if (focused) /** @type {HTMLElement | null} */ (form.querySelector(`[name="${CSS.escape(focused)}"]`))?.focus();
}

form.addEventListener("focusout", ({ target }) => {
  const name = /** @type {HTMLElement} */ (target).closest("[data-key]")?.getAttribute("data-key");
  if (!name || touched.has(name)) return;
  touched.add(name);
  showFindings(findings(choices));
});

/** @type {HTMLElement} */ (document.querySelector("main")).append(make("div.editor", form,
  make("section.card.result", make("h2", words.result), verdict, open, files, make("h2", words.next), todo)));
draw();
change();
