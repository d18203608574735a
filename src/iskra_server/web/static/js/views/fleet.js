// The fleet of a centre: its meters, the silent ones first, the groups that they are in, how the readers stand.

import { stamp } from "../clock.js";
import { make } from "../dom.js";
import { words } from "../language.js";
import { become, link } from "../router.js";
import { bar } from "../toolbar.js";
import { standing } from "./chain.js";
import { group } from "./group.js";
import { KINDS, meters, pages } from "./meterTable.js";

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
