// Two periods side by side, on one scale.

import { askMeter } from "../api.js";
import { bars, reachOf } from "../charts/bars.js";
import { today } from "../clock.js";
import { make, pair, say } from "../dom.js";
import { minus, rounded } from "../exact.js";
import { words } from "../language.js";
import { axisNumber, bar, kwhShort } from "../measured.js";
import { asked, firstDay, keyOf, KINDS, step } from "../periods.js";
import { go } from "../router.js";
import { kinds, stepper } from "../toolbar.js";
import { whenChosen } from "../store.js";
import { bucketText, labelsOf } from "./buckets.js";

const YEAR_AGO = { day: 364, week: 364 };

export function show(main, { parts: [named, one, other] }, signal) {
  const kind = named in KINDS && named !== "all" ? named : "month";
  const left = keyOf(kind, one ?? "");
  const right = other ? keyOf(kind, other) : yearBefore(kind, left);
  const select = make("select", { "aria-label": words.kindsLabel, onchange: ({ target }) => go("compare", [target.value, keyOf(target.value, KINDS[target.value].key(firstDay(kind, left)))]) },
    Object.keys(KINDS).filter((each) => each !== "all").map((each) => make("option", { value: each, selected: each === kind }, words.kinds[each])));
  const content = make("div.content");
  main.append(kinds("compare", firstDay(kind, left)), make("div.stepper.compare-head", make("h1", words.compareTitle), select), content);
  whenChosen(signal, () => fill(content, kind, [left, right], signal));
}

const yearBefore = (kind, key) => (kind === "day" || kind === "week" ? step("day", key, -YEAR_AGO[kind]) : step(kind, key, kind === "year" ? -1 : -12));

async function fill(content, kind, keys, signal) {
  const sides = make("div.sides");
  content.append(sides);
  try {
    const answers = await Promise.all(keys.map((key) => askMeter("energy", asked(kind, key), signal)));
    if (signal.aborted) return;
    const now = Date.now();
    const all = answers.map((energy) => energy.buckets.map((bucket) => bar(bucket, energy, now)));
    const reaches = all.map(reachOf);
    const reach = [Math.min(...reaches.map(([low]) => low)), Math.max(...reaches.map(([, high]) => high))];
    for (const [at, energy] of answers.entries()) await side(sides, kind, keys, at, energy, all[at], reach, signal);
    content.append(differences(answers));
  } catch (problem) {
    if (!signal.aborted) content.replaceChildren(make("p.empty.card", problem.message));
  }
}

async function side(sides, kind, keys, at, energy, shown, reach, signal) {
  const open = (next) => go("compare", [kind, ...keys.map((key, place) => (place === at ? next : key))]);
  const told = make("p.told", { "aria-live": "polite" }, words.legend(Boolean(energy.export)));
  const box = make("div.chart");
  sides.append(make("section.card.chart-card", stepper(kind, keys[at], "", open), told, box));
  const text = (place) => bucketText(kind, energy.buckets[place], shown[place]);
  await bars(box, shown, {
    unit: "kWh", reach, labels: labelsOf(kind, energy.buckets), middle: kind !== "day" && kind !== "week", label: words.by[KINDS[kind].bucket],
    text, signal, number: axisNumber, onPick: (place) => say(told, place === null ? words.legend(Boolean(energy.export)) : text(place)),
  });
}

function differences([one, other]) {
  const row = (name, a, b) => {
    if (!a?.total_wh || !b?.total_wh) return null;
    const less = minus(a.total_wh, b.total_wh);
    const share = Number(b.total_wh) ? ` (${Number(less) > 0 ? "+" : ""}${rounded(String((Number(less) / Number(b.total_wh)) * 100), 1)} %)` : "";
    return pair(name, `${kwhShort(a.total_wh)} − ${kwhShort(b.total_wh)} = ${Number(less) > 0 ? "+" : ""}${rounded(less, 3, 3)} kWh${share}`);
  };
  const running = Date.parse(one.end) > Date.now() || Date.parse(other.end) > Date.now();
  return make("section.card", make("h2", words.difference), make("dl.pairs", row(words.drawn, one.import, other.import), row(words.fed, one.export, other.export)),
    running && make("p.soft", words.stillRunning(today())));
}
