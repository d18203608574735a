// The diagnosis of each source: which checks pass, the first that fails, and what to do next. Below it the outputs.

import { time } from "../clock.js";
import { make, pair, setContent } from "../dom.js";
import { decimal, grouped } from "../exact.js";
import { localized, words } from "../language.js";
import { link } from "../router.js";
import { setupWords } from "../setupWords.js";
import { pageState, store, subscribe } from "../store.js";
import { askedCard, outputNotices } from "./asked.js";
import { outputItem, SIGNS, virtualItem, virtualNotices } from "./stateItems.js";

// checks that may fail because the head is not well placed
const ALIGNMENT_CHECKS = ["data", "signal", "protocol", "telegrams", "checksums"];
// protocols that come by a cable
const BY_CABLE = ["p1", "dlms"];

/** @param {HTMLElement} main @param {AbortSignal} signal */
export function showDiagnosis(main, signal) {
  const list = make("div.content");
  main.append(make("h1", words.setup.pages.diagnosis), list);
  signal.addEventListener("abort", subscribe(() => {
    const { statuses, history, outputs } = store;
    const noStatus = pageState() === "unreachable" ? words.unreachable : words.connecting;
    setContent(list,
      statuses.length ? statuses.map(sourceCard) : make("p.empty.card", noStatus),
      store.virtual.length > 0 && make("section.card", make("h2", setupWords.virtualMeters),
        make("ol.checks", store.virtual.map(virtualItem)), virtualNotices(store.virtual)),
      history && make("section.card", make("h2", words.sections.history), make("p", history)),
      outputs.length > 0 && make("section.card", make("h2", setupWords.outputs),
        make("ol.checks", outputs.map(outputItem)), outputNotices(outputs)),
      askedCard(outputs));
  }));
}

/** @param {Api.SourceStatus} status */
function sourceCard(status) {
  const failed = status.checks.find(({ state }) => state === "failed");
  const checks = status.checks.map((check) =>
    make("li", { "data-check": check.state, "aria-current": check === failed ? "step" : null },
      make("span.node", { "aria-hidden": "true" }, SIGNS[check.state]), make("span", localized(check.label)),
      make("span.hidden", ` ${setupWords.states[check.state]}`)));
  return make("section.card", { "data-ok": String(status.ok) },
    make("h2.name", status.facts.name || status.meter_id || status.port),
    verdict(status, failed),
    make("ol.checks.twelve", checks),
    otherAdvice(status).map(({ sentence, next_step: next }) => make("p.notice", sentence, " ", next)),
    make("dl.pairs", facts(status).map(([name, text]) => pair(name, text))),
    unknownList(status.facts),
  );
}

/** @type {Set<string>} the sources whose list is open: each status draws it again */
const openLists = new Set();

/** The types and values of a list that nothing describes. @param {Api.Facts} facts */
function unknownList({ source, last_unreadable: telegram }) {
  if (!telegram?.elements?.length) return null;
  const ontoggle = (/** @type {Event & {target: HTMLDetailsElement}} */ { target }) => {
    if (target.open) openLists.add(source); else openLists.delete(source);
  };
  // with its source: in the place of another one it does not stay, as its listener would
  return make("details", { "data-source": source, open: openLists.has(source), ontoggle },
    make("summary", setupWords.unknownList), make("pre", telegram.elements.join("\n")));
}

/** @param {Api.SourceStatus} status @param {Api.Check | undefined} failed */
function verdict(status, failed) {
  const { sentence, next_step: next } = localized(status.advice);
  const kind = !status.ok ? "failed" : failed ? "weak" : "passed";
  const isAlignment = failed && ALIGNMENT_CHECKS.includes(failed.name) && !BY_CABLE.includes(status.facts.protocol)
    && status.advice.fault !== "no_usb_head";
  return make("div.verdict", { "data-kind": kind, role: "status" },
    make("p", make("strong", sentence)), next && make("p", next),
    isAlignment ? make("a", { href: link("setup", ["head"]) }, words.setup.pages.head) : null,
    status.facts.locked ? make("a", { href: link("setup", ["locked"]) }, words.howToUnlock) : null);
}

/** Faults besides the one of the verdict, and notices. @param {Api.SourceStatus} status */
function otherAdvice({ checks, notices, advice }) {
  const others = [...checks.flatMap((check) => check.advice ?? []), ...notices];
  return others.filter(({ fault }) => fault !== advice.fault).map((other) => localized(other));
}

/** @param {Record<string, number>} counts of faults, by kind */
function countsText(counts) {
  /** @type {Record<string, string>} */
  const kinds = setupWords.faultKinds;
  return Object.entries(counts).filter(([, count]) => count)
    .map(([kind, count]) => `${kinds[kind] ?? kind} ${grouped(String(count))}`).join(", ");
}

/** @param {Api.SourceStatus} status @returns {[string, string][]} */
function facts({ facts: all, port, valid_ratio: ratio, meter_id: meter }) {
  const { faults, unreadable = {}, age_s: age, telegrams, quarantined, protocol, line } = all;
  const texts = setupWords;
  const [baud, format] = line.split(" ");
  // the age is that at the time of the status
  const lastReading = age === null ? null : Date.now() - (performance.now() - store.statusAt) - age * 1000;
  /** @type {[string, string | null][]} */
  const rows = [
    [texts.port, port],
    [texts.protocol, protocol.toUpperCase()],
    [texts.line, line && texts.lineText(baud, format)],
    [words.meter, meter],
    [texts.validSinceStart, ratio === null ? null : `${decimal(ratio * 100, 2)} %`],
    [texts.telegrams, grouped(String(telegrams))],
    [texts.damaged, countsText(faults)],
    [texts.unreadable, countsText(unreadable)],
    [texts.quarantined, quarantined > 0 ? grouped(String(quarantined)) : null],
    [texts.lastReading, lastReading === null ? null : time(lastReading)],
  ];
  return rows.flatMap(([name, text]) => (text ? [[name, text]] : []));
}
