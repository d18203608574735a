// A form that writes a contract for the configuration: the lines to copy, checked by the server while they are written.

import { today } from "../calendar.js";
import { contractToml, emptyContract, emptyWindow, hasParts, isPriced } from "../contractToml.js";
import { contractWords as texts } from "../contractWords.js";
import { copy } from "../copy.js";
import { make, setText, setTitle } from "../dom.js";
import { words } from "../language.js";
import { meterIds, meterName, store } from "../store.js";
import { costPages } from "../toolbar.js";
import {
  checkBox, fieldset, hasField, numberField, selectField, showFindings, textField, windowFields,
} from "./contractFields.js";

/** @typedef {import("../contractToml.js").ContractFields} ContractFields */

const CHECK_AFTER_MS = 400;
const ZONES = ["DE-LU", "AT", "BE", "CH", "CZ", "DK1", "DK2", "FR", "HU", "IT-NORTH", "NL", "NO2", "PL", "SE4", "SI"];

/** @param {HTMLElement} main @param {AbortSignal} signal */
export function showContractForm(main, signal) {
  const fields = emptyContract(`${today().slice(0, 4)}-01-01`);
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
    form.replaceChildren(...sections(fields, change, () => { draw(); change(); }));
    if (focused) /** @type {HTMLElement | null} */ (form.querySelector(`[name="${CSS.escape(focused)}"]`))?.focus();
  };
  draw();
  change();
}

/**
 * @param {ContractFields} fields
 * @param {() => void} change called after a value has changed
 * @param {() => void} redraw called after an answer that other fields depend on
 */
function sections(fields, change, redraw) {
  const bound = { fields, change };
  const ct = `${texts.perKwh}, ${hasParts(fields) ? texts.net : texts.gross}`;
  const meters = meterIds();
  return [
    fieldset(texts.general,
      textField(bound, "name", texts.name, "name"),
      textField(bound, "begins", texts.begins, "begins", "date"),
      meters.length > 1 && selectField(bound, "meter", texts.meter, "meter",
        [["", texts.everyMeter], ...meters.map((id) => /** @type {[string, string]} */ ([id, meterName(id)]))])),
    fieldset(texts.price,
      selectField({ fields, change: () => startWindows(fields, redraw) }, "kind", texts.kind, "energy.kind",
        Object.entries(texts.kinds)),
      ...priceFields(bound, ct, redraw)),
    hasParts(fields) && fieldset(texts.grid,
      numberField(bound, "grid", texts.gridStandard, fields.module === "3" ? "grid.default" : "grid.price", ct),
      selectField({ fields, change: () => startWindows(fields, redraw) }, "module", texts.module, "grid.module",
        Object.entries(texts.modules)),
      fields.module !== "0" && numberField(bound, "credit", texts.credit, "grid.credit", `€, ${texts.gross}`),
      fields.module === "3" && windowFields(fields.gridWindows, "grid.windows", ct, change, redraw)),
    hasParts(fields) && fieldset(texts.levies,
      ...fields.levies.map((_, place) => levyField(bound, place, ct)),
      numberField(bound, "vat", texts.vat, "vat_percent", "%"),
      make("p.soft", texts.leviesNote)),
    fieldset(texts.fees,
      numberField(bound, "baseFee", texts.baseFee, "base_fee", `€, ${texts.gross}`),
      selectField(bound, "baseFeePer", texts.baseFeePer, "base_fee_per", Object.entries(texts.baseFeePers)),
      numberField(bound, "gridFee", texts.gridFee, "grid_fee", `€, ${texts.onlyIfApart}`),
      numberField(bound, "meteringFee", texts.meteringFee, "metering_fee", `€, ${texts.onlyIfApart}`),
      numberField(bound, "instalment", texts.instalment, "instalment", "€")),
    fieldset(texts.feedIn,
      selectField({ fields, change: redraw }, "feedInKind", texts.kind, "feed_in.kind",
        Object.entries(texts.feedInKinds)),
      ...feedInFields(bound, redraw)),
  ].filter((section) => section !== false);
}

/** The windows that a kind of price begins with. @param {ContractFields} fields @param {() => void} redraw */
function startWindows(fields, redraw) {
  if (fields.kind === "daynight" && fields.windows.length !== 1) fields.windows = [emptyWindow(texts.night)];
  if (fields.kind === "windows" && !fields.windows.length) fields.windows = [emptyWindow(texts.window(1))];
  if (fields.module === "3" && !fields.gridWindows.length) {
    fields.gridWindows = [{ ...emptyWindow("HT"), from: "17:00", to: "21:00" }, emptyWindow("NT")];
  }
  redraw();
}

/** @typedef {{fields: ContractFields, change: () => void}} Bound */

/** @param {Bound} bound @param {string} ct @param {() => void} redraw */
function priceFields(bound, ct, redraw) {
  const { fields, change } = bound;
  const zone = selectField(bound, "zone", texts.zone, "energy.zone", ZONES.map((name) => [name, name]));
  const byParts = checkBox({ fields, change: redraw }, "isByParts", texts.byParts);
  const isPlain = fields.kind === "fixed" && !fields.isByParts;
  const windows = () => windowFields(fields.windows, "energy.windows", ct, change, redraw, fields.kind === "windows");
  switch (fields.kind) {
    case "spot": return [zone,
      selectField(bound, "per", texts.per, "energy.per", Object.entries(texts.pers)),
      numberField(bound, "markup", texts.markup, "energy.fixed", ct),
      numberField(bound, "percent", texts.percent, "energy.percent", "%")];
    case "registers": return [numberField(bound, "price", texts.high, "energy.prices.1.8.1", ct),
      numberField(bound, "low", texts.low, "energy.prices.1.8.2", ct), byParts];
    case "daynight": return [numberField(bound, "price", texts.day, "energy.default", ct), windows(), byParts];
    case "windows": return [numberField(bound, "price", texts.rest, "energy.default", ct), windows(), byParts];
    default: return [numberField(bound, "price", texts.energy, isPlain ? "energy_price" : "energy.price", ct), byParts];
  }
}

/** @param {Bound} bound @param {number} place @param {string} ct */
function levyField({ fields, change }, place, ct) {
  const names = /** @type {Record<string, string>} */ (texts.levyNames);
  const [name, typed] = fields.levies[place];
  const levy = { [name]: typed };
  const keep = () => {
    fields.levies = fields.levies.map(([other, value]) => [other, other === name ? levy[name] : value]);
    change();
  };
  return numberField({ fields: levy, change: keep }, name, names[name], `levies.${name}`, ct);
}

/** @param {Bound} bound @param {() => void} redraw */
function feedInFields(bound, redraw) {
  const { fields } = bound;
  if (fields.feedInKind === "none") return [];
  const unpaid = checkBox({ fields, change: redraw }, "isUnpaidWhenNegative", texts.unpaid);
  if (fields.feedInKind === "spot") {
    return [numberField(bound, "feedIn", texts.markdown, "feed_in.fixed", texts.perKwh), unpaid];
  }
  const key = fields.isUnpaidWhenNegative ? "feed_in.price" : "feed_in";
  return [numberField(bound, "feedIn", texts.payment, key, texts.perKwh), unpaid];
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
      // whoever enters gross prices need not hear that they count as gross; a form without a price has its own verdict
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
