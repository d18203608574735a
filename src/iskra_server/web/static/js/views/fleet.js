// A central server: all meters, the silent ones first; groups of meters; the state of the readers.

import { request } from "../api.js";
import { dateTime } from "../clock.js";
import { make } from "../dom.js";
import { readerText, spanText } from "../fleetText.js";
import { localized, words } from "../language.js";
import { link, replaceAddress } from "../router.js";
import { navBar } from "../toolbar.js";
import { showGroup } from "./group.js";
import { GROUP_KINDS, isGroupKind, meterTable, pagedList } from "./meterTable.js";
import { stateItem } from "./stateItems.js";

const TYPING_MS = 300;

/** @type {View} */
export function show(main, { parts: [page = "", ...groupParts], query }, signal) {
  const texts = words.fleet;
  /** @type {[string, string][]} */
  const groupPages = GROUP_KINDS.map((kind) => [kind, texts.kinds[kind]]);
  /** @type {[string, string][]} */
  const pages = [["", texts.meters], ...groupPages, ["readers", texts.readers]];
  main.append(navBar(words.sections.fleet,
    pages.map(([name, label]) => [label, link("fleet", [name]), name === page])));
  if (page === "" || page === "readers") showProblems(main, signal);
  if (isGroupKind(page) && groupParts.length) showGroup(main, page, groupParts, signal);
  else if (isGroupKind(page)) showGroups(main, page, signal);
  else if (page === "readers") showReaders(main, signal);
  else showMeters(main, query.get("find") ?? "", signal);
}

/** What is wrong at the central server. @param {HTMLElement} main @param {AbortSignal} signal */
async function showProblems(main, signal) {
  const box = make("div");
  main.append(box);
  // a token for some groups may not ask for the status
  const status = await request("api/v1/status", {}, signal).catch(() => null);
  box.append(...(status?.central?.problems ?? []).map((problem) => {
    const { sentence, next_step: next } = localized(problem);
    return make("p.notice", make("strong", sentence), ` ${next}`);
  }));
}

/** @param {HTMLElement} main @param {string} find @param {AbortSignal} signal */
function showMeters(main, find, signal) {
  const texts = words.fleet;
  const box = make("div");
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const input = make("input", {
    type: "search", value: find, placeholder: texts.example, "aria-label": texts.find,
    oninput: () => {
      clearTimeout(timer);
      timer = setTimeout(() => { replaceAddress("fleet", [], { find: input.value }); search(); }, TYPING_MS);
    },
  });
  signal.addEventListener("abort", () => clearTimeout(timer));
  main.append(make("section.card", make("div.card-head", make("h1", texts.meters), input), box));
  const search = () => meterTable(box, { find: input.value }, signal);
  search();
}

/** @param {HTMLElement} main @param {GroupKind} kind @param {AbortSignal} signal */
function showGroups(main, kind, signal) {
  const box = make("div");
  const rows = make("dl.pairs");
  main.append(make("section.card", make("h1", words.fleet.kinds[kind]), box));
  pagedList(box, {
    path: "api/v1/fleet/groups", itemsOf: (answer) => answer.groups, query: { kind }, signal,
  }, rows, rows, (group) => make("div",
    make("dt", make("a", { href: link("fleet", [kind, group.value]) }, group.value)),
    make("dd", [words.fleet.count(group.meters), spanText(group)].filter(Boolean).join(" · "))));
}

/** @param {HTMLElement} main @param {AbortSignal} signal */
function showReaders(main, signal) {
  const texts = words.fleet;
  const box = make("div");
  const rows = make("ol.checks");
  const conflicts = make("div");
  main.append(make("section.card", make("h1", texts.readers), conflicts, box));
  /** @param {Api.FleetReaders} answer */
  function itemsOf(answer) {
    conflicts.replaceChildren(answer.conflicts ? make("p.notice", texts.conflicts(answer.conflicts)) : "");
    return answer.readers;
  }
  pagedList(box, { path: "api/v1/fleet/readers", itemsOf, query: {}, signal }, rows, rows, (reader) => {
    const silentText = reader.silent ? texts.silentSince(dateTime(new Date(reader.last_seen))) : "";
    const item = stateItem(reader.ok && !reader.silent, reader.name, `${silentText} ${reader.sentence}`);
    item.lastElementChild?.append(make("br"), make("span.soft", readerText(reader)));
    return item;
  });
}
