// The diagnosis of each source as a picture: which checks pass, the first that fails, what to do next.

import { ageText, time } from "../clock.js";
import { isNew, make, pair } from "../dom.js";
import { decimal } from "../exact.js";
import { localized, words } from "../language.js";
import { link } from "../router.js";
import { pageState, store, subscribe } from "../store.js";
import { outputItem, SIGNS } from "./stateItems.js";

// checks that a millimetre of the head decides about
const ALIGNED = ["data", "signal", "protocol", "telegrams", "checksums"];

/** @param {HTMLElement} main @param {AbortSignal} signal */
export function chain(main, signal) {
  const list = make("div.content");
  main.append(make("h1", words.setup.pages.chain), list);
  signal.addEventListener("abort", subscribe(() => {
    const isUnreachable = pageState() === "unreachable";
    // ages change all the time: to the second, and of data only whether they are old
    const sources = store.statuses.map((status) => [
      status.checks, status.failed_check, status.valid_ratio, status.facts.name,
      (status.facts.data_age_s ?? 0) > 10, Math.round(status.facts.age_s ?? -1)]);
    if (!isNew(list, [isUnreachable, store.history, store.outputs, sources])) return;
    list.replaceChildren(
      ...(store.statuses.length ? store.statuses.map(sourceCard)
        : [make("p.empty.card", isUnreachable ? words.unreachable : words.connecting)]),
      ...(store.history ? [make("section.card", make("h2", words.sections.history), make("p", store.history))] : []),
      ...(store.outputs.length ? [make("section.card", make("h2", words.setup.outputs),
        make("ol.chain", store.outputs.map(outputItem)))] : []),
    );
  }));
}

/** @param {Api.SourceStatus} status */
function sourceCard(status) {
  const failed = status.checks.find(({ state }) => state === "failed");
  const checks = status.checks.map((step) =>
    make("li", { "data-check": step.state, "aria-current": step === failed ? "step" : null },
      make("span.node", { "aria-hidden": "true" }, SIGNS[step.state]), make("span", localized(step.label)),
      make("span.hidden", ` ${words.setup.states[step.state]}`)));
  return make("section.card", { "data-ok": String(status.ok) },
    make("h2", status.facts.name || status.meter_id || status.port),
    make("ol.chain", checks),
    verdict(status, failed),
    otherAdvice(status).map(({ sentence, next_step: next }) => make("p.notice", sentence, " ", next)),
    make("dl.pairs", facts(status).map(([name, text]) => pair(name, text))),
  );
}

/** @param {Api.SourceStatus} status @param {Api.Check | undefined} failed */
function verdict(status, failed) {
  const { sentence, next_step: next } = localized(status.advice);
  const kind = !status.ok ? "failed" : failed ? "weak" : "passed";
  const isAligned = failed && ALIGNED.includes(failed.name);
  return make("div.verdict", { "data-kind": kind, role: "status" },
    make("p", make("strong", sentence)), next && make("p", next),
    isAligned ? make("a", { href: link("setup", ["head"]) }, words.setup.align) : null,
    status.facts.locked ? make("a", { href: link("setup", ["locked"]) }, words.locked.how) : null);
}

/** Other faults than that of the verdict, and what else is worth knowing. @param {Api.SourceStatus} status */
function otherAdvice({ checks, notices, advice }) {
  const others = [...checks.flatMap((step) => step.advice ?? []), ...notices];
  return others.filter(({ fault }) => fault !== advice.fault).map((other) => localized(other));
}

/** @param {Api.SourceStatus} status @returns {[string, string][]} */
function facts({ facts: { faults, age_s: age, telegrams, quarantined }, port, valid_ratio: share, meter_id: meter }) {
  const texts = words.setup;
  const damaged = Object.entries(faults).filter(([, count]) => count).map(([kind, count]) => `${kind} ${count}`);
  /** @type {[string, string | null][]} */
  const rows = [
    [texts.port, port],
    [words.meter, meter],
    [texts.shareSinceStart, share === null ? null : `${decimal(share * 100, 2)} %`],
    [texts.telegrams, String(telegrams)],
    [texts.damaged, damaged.join(", ")],
    [texts.quarantined, quarantined > 0 ? String(quarantined) : null],
    [texts.lastReading, age === null ? null
      : `${time(new Date(Date.now() - age * 1000))} (${words.ago(ageText(age))})`],
  ];
  return rows.flatMap(([name, text]) => (text ? [[name, text]] : []));
}
