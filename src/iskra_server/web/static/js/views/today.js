// Today: by quarter hour, so far, against yesterday, with the base load and the strongest quarter.

import { askMeter } from "../api.js";
import { bars } from "../charts/bars.js";
import { shifted, shortTime, today } from "../clock.js";
import { costLine } from "../costs.js";
import { make, pair, say } from "../dom.js";
import { minus, rounded } from "../exact.js";
import { words } from "../language.js";
import { axisNumber, bar, quarterText } from "../measured.js";
import { follow, fresh, value, whenChosen } from "../store.js";
import { baseLoad, comparison, NIGHTS, peak, quarters, soFar } from "../today.js";

const QUARTER_MS = 900_000;
// a quarter that has ended is in history a little later
const LATER_MS = 5_000;

/** Fills the chart of the day with what is told of a bar below it, and what there is to say of today. */
export function showToday({ day, told, facts }, signal) {
  let midnight = null;
  const show = () => renderSoFar(facts, midnight, fresh());
  signal.addEventListener("abort", follow(show));
  const renew = async () => {
    midnight = await renewToday(day, told, signal);
    show();
  };
  whenChosen(signal, async () => {
    await renew();
    const next = QUARTER_MS - (Date.now() % QUARTER_MS) + LATER_MS;
    let timer = setTimeout(function again() { renew(); timer = setTimeout(again, QUARTER_MS); }, next);
    signal.addEventListener("abort", () => clearTimeout(timer));
  });
}

async function renewToday(box, told, signal) {
  const date = today();
  try {
    const [energy, days] = await Promise.all([
      askMeter("energy", { from: date, bucket: "15min" }, signal),
      askMeter("quarters", { from: shifted(date, -NIGHTS), to: date }, signal),
    ]);
    const all = quarters(days);
    const cost = await costLine(date, signal);
    if (signal.aborted) return null;
    await drawToday(box, told, energy, signal);
    return {
      date, cost, all, beginning: energy.import.first, hasEpoch: energy.import.epochs.length > 0, gaps: energy.import.gaps.length,
      fed: soFar(all, date).down, comparison: comparison(all, date), peak: peak(all, date), base: baseLoad(all),
    };
  } catch (problem) {
    if (signal.aborted) return null;
    box.replaceChildren(make("p.empty", problem.message));
    return { date, sentence: problem.message };
  }
}

async function drawToday(box, told, energy, signal) {
  box.replaceChildren();
  const now = Date.now();
  const shown = energy.buckets.map((bucket) => bar(bucket, energy, now));
  const labels = energy.buckets.flatMap(({ begin }, at) => (begin.slice(14, 16) === "00" && Number(begin.slice(11, 13)) % 3 === 0 ? [[at, begin.slice(11, 13)]] : []));
  const text = (at) => quarterText(energy.buckets[at], shown[at]);
  await bars(box, shown, {
    unit: "kWh", labels, label: words.todayByQuarter, text, signal, number: axisNumber,
    onPick: (at) => say(told, at === null ? words.legend(Boolean(energy.export)) : text(at)),
  });
}

function renderSoFar(box, known, meter) {
  if (!known) return;
  if (known.sentence) { box.replaceChildren(make("p.soft", known.sentence)); return; }
  const exact = exactSoFar(known, meter);
  const compared = known.comparison;
  const [whole, rows] = [exact === null ? null : rounded(exact, 3, 3), [
    known.fed === null ? null : [words.fedInToday, `${rounded(known.fed, 3, 3)} kWh`],
    known.base === null ? null : [words.baseLoad, `${rounded(known.base)} W`],
    known.peak && [words.peakQuarter, `${shortTime(known.peak.at)} · ${rounded(known.peak.watts)} W`],
    known.cost && [words.cost.month, known.cost],
  ].filter(Boolean)];
  const shown = JSON.stringify([whole, rows]);
  if (box.dataset.shown === shown) return;
  box.dataset.shown = shown;
  box.replaceChildren(
    make("p.middle", whole === null ? make("span.soft", words.nothingYet) : [make("span", whole), make("span.unit", "kWh")]),
    compared ? make("p.compared", against(compared)) : "",
    make("dl.pairs", rows.map(([name, text]) => pair(name, text))),
  );
}

/** From midnight to this telegram where the counter is known at midnight, else what history has of today. */
function exactSoFar(known, meter) {
  const total = value(meter, "energy_import");
  const atMidnight = known.beginning?.at.slice(0, 16) === `${known.date}T00:00`;
  if (total !== undefined && atMidnight && !known.hasEpoch && !meter.locked && known.date === today()) {
    const energy = minus(total, known.beginning.register_wh);
    if (!energy.startsWith("-")) return energy;
  }
  return soFar(known.all, known.date).up;
}

function against({ until, difference }) {
  const text = `${rounded(difference.replace("-", ""), 3, 3)} kWh`;
  if (Number(difference) === 0) return words.asYesterday(until);
  return Number(difference) < 0 ? words.lessThanYesterday(text, until) : words.moreThanYesterday(text, until);
}
