// Alignment of the head: valid telegrams of the last ten seconds as a number, a line and a tone; and of the last day.

import { request } from "../api.js";
import { roundHours } from "../calendar.js";
import { drawLine } from "../charts/line.js";
import { shortTime, time } from "../clock.js";
import { make, setContent, setData, setText } from "../dom.js";
import { axisNumber } from "../energyText.js";
import { decimal } from "../exact.js";
import { words } from "../language.js";
import { setupWords } from "../setupWords.js";
import { store } from "../store.js";

const REFRESH_MS = 1000;
const DAY_REFRESH_MS = 60_000;
const SHOWN_S = 180;
const MINUTE_S = 60;
// no labels that close to the ends of the axis
const EDGE_S = 10;
// a well-placed head reaches nine of ten valid telegrams even on a bad day
const GOOD_RATIO = 0.95;
const TONES_HZ = [220, 880];
const HEIGHT_PX = 140;
// they come by a cable, DLMS sometimes through a head
const BY_CABLE = ["p1", "dlms"];
/** @type {[number, number]} */
const PERCENT_RANGE = [0, 105];

/** @typedef {{times: number[], mean: (number | null)[]}} Points */
/** @typedef {NonNullable<Awaited<ReturnType<typeof drawLine>>>} LineChart */

/** @param {HTMLElement} main @param {AbortSignal} signal */
export function showHead(main, signal) {
  const texts = setupWords.head;
  const number = make("span.number");
  const unit = make("span.unit", "%");
  const big = make("p.big", number, unit);
  const verdict = make("p.direction", { "aria-live": "polite" });
  const counts = make("p.soft");
  const sound = soundButton(signal);
  const select = make("select", { hidden: true, "aria-label": words.meters });
  const box = make("div");
  const [dayBox, dayCaption] = [make("div"), make("p.caption.small")];
  main.append(make("h1", words.setup.pages.head),
    make("section.card.align", make("h2", texts.now), select, big, verdict, counts, make("p", sound.button), box,
      make("p.caption.small", texts.minutes)),
    make("section.card.prose", make("h2", texts.howTitle), make("ol", texts.how.map((step) => make("li", step)))),
    make("section.card", make("h2", texts.day), dayBox, dayCaption));
  const addPoint = drawLastMinutes(box, signal);
  const chosen = () => Math.max(0, select.selectedIndex);
  select.addEventListener("change", drawLastDay(dayBox, dayCaption, chosen, signal));

  async function refresh() {
    const sources = await request("api/v1/quality", {}, signal).then((answer) => answer.sources, () => null);
    if (signal.aborted) return;
    fillSelect(select, sources ?? []);
    const source = sources?.[chosen()] ?? null;
    const ratio = source?.valid_ratio ?? null;
    // without a telegram there is no number, but a sentence
    const missing = sources === null ? words.unreachable : texts.nothing;
    setText(number, ratio === null ? missing : decimal(ratio * 100, 0));
    setData(big, "kind", ratio === null ? "none" : "");
    unit.hidden = ratio === null;
    showVerdict(verdict, ratio, source !== null && isByCable(source.source));
    setText(counts, source && ratio !== null ? texts.counts(source.valid, source.damaged) : "");
    addPoint(ratio === null ? null : Math.round(ratio * 100));
    sound.play(ratio);
  }
  refresh();
  const timer = setInterval(refresh, REFRESH_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
}

/** Whether the protocol of this source is one that comes by a cable. @param {string} name */
function isByCable(name) {
  const protocol = store.statuses.find(({ source }) => source === name)?.facts.protocol;
  return BY_CABLE.includes(protocol ?? "");
}

/** @param {HTMLElement} node @param {number | null} ratio @param {boolean} byCable */
function showVerdict(node, ratio, byCable) {
  const texts = setupWords.head;
  const [good, weak] = byCable ? [texts.goodByCable, texts.weakByCable] : [texts.good, texts.weak];
  const isGood = ratio !== null && ratio >= GOOD_RATIO;
  setData(node, "flow", ratio === null ? "" : isGood ? "export" : "import");
  setText(node, ratio === null ? "" : isGood ? good : weak);
}

/** Draws the last minutes; the returned function adds a point. @param {HTMLElement} box @param {AbortSignal} signal */
function drawLastMinutes(box, signal) {
  /** @type {Points} */
  const points = { times: [], mean: [] };
  /** @type {LineChart | null} */
  let chart = null;
  const now = Date.now() / 1000;
  drawLine(box, points, {
    begin: now - SHOWN_S, end: now, small: true, unit: "%", yRange: PERCENT_RANGE, signal, number: axisNumber,
    label: setupWords.head.minutes, height: () => HEIGHT_PX, labels: minuteLabels,
    text: (at) => `${time(points.times[at] * 1000)} · ${points.mean[at] ?? "–"} %`,
  }).then((line) => { chart = line; });
  return (/** @type {number | null} */ percent) => {
    const at = Date.now() / 1000;
    points.times.push(at);
    points.mean.push(percent);
    if (points.times.length > SHOWN_S) { points.times.shift(); points.mean.shift(); }
    chart?.update(points, at - SHOWN_S, at);
  };
}

/** Labels at full minutes, not close to the ends. @param {[number, number]} ends @returns {[number, string][]} */
function minuteLabels([from, to]) {
  const first = Math.ceil((from + EDGE_S) / MINUTE_S) * MINUTE_S;
  return [first, first + MINUTE_S, first + 2 * MINUTE_S].filter((at) => at < to - EDGE_S)
    .map((at) => [at, shortTime(at * 1000)]);
}

/** @param {number} valid @param {number} damaged */
const percent = (valid, damaged) => (valid + damaged ? Math.round((1000 * valid) / (valid + damaged)) / 10 : null);

/**
 * Draws the valid telegrams of the last day and refreshes them; the returned function refreshes at once.
 * @param {HTMLElement} box
 * @param {HTMLElement} caption
 * @param {() => number} chosen the index of the source
 * @param {AbortSignal} signal
 */
function drawLastDay(box, caption, chosen, signal) {
  const texts = setupWords.head;
  /** @type {Points} */
  const shown = { times: [], mean: [] };
  const text = (/** @type {number} */ at) => `${shortTime(shown.times[at] * 1000)} · ${shown.mean[at] ?? "–"} %`;
  /** @type {ReturnType<typeof drawLine> | null} */
  let drawing = null;
  async function refresh() {
    const answer = await request("api/v1/quality/day", {}, signal).catch(() => null);
    const source = answer?.sources[chosen()];
    if (!answer || !source || signal.aborted) return;
    const { slot_s: slot, valid, damaged } = source;
    const end = Date.parse(answer.at) / 1000;
    const begin = end - valid.length * slot;
    // two points per slot, so that a single slot is a visible line
    shown.times = valid.flatMap((_, at) => [begin + at * slot, begin + (at + 1) * slot - 1]);
    shown.mean = valid.flatMap((count, at) => Array(2).fill(percent(count, damaged[at])));
    if (drawing) { (await drawing)?.update(shown, begin, end); return; }
    drawing = drawLine(box, shown, {
      begin, end, small: true, unit: "%", yRange: PERCENT_RANGE, signal, number: axisNumber, label: texts.day,
      height: () => HEIGHT_PX, labels: (ends) => roundHours(ends, 6).map((at) => [at, shortTime(at * 1000)]),
      text, caption, legend: texts.dayCaption,
    });
  }
  refresh();
  const timer = setInterval(refresh, DAY_REFRESH_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
  return refresh;
}

/** @param {HTMLSelectElement} select @param {Api.SourceQuality[]} sources */
function fillSelect(select, sources) {
  select.hidden = sources.length < 2;
  const names = sources.map(({ port, meter_id: meter }) => meter || port);
  const index = select.selectedIndex;
  setContent(select, names.map((name) => make("option", name)));
  select.selectedIndex = Math.max(0, index);
}

/** A tone per second, the higher the better; none while nothing arrives. @param {AbortSignal} signal */
function soundButton(signal) {
  const texts = setupWords.head;
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
    play(/** @type {number | null} */ ratio) {
      if (!audio || ratio === null) return;
      const [low, high] = TONES_HZ;
      const tone = new OscillatorNode(audio, { frequency: low * (high / low) ** ratio });
      const volume = new GainNode(audio, { gain: 0.15 });
      tone.connect(volume).connect(audio.destination);
      volume.gain.setTargetAtTime(0, audio.currentTime + 0.12, 0.04);
      tone.start();
      tone.stop(audio.currentTime + 0.4);
    },
  };
}
