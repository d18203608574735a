// Gas, water and heat meters whose readings an electricity meter sends along: what each shows, and when it was read.

import { dateTime, format } from "./clock.js";
import { make, setContent } from "./dom.js";
import { grouped } from "./exact.js";
import { words } from "./language.js";
import { ageOf, isElectricity, lastReading, meterName, pageState, store, subscribe } from "./store.js";

/** @type {Record<string, [string, number]>} unit of a counter -> the unit that is shown, and the power of ten to it */
const SHOWN_UNITS = { "m³": ["m³", 0], Wh: ["kWh", 3], J: ["GJ", 9] };

/** @param {Pick<Api.Meter, "registers">} meter */
const counterOf = (meter) =>
  meter.registers.find(({ unit, value }) => unit != null && unit in SHOWN_UNITS && typeof value === "string");

const timeOf = (/** @type {Api.LiveMeter} */ meter) => counterOf(meter)?.time ?? "";

/** A card with the current readings of the sub-meters. @param {HTMLElement} main @param {AbortSignal} signal */
export function showSubMeters(main, signal) {
  const list = make("dl.pairs");
  const node = make("section.card.sub-meters", { hidden: true }, make("h2", words.otherMeters), list);
  main.append(node);
  signal.addEventListener("abort", subscribe(() => {
    // the dead one of an exchanged meter keeps its channel and its last time
    const meters = subMeters().sort((a, b) => a.medium.localeCompare(b.medium) || timeOf(b).localeCompare(timeOf(a)));
    const rows = meters.flatMap((meter) => rowOf(meter) ?? []);
    node.hidden = rows.length === 0;
    setContent(list, rows);
  }));
}

/** The current readings of gas, water and heat meters that come from the source of the chosen meter. */
export function subMeters() {
  const source = lastReading()?.meter.source;
  return [...store.meters.values()]
    .filter((reading) => !isElectricity(reading.meter) && reading.meter.id !== store.chosen
      && reading.meter.source === source && pageState() === "live" && ageOf(reading) <= reading.meter.stale_after_s)
    .map(({ meter }) => meter);
}

/** @param {Api.LiveMeter} meter */
function rowOf(meter) {
  const counter = counterOf(meter);
  if (!counter?.unit) return null;
  const [unit, shift] = SHOWN_UNITS[counter.unit];
  return make("div",
    make("dt", words.media[meter.medium], make("small", meterName(meter.id))),
    make("dd", `${shortened(grouped(String(counter.value), shift))} ${unit}`,
      counter.time && make("small", words.readAt(readTime(counter.time)))));
}

/** Without zeros behind the third place: a meter that counts GJ shows no single J. @param {string} number */
const shortened = (number) => number.replace(/([.,]\d{3}\d*?)0+$/, "$1");

/** A time without an offset is that of a clock whose zone nobody knows: as it stands. @param {string} time */
const readTime = (time) => (time.endsWith("Z") ? dateTime(Date.parse(time))
  : format({ dateStyle: "medium", timeStyle: "short" }, "UTC").format(Date.parse(`${time}Z`)));
