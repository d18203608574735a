// The fields of the form for a contract, and what the server found wrong beside each.

import { emptyWindow } from "../contractToml.js";
import { contractWords as texts } from "../contractWords.js";
import { make } from "../dom.js";
import { localized } from "../language.js";

/** @typedef {Api.ConfigFinding} Finding */
/** @typedef {import("../contractToml.js").PriceWindow} PriceWindow */

const CONTRACT = "contracts.1.";

/** @param {string} legend @param {...Content<HTMLFieldSetElement>} content */
export const fieldset = (legend, ...content) => make("fieldset.card", make("legend", legend), content);

/** @param {string} key of the configuration @param {string} label @param {HTMLElement} input @param {string} unit */
const field = (key, label, input, unit = "") =>
  make("div.field", { "data-key": key },
    make("label", make("span", label), input, unit && make("span.unit", unit)), make("p.finding", { hidden: true }));

/**
 * An object and the name of one of its texts, which a field shows and changes.
 * @template {Record<string, unknown>} T
 * @typedef {{fields: T, change: () => void}} Bound
 */

/**
 * @template {Record<string, unknown>} T
 * @param {Bound<T>} bound
 * @param {keyof T & string} name
 * @param {string} label
 * @param {string} key
 */
export const textField = ({ fields, change }, name, label, key, type = "text", unit = "") =>
  field(key, label, make("input", {
    type, name: key, value: String(fields[name]), inputmode: unit ? "decimal" : null,
    oninput: ({ target }) => { Object.assign(fields, { [name]: target.value }); change(); },
  }), unit);

/**
 * @template {Record<string, unknown>} T
 * @param {Bound<T>} bound
 * @param {keyof T & string} name
 * @param {string} label
 * @param {string} key
 * @param {string} unit
 */
export const numberField = (bound, name, label, key, unit) => textField(bound, name, label, key, "text", unit);

/**
 * @template {Record<string, unknown>} T
 * @param {Bound<T>} bound
 * @param {keyof T & string} name
 * @param {string} label
 * @param {string} key
 * @param {[string, string][]} choices
 */
export const selectField = ({ fields, change }, name, label, key, choices) => field(key, label, make("select", {
  name: key, onchange: ({ target }) => { Object.assign(fields, { [name]: target.value }); change(); },
}, choices.map(([value, text]) => make("option", { value, selected: value === String(fields[name]) }, text))));

/**
 * @template {Record<string, unknown>} T
 * @param {Bound<T>} bound
 * @param {keyof T & string} name
 * @param {string} label
 */
export const checkBox = ({ fields, change }, name, label) => make("label.check", make("input", {
  type: "checkbox", name, checked: Boolean(fields[name]),
  onchange: ({ target }) => { Object.assign(fields, { [name]: target.checked }); change(); },
}), make("span", label));

/**
 * The fields of each window; `isOpen`: windows can be added and removed.
 * @param {PriceWindow[]} windows
 * @param {string} key
 * @param {string} unit
 * @param {() => void} change
 * @param {() => void} redraw
 */
export function windowFields(windows, key, unit, change, redraw, isOpen = true) {
  const group = (/** @type {PriceWindow} */ fields, /** @type {number} */ at) => {
    const bound = { fields, change };
    const inner = `${key}.${at + 1}`;
    return make("div.window", { "data-key": inner, role: "group", "aria-label": texts.window(at + 1) },
      isOpen && textField(bound, "name", texts.windowName, `${inner}.name`),
      numberField(bound, "price", isOpen ? texts.energy : texts.night, `${inner}.price`, unit),
      textField(bound, "from", texts.from, `${inner}.from`),
      textField(bound, "to", texts.to, `${inner}.to`),
      textField(bound, "days", texts.days, `${inner}.days`),
      textField(bound, "months", texts.months, `${inner}.months`),
      isOpen && windows.length > 1 && make("button.quiet", {
        type: "button", "aria-label": `${texts.window(at + 1)}: ${texts.remove}`,
        onclick: () => { windows.splice(at, 1); redraw(); },
      }, texts.remove),
      make("p.finding", { hidden: true }));
  };
  return make("div.windows", { "data-key": key }, windows.map(group),
    isOpen && make("button", { type: "button", name: `${key}.add`,
      onclick: () => { windows.push(emptyWindow(texts.window(windows.length + 1))); redraw(); } }, texts.addWindow),
    make("p.finding", { hidden: true }));
}

/**
 * Shows each finding at the field with its key, or at the nearest one around it, else in a list.
 * @param {HTMLElement} form
 * @param {HTMLElement} others
 * @param {Finding[]} findings
 */
export function showFindings(form, others, findings) {
  for (const note of form.querySelectorAll("p.finding")) note.replaceChildren();
  for (const input of form.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
  const rest = findings.filter((finding) => !showFinding(form, finding));
  for (const note of /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll("p.finding"))) {
    note.hidden = !note.textContent;
  }
  others.replaceChildren(...rest.map((finding) => make("li", sentenceOf(finding))));
}

const sentenceOf = (/** @type {Finding} */ { sentence: en, sentence_de: de }) => localized({ en, de });

/** Whether a field has exactly this key. @param {HTMLElement} form @param {string | undefined} key */
export const hasField = (form, key = "") =>
  key.startsWith(CONTRACT) && Boolean(form.querySelector(`[data-key="${CSS.escape(key.slice(CONTRACT.length))}"]`));

/** Whether there is a place for it. @param {HTMLElement} form @param {Finding} finding */
function showFinding(form, finding) {
  const { level, key = "" } = finding;
  let name = key.startsWith(CONTRACT) ? key.slice(CONTRACT.length) : "";
  while (name) {
    const place = form.querySelector(`[data-key="${CSS.escape(name)}"]`);
    const note = place?.querySelector(":scope > p.finding");
    if (note) {
      note.append(make("span", `${sentenceOf(finding)} `));
      if (level === "error") place?.querySelector("input, select")?.setAttribute("aria-invalid", "true");
      return true;
    }
    name = name.slice(0, Math.max(0, name.lastIndexOf(".")));
  }
  return false;
}
