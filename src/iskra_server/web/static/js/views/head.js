// Moving the head: the share of good telegrams of the last ten seconds, big, as a line, and as sound on request.

import { ask } from "../api.js";
import { drawLine } from "../charts/line.js";
import { shortTime, time } from "../clock.js";
import { isNew, make, setData, setText } from "../dom.js";
import { axisNumber } from "../energyText.js";
import { decimal } from "../exact.js";
import { words } from "../language.js";

const EVERY_MS = 1000;
const DAY_EVERY_MS = 60_000;
const SHOWN_S = 180;
// nine of ten telegrams is what a well-placed head reaches on a bad day
const GOOD = 0.9;
const TONES_HZ = [220, 880];
const HEIGHT_PX = 140;
/** @type {[number, number]} */
const PERCENT_REACH = [0, 105];

/** @typedef {{times: number[], mean: (number | null)[]}} Points */
/** @typedef {NonNullable<Awaited<ReturnType<typeof drawLine>>>} LineChart */

/** @param {HTMLElement} main @param {AbortSignal} signal */
export function head(main, signal) {
  const texts = words.setup.head;
  const number = make("span.number");
  const big = make("p.big", number, make("span.unit", "%"));
  const verdict = make("p.direction", { "aria-live": "polite" });
  const counts = make("p.soft");
  const sound = soundButton(signal);
  const select = make("select", { hidden: true, "aria-label": words.meters });
  const box = make("div");
  const [dayBox, dayCaption] = [make("div"), make("p.caption.small", texts.dayOver)];
  main.append(make("h1", words.setup.pages.head),
    make("section.card.align", make("h2", texts.now), select, big, verdict, counts, make("p", sound.button), box,
      make("p.caption.small", texts.over)),
    make("section.card", make("h2", texts.day), dayBox, dayCaption),
    make("section.card.prose", make("h2", texts.howTitle), make("ol", texts.how.map((step) => make("li", step)))));
  const addPoint = lastMinutes(box, signal);
  const chosen = () => Math.max(0, select.selectedIndex);
  select.addEventListener("change", lastDay(dayBox, dayCaption, chosen, signal));

  async function look() {
    const sources = await ask("api/v1/quality", {}, signal).then((answer) => answer.sources, () => null);
    if (signal.aborted) return;
    fillSelect(select, sources ?? []);
    const source = sources?.[chosen()] ?? null;
    const share = source?.valid_ratio ?? null;
    setText(number, share === null ? "–" : decimal(share * 100, 0));
    setData(big, "kind", sources === null ? "past" : "");
    setData(verdict, "flow", share === null ? "" : share >= GOOD ? "export" : "import");
    setText(verdict, sources === null ? words.unreachable : verdictText(share));
    setText(counts, source ? texts.counts(source.valid, source.damaged) : "");
    addPoint(share === null ? null : Math.round(share * 100));
    sound.play(share);
  }
  look();
  const timer = setInterval(look, EVERY_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
}

/** @param {number | null} share */
function verdictText(share) {
  const texts = words.setup.head;
  if (share === null) return texts.nothing;
  return share >= GOOD ? texts.good : texts.weak;
}

/** Draws the last minutes; the returned function adds a point. @param {HTMLElement} box @param {AbortSignal} signal */
function lastMinutes(box, signal) {
  /** @type {Points} */
  const points = { times: [], mean: [] };
  /** @type {LineChart | null} */
  let chart = null;
  const now = Date.now() / 1000;
  drawLine(box, points, {
    begin: now - SHOWN_S, end: now, small: true, unit: "%", reach: PERCENT_REACH, signal, number: axisNumber,
    label: words.setup.head.over, height: () => HEIGHT_PX, labels: (ends) => evenLabels(ends, 3, time),
    text: (at) => `${shortTime(points.times[at] * 1000)} ${points.mean[at] ?? "–"} %`, onPick: () => {},
  }).then((drawn) => { chart = drawn; });
  return (/** @type {number | null} */ percent) => {
    const at = Date.now() / 1000;
    points.times.push(at);
    points.mean.push(percent);
    if (points.times.length > SHOWN_S) { points.times.shift(); points.mean.shift(); }
    chart?.update(points, at - SHOWN_S, at);
  };
}

/**
 * Labels at the inner edges of so many equal parts.
 * @param {[number, number]} ends
 * @param {number} parts
 * @param {(ms: number) => string} text
 * @returns {[number, string][]}
 */
const evenLabels = ([from, to], parts, text) =>
  Array.from({ length: parts - 1 }, (_, at) => from + ((to - from) * (at + 1)) / parts)
    .map((at) => [at, text(at * 1000)]);

/** @param {number} valid @param {number} damaged */
const percent = (valid, damaged) => (valid + damaged ? Math.round((1000 * valid) / (valid + damaged)) / 10 : null);

/**
 * Draws how telegrams have arrived since yesterday, again and again; the returned function draws it at once.
 * @param {HTMLElement} box
 * @param {HTMLElement} caption
 * @param {() => number} chosen the index of the source
 * @param {AbortSignal} signal
 */
function lastDay(box, caption, chosen, signal) {
  const texts = words.setup.head;
  /** @type {Points} */
  const shown = { times: [], mean: [] };
  const text = (/** @type {number} */ at) => `${shortTime(shown.times[at] * 1000)} · ${shown.mean[at] ?? "–"} %`;
  /** @type {LineChart | null} */
  let chart = null;
  async function look() {
    const answer = await ask("api/v1/quality/day", {}, signal).catch(() => null);
    const source = answer?.sources[chosen()];
    if (!answer || !source || signal.aborted) return;
    const { slot_s: slot, valid, damaged } = source;
    const end = Date.parse(answer.at) / 1000;
    const begin = end - valid.length * slot;
    // each as long as it is: a single one is seen too
    shown.times = valid.flatMap((_, at) => [begin + at * slot, begin + (at + 1) * slot - 1]);
    shown.mean = valid.flatMap((count, at) => Array(2).fill(percent(count, damaged[at])));
    if (chart) { chart.update(shown, begin, end); return; }
    const drawn = await drawLine(box, shown, {
      begin, end, small: true, unit: "%", reach: PERCENT_REACH, signal, number: axisNumber, label: texts.day,
      height: () => HEIGHT_PX, labels: (ends) => evenLabels(ends, 4, shortTime),
      text, onPick: (at) => setText(caption, at === null ? texts.dayOver : text(at)),
    });
    chart ??= drawn;
  }
  look();
  const timer = setInterval(look, DAY_EVERY_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
  return look;
}

/** @param {HTMLSelectElement} select @param {Api.SourceQuality[]} sources */
function fillSelect(select, sources) {
  select.hidden = sources.length < 2;
  const names = sources.map(({ port, meter_id: meter }) => meter || port);
  if (!isNew(select, names)) return;
  const index = select.selectedIndex;
  select.replaceChildren(...names.map((name) => make("option", name)));
  select.selectedIndex = Math.max(0, index);
}

/** A tone a second, the higher the better; silence where nothing arrives. @param {AbortSignal} signal */
function soundButton(signal) {
  const texts = words.setup.head;
  /** @type {AudioContext | null} */
  let audio = null;
  const button = make("button", { type: "button", "aria-pressed": "false", onclick: () => {
    if (audio) { audio.close(); audio = null; } else audio = new AudioContext();
    button.setAttribute("aria-pressed", String(audio !== null));
    setText(button, audio ? texts.soundOff : texts.soundOn);
  } }, texts.soundOn);
  signal.addEventListener("abort", () => audio?.close());
  return {
    button,
    play(/** @type {number | null} */ share) {
      if (!audio || share === null) return;
      const [low, high] = TONES_HZ;
      const tone = new OscillatorNode(audio, { frequency: low * (high / low) ** share });
      const volume = new GainNode(audio, { gain: 0.15 });
      tone.connect(volume).connect(audio.destination);
      volume.gain.setTargetAtTime(0, audio.currentTime + 0.12, 0.04);
      tone.start();
      tone.stop(audio.currentTime + 0.4);
    },
  };
}
