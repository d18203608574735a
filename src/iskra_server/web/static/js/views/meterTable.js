// Lists of a central server, page by page: its meters as a table, and whatever else it has many of.

import { ask } from "../api.js";
import { ageText } from "../ages.js";
import { make } from "../dom.js";
import { rounded } from "../exact.js";
import { words } from "../language.js";
import { link } from "../router.js";

/** The kinds of group that have a page. */
export const KINDS = ["building", "tenant", "tariff"];

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

/** What a list of the central server has as `rows` of a node in `box`, with a button for what follows; the newest question wins. */
export async function pages(box, list, query, signal, node, rows, row) {
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
