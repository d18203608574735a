// A card to measure one appliance: press start, use it, press stop. It goes on while other views are shown.

import { time } from "../clock.js";
import { money } from "../costs.js";
import { make, pair, setContent, setText } from "../dom.js";
import { kwh, roundedKwh, wattsText } from "../energyText.js";
import { addTelegram, measured, startMeasurement } from "../measurement.js";
import { normalWords } from "../normalWords.js";
import { rateOf, requestPrices } from "../prices.js";
import { currentReading, placesOf, powerOf, registerValue, store, subscribe } from "../store.js";

/** @typedef {import("../measurement.js").Measurement} Measurement */

/** @type {{measurement: Measurement, meter: string, stop: (() => void) | null, text: string} | null} */
let running = null;

/** @param {AbortSignal} signal */
export function measureCard(signal) {
  const button = make("button", { type: "button" });
  const note = make("p.soft.note");
  const results = make("div");
  const card = make("section.card.measure",
    make("div.card-head", make("h2", normalWords.measure), button), note, results);
  /** @type {import("../prices.js").Prices | null} */
  let prices = null;
  const show = () => {
    const meter = currentReading();
    const isRunning = Boolean(running?.stop);
    setText(button, isRunning ? normalWords.stop : normalWords.start);
    button.disabled = !isRunning && (!meter || powerOf(meter) === undefined);
    setText(note, button.disabled ? normalWords.needsPower : normalWords.measureHint);
    const result = running && resultNow(running);
    setContent(results, result && [
      make("dl.pairs", rows(result, prices)), notesOf(result).map((text) => make("p.soft.note", text)),
    ]);
  };
  button.addEventListener("click", () => {
    if (running?.stop) finish();
    else begin();
    show();
  });
  signal.addEventListener("abort", subscribe(show));
  requestPrices(signal).then((answer) => {
    prices = answer;
    show();
  });
  return card;
}

function begin() {
  const meter = currentReading();
  if (!meter) return;
  const [times, powers] = store.recent.get(meter.id) ?? [[], []];
  const at = Date.now() / 1000;
  const measurement = startMeasurement(at, times, powers,
    registerValue(meter, "energy_import"), registerValue(meter, "energy_export"));
  let newest = times.at(-1) ?? at;
  const stop = subscribe(() => {
    const [moments, watts] = store.recent.get(meter.id) ?? [[], []];
    moments.forEach((moment, place) => { if (moment > newest) addTelegram(measurement, moment, watts[place]); });
    newest = moments.at(-1) ?? newest;
  });
  running = { measurement, meter: meter.id, stop, text: "" };
}

function finish() {
  running?.stop?.();
  if (running) running = { ...running, stop: null, text: importedNow() ?? "" };
}

const importedNow = () => registerValue(store.meters.get(running?.meter ?? "")?.meter, "energy_import");

/** @param {NonNullable<typeof running>} of */
const resultNow = ({ measurement, stop, text }) =>
  ({ ...measured(measurement, stop ? importedNow() : text || undefined), measurement });

/** @param {ReturnType<typeof resultNow>} result @param {import("../prices.js").Prices | null} prices */
function rows({ measurement, seconds, applianceWh, houseWh }, prices) {
  const list = [pair(normalWords.duration, `${time(measurement.at * 1000)} · ${lasted(Math.round(seconds))}`)];
  if (applianceWh !== null) {
    const energy = String(Math.round(applianceWh * 1000) / 1000);
    const amount = prices && amountText(prices, energy, measurement.at * 1000, seconds * 1000);
    list.push(pair(normalWords.appliance, `≈ ${roundedKwh(energy)}${amount ? ` · ${amount}` : ""}`));
  }
  if (houseWh !== null) list.push(pair(normalWords.house, kwh(houseWh)));
  return list;
}

/** Empty where the price is unknown or changes in between. @param {import("../prices.js").Prices} prices */
function amountText(prices, /** @type {string} */ wh, /** @type {number} */ at, /** @type {number} */ lastedMs) {
  const [first, last] = [at, at + lastedMs].map((moment) => rateOf(prices, wh, moment));
  return first !== null && first === last ? money(first, prices.currency) : "";
}

/** How far the numbers can be trusted. @param {ReturnType<typeof resultNow>} result */
function notesOf({ measurement: { level }, houseWh, missingS }) {
  const places = placesOf(store.meters.get(running?.meter ?? "")?.meter);
  return [
    ...(level === null ? [] : [normalWords.above(wattsText(level))]),
    ...(houseWh === null ? [] : [places < 3 ? normalWords.coarse : normalWords.exact]),
    ...(missingS < 1 ? [] : [normalWords.missing(Math.round(missingS))]),
  ];
}

const lasted = (/** @type {number} */ seconds) =>
  (seconds < 120 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`);
