// History: a day, a week, a month, a year, all years. The address says which, and whether as chart or as table.

import { askMeter } from "../api.js";
import { bars } from "../charts/bars.js";
import { stamp, wall } from "../clock.js";
import { costOf } from "../costs.js";
import { make, pair, say } from "../dom.js";
import { rounded, times } from "../exact.js";
import { words } from "../language.js";
import { axisNumber, bar, kwh, kwhShort, marks } from "../measured.js";
import { asked, firstDay, inside, keyOf, KINDS } from "../periods.js";
import { become, go } from "../router.js";
import { download, table } from "../table.js";
import { kinds, stepper } from "../toolbar.js";
import { whenChosen } from "../store.js";
import { bucketText, labelsOf, nameOf } from "./buckets.js";
import { curve } from "./curve.js";

export function show(main, { view: kind, parts, query }, signal) {
  const key = keyOf(kind, parts[0]);
  const content = make("div.content", make("p.empty", words.loading));
  main.append(kinds(kind, firstDay(kind, key), query.get("as")), stepper(kind, key, query.get("as")), content);
  whenChosen(signal, () => fill(content, kind, key, query.get("as"), signal));
}

async function fill(content, kind, key, as, signal) {
  try {
    const [energy, cost] = await Promise.all([askMeter("energy", asked(kind, key), signal), costOf(kind, key, signal)]);
    if (signal.aborted) return;
    content.replaceChildren();
    await render(content, kind, key, kind === "all" ? trimmed(energy) : energy, cost, as, signal);
  } catch (problem) {
    if (!signal.aborted) content.replaceChildren(make("p.empty.card", problem.message));
  }
}

/** All years begin with the first that was measured. */
function trimmed(energy) {
  const first = energy.buckets.findIndex((bucket) => bucket.import_wh !== undefined || bucket.export_wh !== undefined);
  return { ...energy, buckets: first < 0 ? [] : energy.buckets.slice(first) };
}

async function render(content, kind, key, energy, cost, as, signal) {
  const now = Date.now();
  const shown = energy.buckets.map((bucket) => bar(bucket, energy, now));
  if (!shown.some(({ kind: each }) => each === "whole" || each === "part")) {
    content.append(make("p.empty.card", words.nothingRecorded));
    return;
  }
  content.append(totals(kind, energy, cost));
  const card = make("section.card.chart-card", head(kind, key, energy, shown, cost, as));
  content.append(card);
  if (as === "table") card.append(table(...rowsOf(kind, energy, shown, cost)));
  else {
    await barsCard(card, kind, energy, shown, cost, signal);
    if (kind === "day") await curve(content, key, energy, signal);
  }
  content.append(notes(energy));
}

function head(kind, key, energy, shown, cost, as) {
  const choose = (next) => { become(kind, [key], { as: next }); dispatchEvent(new Event("hashchange")); };
  return make("div.card-head", make("h2", words.by[KINDS[kind].bucket]),
    make("div.switch", { role: "group", "aria-label": words.showAs },
      make("button", { type: "button", "aria-pressed": String(as !== "table"), onclick: () => choose("") }, words.chart),
      make("button", { type: "button", "aria-pressed": String(as === "table"), onclick: () => choose("table") }, words.table)),
    make("button.quiet", { type: "button", onclick: () => download(`iskra-${kind}-${key || "years"}.csv`, csv(energy, shown, cost)) }, "CSV"));
}

async function barsCard(card, kind, energy, shown, cost, signal) {
  const told = make("p.told", { "aria-live": "polite" }, words.legend(Boolean(energy.export)));
  const box = make("div.chart");
  card.append(told, box);
  const text = (at) => [bucketText(kind, energy.buckets[at], shown[at]), cost?.text(energy.buckets[at])].filter(Boolean).join(" · ");
  const next = inside[kind];
  await bars(box, shown, {
    unit: "kWh", labels: labelsOf(kind, energy.buckets), middle: kind === "month" || kind === "year" || kind === "all",
    label: words.by[KINDS[kind].bucket], text, signal, number: axisNumber,
    onPick: (at) => say(told, at === null ? words.legend(Boolean(energy.export)) : text(at)),
    onOpen: next && ((at) => go(next, [keyOf(next, periodKey(next, energy.buckets[at].begin))])),
  });
}

const periodKey = (kind, begin) => ({ day: begin.slice(0, 10), month: begin.slice(0, 7), year: begin.slice(0, 4) }[kind]);

function totals(kind, energy, cost) {
  const big = (name, total, flow) => make("div.total", { "data-flow": flow }, make("dt", name), make("dd", kwhShort(total)));
  const most = mostOf(kind, energy);
  return make("dl.totals", big(`↓ ${words.drawn}`, energy.import.total_wh, "import"),
    energy.export && big(`↑ ${words.fed}`, energy.export.total_wh, "export"),
    cost && make("div.total", make("dt", words.cost.cost), make("dd", cost.total)),
    most && make("div.total", make("dt", words.most[KINDS[kind].bucket]), make("dd", most)));
}

function mostOf(kind, energy) {
  const measured = energy.buckets.filter((bucket) => bucket.import_wh !== undefined);
  if (measured.length < 2) return null;
  const best = measured.reduce((a, b) => (Number(b.import_wh) > Number(a.import_wh) ? b : a));
  const name = kind === "day" ? wall(best.begin) : nameOf(kind, best);
  return `${name} · ${kind === "day" ? `${rounded(times(best.import_wh, 4))} W` : kwhShort(best.import_wh)}`;
}

/** What the counter showed at both ends; gaps and epochs in words. */
function notes(energy) {
  const counters = [[words.drawn, energy.import], [words.fed, energy.export]].filter(([, counter]) => counter?.first);
  return make("section.card.notes", make("h2", words.readings),
    make("dl.pairs", counters.flatMap(([name, { obis, first, last }]) => [first, last].map((end) =>
      pair(`${name} · ${obis.replace("1-0:", "").replace("*255", "")} · ${stamp(new Date(end.at))}`, kwh(end.register_wh))))),
    make("ul.marks",
      energy.import.gaps.map((gap) => make("li", words.gap(stamp(new Date(gap.begin)), stamp(new Date(gap.end)), kwh(gap.energy_wh)))),
      marks(energy).map((mark) => make("li", words.epochAt(stamp(new Date(mark.at)), mark.before_wh && kwh(mark.before_wh), kwh(mark.after_wh))))));
}

function rowsOf(kind, energy, shown, cost) {
  const columns = [words.period, `${words.drawn} (kWh)`, ...(energy.export ? [`${words.fed} (kWh)`] : []), ...(cost ? [words.cost.cost] : []), words.quality];
  const rows = energy.buckets.map((bucket, at) => [
    nameOf(kind, bucket), kwhCell(bucket.import_wh), ...(energy.export ? [kwhCell(bucket.export_wh)] : []), ...(cost ? [cost.text(bucket) || "–"] : []), quality(bucket, shown[at]),
  ]);
  return [columns, rows];
}

const kwhCell = (wh) => (wh === undefined ? "–" : kwh(wh).replace(/\u00a0?\s?kWh$/, ""));
const quality = (bucket, { kind }) => (kind === "ahead" ? words.ahead : words.qualities[kind === "whole" && bucket.import_quality === "partial" ? "running" : bucket.import_quality]);

function csv(energy, shown, cost) {
  const head = ["begin", "end", "import_wh", "import_quality", ...(energy.export ? ["export_wh", "export_quality"] : []), ...(cost ? ["cost_amount"] : [])];
  const value = (bucket, name) => (name === "cost_amount" ? cost.of(bucket) : bucket[name]) ?? "";
  const rows = energy.buckets.filter((_, at) => shown[at].kind !== "ahead").map((bucket) => head.map((name) => value(bucket, name)));
  return [head, ...rows].map((row) => row.join(",")).join("\r\n") + "\r\n";
}
