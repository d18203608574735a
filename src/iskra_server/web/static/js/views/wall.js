// For a display on the wall: power, the register, today. Nothing else.

import { askMeter } from "../api.js";
import { today } from "../clock.js";
import { make, say } from "../dom.js";
import { minus, rounded } from "../exact.js";
import { words } from "../language.js";
import { instead, powerNow } from "../power.js";
import { register } from "../register.js";
import { link } from "../router.js";
import { follow, fresh, value, whenChosen } from "../store.js";

const RENEW_MS = 60_000;

export function show(main, _place, signal) {
  const power = powerNow();
  const counter = register();
  const so = make("p.today");
  main.append(make("h1.hidden", words.wall), power.node, counter.node, so, make("a.leave", { href: link("now") }, words.sections.now));
  let known = null;
  signal.addEventListener("abort", follow(() => {
    power.show();
    const meter = fresh();
    counter.show(value(meter, "energy_import"), meter?.locked === true, instead(null));
    say(so, soFar(known, meter));
  }));
  whenChosen(signal, async () => {
    for (; !signal.aborted; await new Promise((resolve) => { setTimeout(resolve, RENEW_MS); })) {
      const energy = await askMeter("energy", { from: today(), bucket: "day" }, signal).catch(() => null);
      known = energy && { date: today(), first: energy.import.first, total: energy.import.total_wh, epochs: energy.import.epochs.length };
    }
  });
  stayAwake(signal);
}

function soFar(known, meter) {
  if (!known || known.date !== today()) return "";
  const total = value(meter, "energy_import");
  const fromMidnight = known.first?.at.slice(0, 16) === `${known.date}T00:00` && !known.epochs && total !== undefined && !meter.locked;
  const energy = fromMidnight ? minus(total, known.first.register_wh) : known.total;
  return energy == null || energy.startsWith("-") ? "" : `${words.today} ${rounded(energy, 3, 3)} kWh`;
}

/** The screen stays on while the page is seen, where the browser allows it (https or this machine). */
async function stayAwake(signal) {
  let lock = null;
  const hold = async () => {
    if (document.visibilityState === "visible") lock = await navigator.wakeLock?.request("screen").catch(() => null);
  };
  document.addEventListener("visibilitychange", hold, { signal });
  signal.addEventListener("abort", () => lock?.release());
  await hold();
}
