// Several meters together: their power now, and their energy by period. What one of them lacks, the sum lacks.

import { request } from "../api.js";
import { sum } from "../arithmetic.js";
import { drawBars } from "../charts/bars.js";
import { energyLegend } from "../charts/legend.js";
import { dateTime } from "../clock.js";
import { make, pair, setContent, setTitle } from "../dom.js";
import { axisNumber, chartKwh, energyText, kwhShort, roundedKwh } from "../energyText.js";
import { rounded } from "../exact.js";
import { failureCard } from "../failure.js";
import { words } from "../language.js";
import { firstDay, isKind, keyOf, KINDS, periodQuery, periodTitle, SMALLER_KIND } from "../periods.js";
import { link, navigate, PERIODS } from "../router.js";
import {
  currentOf, isPlant, isRecordedOnly, meterIds, meterName, powerOf, subscribe, virtualState, whenChosen,
} from "../store.js";
import { navBar, stepper } from "../toolbar.js";
import { axisLabels, bucketName, isLabelCentred } from "./buckets.js";

const SEPARATOR = ",";
/** The meters that can be added; a virtual meter would count its parts twice. */
const addable = () => meterIds().filter((id) => !virtualState(id));
const short = (/** @type {string} */ id) => id.replaceAll(" ", "");

/** @type {View} */
export function show(main, { parts: [kindName, text], query }, signal) {
  const kind = isKind(kindName) ? kindName : "month";
  const key = keyOf(kind, text);
  const named = query.get("meters") ?? "";
  const meters = { meters: named };
  const power = make("div.power-sum");
  const choice = make("fieldset.sum-choice", make("legend", words.sum.choose));
  const content = make("div.content", make("p.empty", words.loading));
  setTitle(`${words.titles.sum} ${periodTitle(kind, key)}`);
  main.append(
    navBar(words.kindsLabel, PERIODS.map((name) => [words.kinds[name],
      link("sum", [name, name === "all" ? "" : keyOf(name, KINDS[name].key(firstDay(kind, key)))], meters),
      name === kind])),
    make("section.card.sum-now", make("h1", words.titles.sum),
      make("h2", words.power), power, choice, make("p.soft", words.sum.note)),
    stepper(kind, key, (next) => navigate("sum", [kind, next], meters)), content);
  whenChosen(signal, () => {
    const ids = chosenIds(named);
    // one that is read a moment later than the first can be chosen, too
    const known = JSON.stringify([ids, addable()]);
    signal.addEventListener("abort", subscribe(() => {
      if (JSON.stringify([chosenIds(named), addable()]) !== known) dispatchEvent(new Event("hashchange"));
    }));
    choice.append(...addable().map((id) => make("label.check", make("input", {
      type: "checkbox", checked: ids.includes(id),
      onchange: ({ target }) => {
        const next = addable().filter((other) => (other === id ? target.checked : ids.includes(other)));
        navigate("sum", [kind, key], { meters: next.map(short).join(SEPARATOR) });
      },
    }), make("span", meterName(id)))));
    signal.addEventListener("abort", subscribe(() => showPower(power, ids)));
    fill(content, kind, key, ids, signal);
  });
}

/** All meters at the grid that are read, or those that the address names. @param {string} named */
function chosenIds(named) {
  const names = named.split(SEPARATOR);
  return addable().filter((id) => (named ? names.includes(short(id)) : !isRecordedOnly(id) && !isPlant(id)));
}

/** @param {HTMLElement} box @param {string[]} ids */
function showPower(box, ids) {
  const powers = ids.map((id) => powerOf(currentOf(id)));
  const missing = ids.filter((_, at) => powers[at] === undefined);
  const total = missing.length || ids.length < 2 ? null : sum(powers);
  setContent(box,
    total === null ? make("p.soft", ids.length < 2 ? words.sum.two : words.sum.noPower(namesOf(missing)))
      : make("p.middle", rounded(total), make("span.unit", " W")),
    make("dl.pairs", ids.map((id, at) =>
      pair(meterName(id), powers[at] === undefined ? "–" : `${rounded(powers[at] ?? "")} W`))));
}

const namesOf = (/** @type {string[]} */ ids) => ids.map(meterName).join(", ");

/** @param {HTMLElement} content @param {Kind} kind @param {string} key @param {string[]} ids */
async function fill(content, kind, key, ids, /** @type {AbortSignal} */ signal) {
  if (ids.length < 2) {
    content.replaceChildren(make("p.empty.card", words.sum.two));
    return;
  }
  try {
    const query = { ...periodQuery(kind, key), meters: ids.map(short).join(SEPARATOR) };
    const energy = await request("api/v1/sum/energy", query, signal);
    if (!signal.aborted) await render(content, kind, energy, signal);
  } catch (error) {
    if (!signal.aborted) content.replaceChildren(failureCard(error));
  }
}

/** @param {HTMLElement} content @param {Kind} kind @param {Api.EnergySum} energy @param {AbortSignal} signal */
async function render(content, kind, energy, signal) {
  // all years: without those before the first measured one
  const first = kind === "all" ? energy.buckets.findIndex(({ import_wh: wh }) => wh !== undefined) : 0;
  const buckets = energy.buckets.slice(Math.max(first, 0));
  const caption = make("p.caption", { "aria-live": "polite" });
  const box = make("div.chart");
  const hasExport = energy.export_meters.length > 0;
  const { bucket } = KINDS[kind];
  content.replaceChildren(
    make("dl.totals", total(`↓ ${words.fromGrid}`, totalText(energy, "import_wh", bucket), "import"),
      hasExport && total(`↑ ${words.toGrid}`, totalText(energy, "export_wh", bucket), "export")),
    make("section.card.chart-card", make("h2", words.energyPer[bucket]), caption, box),
    make("section.card", make("h2", words.sum.each), make("dl.pairs", energy.parts.map((part) =>
      pair(meterName(part.meter), partText(part)))),
    energy.until !== undefined && make("p.soft", words.sum.until(dateTime(new Date(energy.until))))));
  const bars = buckets.map(barOf);
  const next = SMALLER_KIND[kind];
  await drawBars(box, bars, {
    unit: "kWh", labels: axisLabels(kind, buckets), middle: isLabelCentred(kind),
    label: words.energyPer[bucket], signal, number: axisNumber, caption, legend: energyLegend(hasExport),
    text: (at) => `${bucketName(kind, buckets[at])} · ${textOf(buckets[at], bars[at])}`,
    onOpen: next && ((at) => navigate("sum", [next, KINDS[next].key(buckets[at].begin.slice(0, 10))],
      { meters: energy.meters.map(short).join(SEPARATOR) })),
  });
}

/** @param {string} name @param {string} text @param {string} flow */
const total = (name, text, flow) => make("div.total", { "data-flow": flow }, make("dt", name), make("dd", text));

/**
 * The whole period, or how much of it all meters have.
 * @param {Api.EnergySum} energy @param {"import_wh" | "export_wh"} name @param {BucketLength} bucket
 */
function totalText(energy, name, bucket) {
  const whole = energy[name];
  if (whole !== undefined) return kwhShort(whole);
  const known = energy.buckets.flatMap((each) => each[name] ?? []);
  return known.length ? words.sum.measured(roundedKwh(sum(known) ?? "0"), known.length, words.bucketNames[bucket])
    : words.noData;
}

/** @param {Api.SumMeter} part */
const partText = ({ import_wh: imported, export_wh: exported }) =>
  [kwhShort(imported), exported !== undefined && `↑ ${kwhShort(exported)}`].filter(Boolean).join(" · ");

/** @param {Api.SumBucket} bucket @returns {Bar} */
function barOf({ begin, end, import_wh: imported, export_wh: exported, missing }) {
  const isFuture = !missing && imported === undefined && Date.parse(end) > Date.now() || Date.parse(begin) > Date.now();
  return {
    up: chartKwh(imported), down: chartKwh(exported),
    kind: isFuture ? "future" : imported === undefined ? "missing" : "complete",
  };
}

/** @param {Api.SumBucket} bucket @param {Bar} bar */
const textOf = (bucket, bar) => (bucket.missing && bar.kind !== "future" ? words.sum.missing(namesOf(bucket.missing))
  : energyText(bucket, bar));
