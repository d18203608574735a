// The groups of fields of a contract: which ones are shown depends on the answers. The form of this page and the
// configuration generator of the documentation show the same.

import { emptyWindow, hasParts } from "../contractToml.js";
import { contractWords as texts } from "../contractWords.js";
import { make } from "../dom.js";
import { checkBox, fieldset, numberField, selectField, textField, windowFields } from "./contractFields.js";

/** @typedef {import("../contractToml.js").ContractFields} ContractFields */

const ZONES = ["DE-LU", "AT", "BE", "CH", "CZ", "DK1", "DK2", "FR", "HU", "IT-NORTH", "NL", "NO2", "PL", "SE4", "SI"];

/**
 * The groups of fields of a contract.
 * @param {ContractFields} fields
 * @param {[string, string][]} meters number and name of each
 * @param {() => void} change called after a value has changed
 * @param {() => void} redraw called after an answer that other fields depend on
 */
export function contractSections(fields, meters, change, redraw) {
  const bound = { fields, change };
  const ct = `${texts.perKwh}, ${hasParts(fields) ? texts.net : texts.gross}`;
  return [
    fieldset(texts.general,
      textField(bound, "name", texts.name, "name"),
      textField(bound, "begins", texts.begins, "begins", "date"),
      meters.length > 1 && selectField(bound, "meter", texts.meter, "meter",
        [["", texts.everyMeter], ...meters])),
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
