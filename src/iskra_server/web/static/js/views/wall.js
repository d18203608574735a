// The wall display: time, power and what it costs, register, today and its cost, compared with yesterday.

import { requestHistory } from "../api.js";
import { shiftDays, today } from "../calendar.js";
import { shortTime } from "../clock.js";
import { make, setText } from "../dom.js";
import { differenceText } from "../energyText.js";
import { rounded } from "../exact.js";
import { words } from "../language.js";
import { link } from "../router.js";
import { currentReading, placesOf, registerValue, subscribe, whenChosen } from "../store.js";
import { rateNow, requestTodayCost, todayCostText } from "../todayCost.js";
import { comparison, localQuarters, sinceMidnight } from "../todayStats.js";
import { missingReadingText, powerWidget, registerWidget } from "../widgets.js";

const REFRESH_MS = 60_000;
const CLOCK_MS = 1000;

/** @typedef {{date: string, counter: Api.CounterEnergy}} Day */

/** @type {View} */
export function show(main, _address, signal) {
  const power = powerWidget();
  const counter = registerWidget();
  const rate = make("p.rate");
  power.node.append(rate);
  const todayNode = make("p.today");
  const trend = make("p.trend");
  main.append(make("h1.hidden", words.wall), power.node, counter.node, todayNode, trend,
    clock(signal), make("a.leave", { href: link("now") }, words.sections.now));
  /** @type {Day | null} */
  let day = null;
  /** @type {import("../todayCost.js").TodayCost | null} */
  let paid = null;
  const render = () => {
    power.show();
    const meter = currentReading();
    counter.show(meter, missingReadingText());
    setText(rate, rateNow(paid, meter));
    setText(todayNode, [day && todayText(day, meter), todayCostText(paid, meter)].filter(Boolean).join(" · "));
  };
  signal.addEventListener("abort", subscribe(render));
  const refresh = async () => {
    const date = today();
    const energy = await requestHistory("energy", { from: date, bucket: "day" }, signal).catch(() => null);
    day = energy && { date, counter: energy.import };
    paid = await requestTodayCost(signal).catch(() => paid);
    if (!signal.aborted) render();
  };
  whenChosen(signal, async () => {
    for (; !signal.aborted; await new Promise((resolve) => { setTimeout(resolve, REFRESH_MS); })) await refresh();
  });
  whenChosen(signal, () => showTrend(trend, signal));
  stayAwake(signal);
}

/** The time in the zone of the server. @param {AbortSignal} signal */
function clock(signal) {
  const node = make("p.clock", { role: "timer", "aria-label": words.time });
  const showTime = () => setText(node, shortTime(Date.now()));
  showTime();
  const timer = setInterval(showTime, CLOCK_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
  return node;
}

/** The difference to yesterday at this time, every minute. @param {HTMLElement} node @param {AbortSignal} signal */
async function showTrend(node, signal) {
  for (; !signal.aborted; await new Promise((resolve) => { setTimeout(resolve, REFRESH_MS); })) {
    const period = { from: shiftDays(today(), -1), to: today() };
    const answer = await requestHistory("quarters", period, signal).catch(() => null);
    const compared = answer && comparison(localQuarters(answer));
    setText(node, compared ? differenceText(compared, placesOf(currentReading())) : "");
  }
}

/** @param {Day} day @param {ReturnType<typeof currentReading>} meter */
function todayText({ date, counter }, meter) {
  if (date !== today()) return "";
  const total = meter && !meter.locked ? registerValue(meter, "energy_import") : undefined;
  const energy = sinceMidnight(counter, date, total) ?? counter.total_wh;
  return energy === undefined || energy.startsWith("-") ? ""
    : `${words.today} ${rounded(energy, placesOf(meter), 3)} kWh`;
}

/** Keeps the screen on while the page is visible; browsers allow it with https and on localhost. */
async function stayAwake(/** @type {AbortSignal} */ signal) {
  /** @type {WakeLockSentinel | null | undefined} */
  let lock = null;
  // undefined without https, which the types do not know
  const wakeLock = /** @type {WakeLock | undefined} */ (navigator.wakeLock);
  const hold = async () => {
    if (document.visibilityState === "visible") lock = await wakeLock?.request("screen").catch(() => null);
  };
  document.addEventListener("visibilitychange", hold, { signal });
  signal.addEventListener("abort", () => lock?.release());
  await hold();
}
