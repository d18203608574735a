// One group of a centre: what its meters took together, bar by bar, its meters, and the quarters for billing.

import { ask } from "../api.js";
import { bars } from "../charts/bars.js";
import { make, say } from "../dom.js";
import { sum } from "../exact.js";
import { words } from "../language.js";
import { axisNumber, energyText, kwhShort } from "../measured.js";
import { asked, inside, keyOf, KINDS } from "../periods.js";
import { go } from "../router.js";
import { stepper } from "../toolbar.js";
import { labelsOf, nameOf } from "./buckets.js";
import { meters } from "./meterTable.js";

const WH = 1000;

export function group(main, kind, [value, named = "month", key = ""], signal) {
  const said = words.fleet;
  const period = named in KINDS ? named : "month";
  const shown = keyOf(period, key);
  const name = `${kind}:${value}`;
  const open = (next) => go("fleet", [kind, value, period, next]);
  const content = make("div.content", make("p.empty", words.loading));
  const list = make("div");
  main.append(make("h1", said.group[kind](value)), stepper(period, shown, "", open), content,
    make("section.card", make("h2", said.meters), list));
  fill(content, { kind, value, period, key: shown, name }, signal);
  meters(list, { group: name }, signal);
}

async function fill(content, place, signal) {
  const said = words.fleet;
  const { period, key, name } = place;
  try {
    const question = asked(period, key);
    const energy = await ask("api/v1/fleet/energy", { group: name, ...question }, signal);
    if (signal.aborted) return;
    const now = Date.now();
    const shown = energy.buckets.map((bucket) => barOf(bucket, energy, now));
    const total = (counter) => sum(energy.buckets.map((bucket) => bucket[counter]));
    const { bucket: _, ...days } = question;
    const file = `api/v1/fleet/quarters.csv?${new URLSearchParams({ group: name, ...days })}`;
    const told = make("p.told", { "aria-live": "polite" }, said.legend);
    const box = make("div.chart");
    content.replaceChildren(
      make("dl.totals", totalOf(`↓ ${words.drawn}`, total("import_wh"), "import"), energy.export_meters ? totalOf(`↑ ${words.fed}`, total("export_wh"), "export") : null,
        make("div.total", make("dt", said.meters), make("dd", String(energy.import_meters)))),
      make("section.card.chart-card", make("div.card-head", make("h2", words.by[energy.bucket]), make("a", { href: file, download: "" }, said.quarters)), told, box));
    const text = (at) => `${nameOf(period, energy.buckets[at])} · ${textOf(energy.buckets[at], shown[at], energy)}`;
    const next = inside[period];
    await bars(box, shown, {
      unit: "kWh", labels: labelsOf(period, energy.buckets), middle: period === "month" || period === "year" || period === "all",
      label: words.by[energy.bucket], text, signal, number: axisNumber, onPick: (at) => say(told, at === null ? said.legend : text(at)),
      onOpen: next && ((at) => go("fleet", [place.kind, place.value, next, keyOf(next, energy.buckets[at].begin.slice(0, next === "day" ? 10 : 7))])),
    });
  } catch (problem) {
    if (!signal.aborted) content.replaceChildren(make("p.empty.card", problem.message));
  }
}

const totalOf = (name, wh, flow) => make("div.total", { "data-flow": flow }, make("dt", name), make("dd", wh === null ? "–" : kwhShort(wh)));

/** A sum of which some meters are missing is a part. */
function barOf(bucket, energy, now) {
  const kwh = (wh) => (wh === undefined ? null : Number(wh) / WH);
  const isAhead = Date.parse(bucket.end) > now && bucket.import_wh === undefined;
  const kind = isAhead ? "ahead" : bucket.import_wh === undefined ? "gap" : bucket.import_meters < energy.import_meters ? "part" : "whole";
  return { up: kwh(bucket.import_wh), down: kwh(bucket.export_wh), kind };
}

const textOf = (bucket, shown, { import_meters: all }) =>
  `${energyText(bucket, { kind: shown.kind === "part" ? "whole" : shown.kind })}${shown.up === null ? "" : ` · ${words.fleet.of(bucket.import_meters, all)}`}`;
