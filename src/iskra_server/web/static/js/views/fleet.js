// A central server: all meters, the silent ones first; groups of meters; the state of the readers.

import { request } from "../api.js";
import { dateTime } from "../clock.js";
import { make, setTitle } from "../dom.js";
import { grouped } from "../exact.js";
import { readerText, spanText } from "../fleetText.js";
import { fleetWords } from "../fleetWords.js";
import { localized, words } from "../language.js";
import { link, replaceAddress } from "../router.js";
import { navBar } from "../toolbar.js";
import { showFleetMeter } from "./fleetMeter.js";
import { showGroup } from "./group.js";
import { GROUP_KINDS, isGroupKind, meterTable, pagedList } from "./meterTable.js";
import { stateItem } from "./stateItems.js";

const TYPING_MS = 300;
// more of them hide the list, which is what people came for
const MAX_PROBLEMS = 2;

/** @type {View} */
export function show(main, { parts: [page = "", ...groupParts], query }, signal) {
  const texts = fleetWords;
  /** @type {[string, string][]} */
  const groupPages = GROUP_KINDS.map((kind) => [kind, texts.kinds[kind]]);
  /** @type {[string, string][]} */
  const pages = [["", texts.meters], ...groupPages, ["readers", texts.readers]];
  main.append(navBar(words.sections.fleet,
    pages.map(([name, label]) => [label, link("fleet", [name]), name === (page === "meter" ? "" : page)])));
  const find = query.get("find") ?? "";
  if (isGroupKind(page) && groupParts.length) showGroup(main, page, groupParts, signal);
  else if (isGroupKind(page)) showGroups(main, page, find, signal);
  else if (page === "readers") showReaders(main, signal);
  else if (page === "meter" && groupParts.length) showFleetMeter(main, groupParts, query.get("as") ?? "", signal);
  else showMeters(main, find, signal);
}

/**
 * What is wrong at the central server, and how many meters it has.
 * @param {HTMLElement} main
 * @param {HTMLElement | null} summary
 * @param {AbortSignal} signal
 */
async function showProblems(main, summary, signal) {
  const texts = fleetWords;
  const box = make("div");
  main.append(box);
  // a token for some groups may not ask for the status
  const status = await request("api/v1/status", {}, signal).catch(() => null);
  const problems = (status?.central?.problems ?? []).map((problem) => {
    const { sentence, next_step: next } = localized(problem);
    return make("p.notice", { "data-kind": "failed" }, make("strong", sentence), ` ${next}`);
  });
  const rest = problems.splice(MAX_PROBLEMS);
  box.append(...problems, rest.length ? make("details", make("summary", texts.moreProblems(rest.length)), rest) : "");
  const facts = status?.central?.facts;
  if (!summary || !facts) return;
  summary.textContent = [
    texts.count(grouped(String(facts.meters))),
    facts.silent_meters ? texts.silentCount(grouped(String(facts.silent_meters))) : "",
  ].filter(Boolean).join(", ");
}

/**
 * A card with a list and a search in it, whose text is in the address.
 * @param {HTMLElement} main
 * @param {{title: string, parts: string[], find: string, label: string, example: string, signal: AbortSignal}} options
 * @param {(box: HTMLElement, find: string) => void} list
 */
function searchCard(main, { title, parts, find, label, example, signal }, list) {
  const box = make("div");
  const summary = make("p.soft");
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const input = make("input", {
    type: "search", value: find, placeholder: example, "aria-label": label,
    oninput: () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        replaceAddress("fleet", parts, { find: input.value });
        list(box, input.value);
      }, TYPING_MS);
    },
  });
  signal.addEventListener("abort", () => clearTimeout(timer));
  addEventListener("hashchange", () => clearTimeout(timer), { signal });
  main.append(make("section.card", make("div.card-head", make("h1", title), summary, input), box));
  list(box, find);
  return summary;
}

/** @param {HTMLElement} main @param {string} find @param {AbortSignal} signal */
function showMeters(main, find, signal) {
  const texts = fleetWords;
  const problems = make("div");
  main.append(problems);
  const summary = searchCard(main, { title: texts.meters, parts: [], find, label: texts.find, example: texts.example,
    signal }, (box, text) => meterTable(box, { find: text }, signal));
  showProblems(problems, summary, signal);
}

/** @param {HTMLElement} main @param {GroupKind} kind @param {string} find @param {AbortSignal} signal */
function showGroups(main, kind, find, signal) {
  const texts = fleetWords;
  const title = texts.kinds[kind];
  setTitle(title);
  searchCard(main, { title, parts: [kind], find, label: texts.findGroup[kind], example: texts.exampleGroup, signal },
    (box, text) => {
      const rows = make("dl.pairs");
      pagedList(box, {
        path: "api/v1/fleet/groups", itemsOf: (answer) => answer.groups, query: { kind, find: text }, signal,
      }, rows, rows, (group) => make("div",
        make("dt", make("a", { href: link("fleet", [kind, group.value]) }, group.value)),
        make("dd", [texts.count(grouped(String(group.meters))), spanText(group)].filter(Boolean)
          .join(" · "))));
    });
}

/** @param {HTMLElement} main @param {AbortSignal} signal */
function showReaders(main, signal) {
  const texts = fleetWords;
  const box = make("div");
  const rows = make("ol.checks");
  const conflicts = make("div");
  setTitle(texts.readers);
  showProblems(main, null, signal);
  main.append(make("section.card", make("h1", texts.readers), conflicts, box));
  /** @param {Api.FleetReaders} answer */
  function itemsOf(answer) {
    const count = grouped(String(answer.conflicts));
    conflicts.replaceChildren(answer.conflicts
      ? make("p.notice", make("strong", texts.conflicts(count)), ` ${texts.conflictsMeaning}`) : "");
    return answer.readers;
  }
  pagedList(box, { path: "api/v1/fleet/readers", itemsOf, query: {}, signal }, rows, rows, (reader) => {
    const silent = reader.silent ? `– ${texts.silentSince(dateTime(new Date(reader.last_seen)))}.` : "";
    // that a meter is read is what a silent reader said last
    const sentence = reader.silent && reader.ok ? "" : localized({ en: reader.sentence, de: reader.sentence_de });
    const item = stateItem(reader.ok && !reader.silent, reader.name, [silent, sentence].filter(Boolean).join(" "));
    item.lastElementChild?.append(make("br"), make("span.soft", readerText(reader)));
    return item;
  });
}
