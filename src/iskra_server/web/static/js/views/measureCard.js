// A card to measure one appliance: press start, use it, press stop. It goes on while other views are shown.

import { requestHistory } from "../api.js";
import { time } from "../clock.js";
import { money } from "../costs.js";
import { make, pair, setContent, setText } from "../dom.js";
import { kwh, roundedKwh, wattsText } from "../energyText.js";
import { words } from "../language.js";
import { addTelegram, measured, startMeasurement } from "../measurement.js";
import { currentReading, placesOf, powerOf, registerValue, store, subscribe } from "../store.js";

/** @typedef {import("../measurement.js").Measurement} Measurement */

/** @type {{measurement: Measurement, meter: string, stop: (() => void) | null, text: string} | null} */
let running = null;

/** @param {AbortSignal} signal */
export function measureCard(signal) {
  const button = make("button", { type: "button" });
  const note = make("p.soft.note", words.normal.measureHint);
  const results = make("div");
  const card = make("section.card.measure",
    make("div.card-head", make("h2", words.normal.measure), button), note, results);
  /** @type {[string, string] | null} the price of a kWh, and its currency */
  let price = null;
  requestHistory("cost", { from: "today" }, signal).then(({ contract, currency }) => {
    if (contract?.energy_amount !== undefined) price = [contract.energy_amount, currency];
  }).catch(() => { /* without a price there is no amount */ });
  const show = () => {
    const meter = currentReading();
    const isRunning = Boolean(running?.stop);
    setText(button, isRunning ? words.normal.stop : words.normal.start);
    button.disabled = !isRunning && (!meter || powerOf(meter) === undefined);
    const result = running && resultNow(running);
    setContent(results, result && [
      make("dl.pairs", rows(result, price)), notesOf(result).map((text) => make("p.soft.note", text)),
    ]);
  };
  button.addEventListener("click", () => {
    if (running?.stop) finish();
    else begin();
    show();
  });
  signal.addEventListener("abort", subscribe(show));
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

/** @param {ReturnType<typeof resultNow>} result @param {[string, string] | null} price */
function rows({ measurement, seconds, applianceWh, houseWh }, price) {
  const { normal } = words;
  const list = [pair(normal.duration, `${time(measurement.at * 1000)} · ${lasted(Math.round(seconds))}`)];
  if (applianceWh !== null) {
    const amount = price && money(String((Number(price[0]) * applianceWh) / 1000), price[1]);
    const energy = roundedKwh(String(Math.round(applianceWh * 1000) / 1000));
    list.push(pair(normal.appliance, `≈ ${energy}${amount ? ` · ${amount}` : ""}`));
  }
  if (houseWh !== null) list.push(pair(normal.house, kwh(houseWh)));
  return list;
}

/** How far the numbers can be trusted. @param {ReturnType<typeof resultNow>} result */
function notesOf({ measurement: { level }, houseWh, missingS }) {
  const { normal } = words;
  const places = placesOf(store.meters.get(running?.meter ?? "")?.meter);
  return [
    ...(level === null ? [] : [normal.above(wattsText(level))]),
    ...(houseWh === null ? [] : [places < 3 ? normal.coarse : normal.exact]),
    ...(missingS < 1 ? [] : [normal.missing(Math.round(missingS))]),
  ];
}

const lasted = (/** @type {number} */ seconds) =>
  (seconds < 120 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`);
