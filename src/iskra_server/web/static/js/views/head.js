// Moving the head: the share of good telegrams of the last ten seconds, big, as a line, and as sound on request.

import { ask } from "../api.js";
import { line } from "../charts/line.js";
import { shortTime, time } from "../clock.js";
import { make, mark, say } from "../dom.js";
import { decimal } from "../exact.js";
import { words } from "../language.js";
import { axisNumber } from "../measured.js";

const EVERY_MS = 1000;
const DAY_EVERY_MS = 60_000;
const SHOWN_S = 180;
// nine of ten telegrams is what a well-placed head reaches on a bad day
const GOOD = 0.9;
const TONES_HZ = [220, 880];

export function head(main, signal) {
  const said = words.setup.head;
  const number = make("span.number");
  const big = make("p.big", number, make("span.unit", "%"));
  const verdict = make("p.direction", { "aria-live": "polite" });
  const counts = make("p.soft");
  const sound = soundButton(signal);
  const select = make("select", { hidden: true, "aria-label": words.meters });
  const told = make("p.told.small", said.over);
  const box = make("div");
  const [dayBox, dayTold] = [make("div"), make("p.told.small", said.dayOver)];
  main.append(make("h1", words.setup.pages.head),
    make("section.card.align", make("h2", said.now), select, big, verdict, counts, make("p", sound.button), box, told),
    make("section.card", make("h2", said.day), dayBox, dayTold),
    make("section.card.prose", make("h2", said.howTitle), make("ol", said.how.map((step) => make("li", step)))));
  const points = { times: [], mean: [] };
  let chart = null;
  line(box, points, {
    begin: Date.now() / 1000 - SHOWN_S, end: Date.now() / 1000, small: true, unit: "%", reach: [0, 105], signal, number: axisNumber, label: said.over,
    height: () => 140, labels: ([from, to]) => [1, 2].map((part) => from + ((to - from) * part) / 3).map((at) => [at, time(at * 1000)]),
    text: (at) => `${shortTime(points.times[at] * 1000)} ${points.mean[at] ?? "–"} %`, onPick: () => {},
  }).then((made) => { chart = made; });

  const day = lastDay(dayBox, dayTold, () => Math.max(0, select.selectedIndex), signal);
  select.addEventListener("change", day);

  async function look() {
    const sources = await ask("api/v1/quality", {}, signal).then((answer) => answer.sources, () => null);
    if (signal.aborted) return;
    fill(select, sources ?? []);
    const chosen = sources?.[Math.max(0, select.selectedIndex)] ?? null;
    const share = chosen?.share ?? null;
    say(number, share === null ? "–" : decimal(share * 100, 0));
    mark(big, "kind", sources === null ? "past" : "");
    mark(verdict, "flow", share === null ? "" : share >= GOOD ? "export" : "import");
    say(verdict, sources === null ? words.unreachable : share === null ? said.nothing : share >= GOOD ? said.good : said.weak);
    say(counts, chosen ? said.counts(chosen.good, chosen.damaged) : "");
    const at = Date.now() / 1000;
    points.times.push(at);
    points.mean.push(share === null ? null : Math.round(share * 100));
    if (points.times.length > SHOWN_S) { points.times.shift(); points.mean.shift(); }
    chart?.update(points, at - SHOWN_S, at);
    sound.tell(share);
  }
  look();
  const timer = setInterval(look, EVERY_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
}

const percent = (good, damaged) => (good + damaged ? Math.round((1000 * good) / (good + damaged)) / 10 : null);

/** Draws how telegrams have arrived since yesterday, again and again; gives what draws it at once. */
function lastDay(box, told, chosen, signal) {
  const shown = { times: [], mean: [] };
  const text = (at) => `${shortTime(shown.times[at] * 1000)} · ${shown.mean[at] ?? "–"} %`;
  let chart = null;
  async function look() {
    const answer = await ask("api/v1/quality/day", {}, signal).catch(() => null);
    const source = answer?.sources[chosen()];
    if (!source || signal.aborted) return;
    const end = Date.parse(answer.at) / 1000;
    const begin = end - source.good.length * source.slot_s;
    // each as long as it is: a single one is seen too
    shown.times = source.good.flatMap((_, at) => [0, source.slot_s - 1].map((s) => begin + at * source.slot_s + s));
    shown.mean = source.good.flatMap((good, at) => Array(2).fill(percent(good, source.damaged[at])));
    if (chart) { chart.update(shown, begin, end); return; }
    chart = await line(box, shown, {
      begin, end, small: true, unit: "%", reach: [0, 105], signal, number: axisNumber, label: words.setup.head.day, height: () => 140,
      labels: ([from, to]) => [1, 2, 3].map((part) => from + ((to - from) * part) / 4).map((at) => [at, shortTime(at * 1000)]),
      text, onPick: (at) => say(told, at === null ? words.setup.head.dayOver : text(at)),
    });
  }
  look();
  const timer = setInterval(look, DAY_EVERY_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
  return look;
}

function fill(select, sources) {
  select.hidden = sources.length < 2;
  const names = sources.map(({ port, meter_id: meter }) => meter || port);
  if (select.dataset.shown === String(names)) return;
  select.dataset.shown = String(names);
  const was = select.selectedIndex;
  select.replaceChildren(...names.map((name) => make("option", name)));
  select.selectedIndex = Math.max(0, was);
}

/** A tone a second, the higher the better; silence where nothing arrives. */
function soundButton(signal) {
  const said = words.setup.head;
  let audio = null;
  const button = make("button", { type: "button", "aria-pressed": "false", onclick: () => {
    if (audio) { audio.close(); audio = null; } else audio = new AudioContext();
    button.setAttribute("aria-pressed", String(audio !== null));
    say(button, audio ? said.soundOff : said.soundOn);
  } }, said.soundOn);
  signal.addEventListener("abort", () => audio?.close());
  return {
    button,
    tell(share) {
      if (!audio || share === null) return;
      const [low, high] = TONES_HZ;
      const tone = new OscillatorNode(audio, { frequency: low * (high / low) ** share });
      const loud = new GainNode(audio, { gain: 0.15 });
      tone.connect(loud).connect(audio.destination);
      loud.gain.setTargetAtTime(0, audio.currentTime + 0.12, 0.04);
      tone.start();
      tone.stop(audio.currentTime + 0.4);
    },
  };
}
