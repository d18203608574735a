// The chain of each source as a picture: which links hold, the first that is broken, what to do next.

import { ageText } from "../ages.js";
import { time } from "../clock.js";
import { make, pair } from "../dom.js";
import { decimal, grouped } from "../exact.js";
import { spoken, words } from "../language.js";
import { link } from "../router.js";
import { follow, state, store } from "../store.js";

// links that a millimetre of the head decides about
const ALIGNED = ["octets", "signal", "protocol", "telegrams", "checksums"];
const SIGNS = { good: "✓", broken: "✕", unknown: "·" };

export function chain(main, signal) {
  const list = make("div.content");
  main.append(make("h1", words.setup.pages.chain), list);
  let shown = "";
  signal.addEventListener("abort", follow(() => {
    const now = JSON.stringify([state() === "unreachable", store.history, store.outputs, store.statuses.map(({ facts, ...rest }) => [rest.links, rest.broken, facts.name, facts.octets_age_s > 10, Math.round(facts.age_s ?? -1), rest.share_good])]);
    if (now === shown) return;
    shown = now;
    list.replaceChildren(
      ...(store.statuses.length ? store.statuses.map(source) : [make("p.empty.card", words[state() === "unreachable" ? "unreachable" : "connecting"])]),
      ...(store.history ? [make("section.card", make("h2", words.sections.history), make("p", store.history))] : []),
      ...(store.outputs.length ? [make("section.card", make("h2", words.setup.outputs), make("ol.chain", store.outputs.map(output)))] : []),
    );
  }));
}

function source(status) {
  const broken = status.links.find((each) => each.state === "broken");
  return make("section.card", { "data-ok": String(status.ok) },
    make("h2", status.facts.name || status.meter_id || status.port),
    make("ol.chain", status.links.map((each) => make("li", { "data-link": each.state, "aria-current": each === broken ? "step" : null },
      make("span.node", { "aria-hidden": "true" }, SIGNS[each.state]), make("span", spoken(each.label)),
      make("span.hidden", ` ${words.setup.states[each.state]}`)))),
    told(status, broken),
    aside(status).map(({ sentence, next_step: next }) => make("p.notice", sentence, " ", next)),
    make("dl.pairs", facts(status).map(([name, text]) => pair(name, text))),
  );
}

/** Whoever hands readings on: whether it delivers, and how much it has. */
export function output({ name, ok, sentence, ...counts }) {
  const said = ["delivered", "waiting", "refused", "dropped"].filter((kind) => counts[kind] || kind === "delivered")
    .map((kind) => `${grouped(String(counts[kind]))} ${words.setup.handedOn[kind]}`).join(" · ");
  return standing(ok, words.setup.names[name] ?? name, sentence || said);
}

/** Who it is, whether all is well there, and what there is to say, as an item of a list. */
export function standing(isWell, name, sentence) {
  const state = isWell ? "good" : "broken";
  return make("li", { "data-link": state }, make("span.node", { "aria-hidden": "true" }, SIGNS[state]),
    make("span", make("strong", name), make("span.hidden", ` ${words.setup.states[state]}`), ` ${sentence}`));
}

/** What is broken beside the one that is told, and what else is worth knowing. */
function aside(status) {
  const others = [...status.links.filter((each) => each.advice).map((each) => each.advice), ...status.notices];
  return others.filter(({ fault }) => fault !== status.advice.fault).map((each) => spoken(each));
}

function told(status, broken) {
  const { sentence, next_step: next } = spoken(status.advice);
  const kind = !status.ok ? "broken" : broken ? "weak" : "good";
  return make("div.verdict", { "data-kind": kind, role: "status" }, make("p", make("strong", sentence)), next && make("p", next),
    ALIGNED.includes(broken?.name) ? make("a", { href: link("setup", ["head"]) }, words.setup.align) : null,
    status.facts.locked ? make("a", { href: link("setup", ["locked"]) }, words.locked.how) : null);
}

function facts({ facts: known, port, share_good: share, meter_id: meter }) {
  const damaged = Object.entries(known.faults).filter(([, count]) => count).map(([kind, count]) => `${kind} ${count}`).join(", ");
  return [
    [words.setup.port, port],
    meter && [words.meter, meter],
    share != null && [words.setup.shareSinceStart, `${decimal(share * 100, 2)} %`],
    [words.setup.telegrams, String(known.telegrams)],
    damaged && [words.setup.damaged, damaged],
    known.quarantined > 0 && [words.setup.quarantined, String(known.quarantined)],
    known.age_s != null && [words.setup.lastReading, `${time(new Date(Date.now() - known.age_s * 1000))} (${words.ago(ageText(known.age_s))})`],
  ].filter(Boolean);
}
