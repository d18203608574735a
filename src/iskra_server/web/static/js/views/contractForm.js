// A form that writes a contract for the configuration: the lines to copy, checked by the server while they are written.

import { today } from "../calendar.js";
import { contractToml, emptyContract, isPriced } from "../contractToml.js";
import { contractWords as texts } from "../contractWords.js";
import { copy } from "../copy.js";
import { make, setText, setTitle } from "../dom.js";
import { words } from "../language.js";
import { meterIds, meterName, store, subscribe } from "../store.js";
import { costPages } from "../toolbar.js";
import { hasField, showFindings } from "./contractFields.js";
import { contractSections } from "./contractSections.js";

/** @typedef {import("../contractToml.js").ContractFields} ContractFields */

const CHECK_AFTER_MS = 400;

/** @param {HTMLElement} main @param {AbortSignal} signal */
export function showContractForm(main, signal) {
  const fields = emptyContract(`${today().slice(0, 4)}-01-01`);
  const known = () => meterIds().map((id) => /** @type {[string, string]} */ ([id, meterName(id)]));
  let meters = known();
  const form = make("form.contract-form", { autocomplete: "off", onsubmit: (event) => event.preventDefault() });
  const toml = make("pre", { tabindex: "0", "aria-label": texts.result });
  const verdict = make("p.outcome", { role: "status" });
  const others = make("ul.marks");
  const copied = make("span.soft", { role: "status" });
  setTitle(words.cost.enter);
  main.append(
    costPages("contract"), make("section.card.prose", make("h1", words.cost.enter), make("p", texts.what)),
    make("div.editor", form,
      make("section.card.result",
        make("div.card-head", make("h2", texts.result),
          make("button", { type: "button", onclick: () => copy(toml, copied) }, texts.copy), copied),
        verdict, others, toml,
        make("h2", texts.whereTitle),
        make("dl.where", texts.where.map(([name, place]) => make("div", make("dt", name), make("dd", place)))),
        make("p", texts.restart))));
  const check = delayedCheck(fields, form, verdict, others, signal);
  const change = () => {
    setText(toml, contractToml(fields));
    setText(copied, "");
    check(toml.textContent ?? "");
  };
  // the fields that are shown depend on the answers
  const draw = () => {
    const focused = document.activeElement?.getAttribute("name");
    form.replaceChildren(...contractSections(fields, meters, change, () => { draw(); change(); }));
    if (focused) /** @type {HTMLElement | null} */ (form.querySelector(`[name="${CSS.escape(focused)}"]`))?.focus();
  };
  draw();
  change();
  // the first of them may be read after this
  signal.addEventListener("abort", subscribe(() => {
    const next = known();
    if (JSON.stringify(next) === JSON.stringify(meters)) return;
    meters = next;
    draw();
    change();
  }));
}

/**
 * A function that checks the lines, a moment after the last change.
 * @param {ContractFields} fields
 * @param {HTMLElement} form
 * @param {HTMLElement} verdict
 * @param {HTMLElement} others the findings that belong to no field
 * @param {AbortSignal} signal
 */
function delayedCheck(fields, form, verdict, others, signal) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let current = 0;
  signal.addEventListener("abort", () => clearTimeout(timer));
  return (/** @type {string} */ toml) => {
    clearTimeout(timer);
    current += 1;
    const own = current;
    setText(verdict, texts.checking);
    timer = setTimeout(async () => {
      const findings = await requestFindings(toml, signal);
      if (signal.aborted || own !== current) return;
      if (typeof findings === "string") { setText(verdict, texts.unchecked(findings)); return; }
      // only warnings of fields shown here, not that prices without VAT are gross; the lack of a price is said below
      const shown = findings.filter(({ level, key }) => level === "error" || (isPriced(fields) && hasField(form, key)));
      const count = shown.filter(({ level }) => level === "error").length;
      setText(verdict, count ? texts.invalid(count) : isPriced(fields) ? texts.valid : texts.priceMissing);
      showFindings(form, others, shown);
    }, CHECK_AFTER_MS);
  };
}

/** What the server finds wrong, or why it was not asked. @param {string} toml @param {AbortSignal} signal */
async function requestFindings(toml, signal) {
  if (store.lostAt !== null) return words.unreachable;
  try {
    const headers = { "content-type": "application/toml" };
    const answer = await fetch("api/v1/config/check", { method: "POST", body: toml, headers, signal });
    const content = await answer.json();
    return answer.ok ? /** @type {import("./contractFields.js").Finding[]} */ (content.findings)
      : String(content.detail ?? answer.status);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
