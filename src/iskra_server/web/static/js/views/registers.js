// All registers of the meter, and the facts about the meter itself.

import { isNumber } from "../arithmetic.js";
import { time } from "../clock.js";
import { make, pair, setContent, setText } from "../dom.js";
import { decimal, grouped } from "../exact.js";
import { language, words } from "../language.js";
import { registerWords } from "../registerWords.js";
import { chosenStatus, currentReading, subscribe } from "../store.js";
import { missingReadingText } from "../widgets.js";

/** @type {View} */
export function show(main, _address, signal) {
  const rows = make("tbody");
  const facts = make("dl.pairs");
  const card = make("section.card", make("h2", words.meter), facts);
  const note = make("p.soft");
  main.append(
    make("section.card.registers", make("h1", words.allRegisters), note, make("table", rows)), card,
  );
  signal.addEventListener("abort", subscribe(() => {
    const meter = currentReading();
    setText(note, meter ? "" : missingReadingText());
    card.hidden = !meter;
    setContent(rows, meter && sorted(meter.registers).map(row));
    setContent(facts, meter && factsOf(meter));
  }));
}

/** @param {string} text */
function derivation(text) {
  /** @type {Record<string, string>} */
  const derivations = registerWords.derivedFrom;
  const [name, factor] = text.split(" ");
  return name === "factor" ? `${derivations.factor}\u00a0${grouped(factor)}` : derivations[text] ?? text;
}

/** A name that may break behind each underscore. @param {string} name */
const breakable = (name) => name.split(/(?<=_)/).flatMap((part) => [part, make("wbr")]);

/** What is measured comes before numbers that only name the meter. @param {Api.MeterRegister[]} registers */
const sorted = (registers) => [...registers].sort((a, b) => Number(!a.unit) - Number(!b.unit));

/**
 * Energies are shown in thousands of their unit: kWh, kvarh, kVAh.
 * @param {string | null} unit
 * @returns {[string, number]} the unit and the power of ten to it
 */
const shownUnit = (unit) => (unit?.endsWith("h") ? [`k${unit}`, 3] : [unit ?? "", 0]);

/** 1000 Wh are 1 kWh, not 1.000. @param {number} resolution @param {number} shift */
const step = (resolution, shift) => grouped(String(resolution), shift).replace(/[.,]?(?<=[.,]\d*)0+$/, "");

/** Long German words may be divided before these parts: not every browser knows how to hyphenate them. */
const PARTS = /(?<=\p{L}{4})(einzel|identifikation|einspeisung|energie|leistung|spannung|winkel|frequenz|stand)/gu;

/** @param {Api.MeterRegister} register */
function row({ label, label_de: labelDe, obis, name, value, text, unit, derived, resolution }) {
  const [unitText, shift] = shownUnit(unit);
  // bytes are hex text, which may have digits alone
  const isExact = text === undefined && typeof value === "string" && isNumber(value);
  // a meter that counts whole kWh sends no decimal places
  const sentPlaces = resolution ? Math.max(0, shift - Math.round(Math.log10(resolution))) : Infinity;
  return make("tr",
    // a hyphen would end the line behind the minus of "(-P)"
    make("th", { scope: "row" }, (language === "de" ? labelDe.replace(PARTS, "\u00ad$1") : label).replace("(-", "(−"),
      // a register outside the table is named by its code
      name !== label && make("small", `${obis.replace("*255", "")} · `, breakable(name)),
      resolution ? make("small", registerWords.inSteps(`${step(resolution, shift)}\u00a0${unitText}`)) : null,
      derived && make("small.derived", `${registerWords.derived}: ${derived.split(", ").map(derivation).join(", ")}`)),
    make(isExact ? "td.number" : "td.text", isExact ? grouped(value, shift, sentPlaces) : text ?? String(value),
      unit && make("span.unit", ` ${unitText}`)));
}

/** @param {Api.LiveMeter} meter */
function factsOf(meter) {
  const ratio = chosenStatus()?.valid_ratio;
  const { facts: texts, lockedState, unlockedState } = registerWords;
  /** @type {Record<string, string>} */
  const flagNames = registerWords.flags;
  const lock = meter.locked === null ? null : meter.locked ? lockedState : unlockedState;
  const flags = meter.status?.flags.map((flag) => flagNames[flag] ?? flag) ?? [];
  const status = meter.status && [meter.status.hex, ...flags].join(" · ");
  /** @type {[string, string | null | undefined][]} */
  const facts = [
    [texts.label, meter.label ?? meter.id],
    [texts.family, meter.family],
    [texts.maker, meter.maker],
    [texts.source, meter.source],
    [texts.protocol, meter.protocol?.toUpperCase()],
    [texts.factor, meter.factor === undefined ? null : grouped(String(meter.factor))],
    [texts.state, lock],
    [texts.status, status],
    [texts.validTelegrams, ratio == null ? null : `${decimal(ratio * 100, 1)} %`],
    [texts.received, meter.received_at && time(new Date(meter.received_at))],
  ];
  return facts.flatMap(([name, text]) => (text ? pair(name, text) : []));
}
