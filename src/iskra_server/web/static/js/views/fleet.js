// The fleet of a centre: its meters, the silent ones first, the groups that they are in, how the readers stand.

import { ask } from "../api.js";
import { stamp } from "../clock.js";
import { make } from "../dom.js";
import { rounded } from "../exact.js";
import { words } from "../language.js";
import { become, link } from "../router.js";
import { ageText } from "../shell.js";
import { bar } from "../toolbar.js";
import { standing } from "./chain.js";
import { group } from "./group.js";

const KINDS = ["building", "tenant", "tariff"];
const TYPING_MS = 300;

export function show(main, { parts: [page = "", ...more], query }, signal) {
  const said = words.fleet;
  const places = [["", said.meters], ...KINDS.map((kind) => [kind, said.kinds[kind]]), ["readers", said.readers]];
  main.append(bar(words.sections.fleet, places.map(([each, name]) => [name, link("fleet", [each]), each === page])));
  if (KINDS.includes(page) && more.length) group(main, page, more, signal);
  else if (KINDS.includes(page)) groups(main, page, signal);
  else if (page === "readers") readers(main, signal);
  else search(main, query.get("find") ?? "", signal);
}

function search(main, find, signal) {
  const said = words.fleet;
  const box = make("div");
  let timer = null;
  const input = make("input", { type: "search", value: find, placeholder: said.example, "aria-label": said.find, oninput: () => {
    clearTimeout(timer);
    timer = setTimeout(() => { become("fleet", [], { find: input.value }); look(); }, TYPING_MS);
  } });
  signal.addEventListener("abort", () => clearTimeout(timer));
  main.append(make("section.card", make("div.card-head", make("h1", said.meters), input), box));
  const look = () => meters(box, { find: input.value }, signal);
  look();
}

/** A table of meters in `box`, page by page. */
export function meters(box, query, signal) {
  const said = words.fleet;
  const columns = [words.meter, said.heard, words.sections.now, said.in, said.reader];
  const rows = make("tbody");
  const table = make("div.scroll", { tabindex: "0", role: "region", "aria-label": said.meters },
    make("table", make("thead", make("tr", columns.map((name, at) => make(at === 2 ? "th.number" : "th", { scope: "col" }, name)))), rows));
  return pages(box, "meters", query, signal, table, rows, (meter) => make("tr", { "data-link": meter.silent ? "broken" : null },
    make("th", { scope: "row" }, meter.id),
    make("td", meter.silent ? said.silent(ageText(meter.age_s)) : words.ago(ageText(meter.age_s))),
    make("td.number", meter.power_w === undefined ? "–" : `${rounded(meter.power_w)} W`),
    make("td", Object.entries(meter.labels).flatMap(([kind, value], at) => [at ? ", " : "", labelled(kind, value)])),
    make("td", meter.reader)));
}

const labelled = (kind, value) => (KINDS.includes(kind) ? make("a", { href: link("fleet", [kind, value]) }, value) : `${kind} ${value}`);

function groups(main, kind, signal) {
  const said = words.fleet;
  const box = make("div");
  const rows = make("dl.pairs");
  main.append(make("section.card", make("h1", said.kinds[kind]), box));
  pages(box, "groups", { kind }, signal, rows, rows, ({ value, meters: count }) =>
    make("div", make("dt", make("a", { href: link("fleet", [kind, value]) }, value)), make("dd", said.count(count))));
}

function readers(main, signal) {
  const said = words.fleet;
  const box = make("div");
  const rows = make("ol.chain");
  main.append(make("section.card", make("h1", said.readers), box));
  pages(box, "readers", {}, signal, rows, rows, ({ name, ok, silent, last_heard: heard, sentence }) =>
    standing(ok && !silent, name, `${silent ? said.lastHeard(stamp(new Date(heard))) : ""} ${sentence}`));
}

/** What a list of the centre has as `rows` of a node in `box`, with a button for what follows; the newest question wins. */
async function pages(box, list, query, signal, node, rows, row) {
  box.asked = node;
  const isOld = () => signal.aborted || box.asked !== node;
  async function more(after) {
    try {
      const answer = await ask(`api/v1/fleet/${list}`, { ...query, ...(after && { after }) }, signal);
      if (isOld()) return;
      rows.append(...answer[list].map(row));
      box.replaceChildren(rows.children.length ? node : make("p.empty", words.fleet.none),
        answer.next ? make("button", { type: "button", onclick: () => more(answer.next) }, words.fleet.more) : "");
    } catch (problem) {
      if (!isOld()) box.replaceChildren(make("p.empty", problem.message));
    }
  }
  await more("");
}
