// Lists of a central server, page by page, and the table of its meters.

import { messageOf, request } from "../api.js";
import { ageText, timeOrDate } from "../clock.js";
import { make } from "../dom.js";
import { rounded } from "../exact.js";
import { fleetWords } from "../fleetWords.js";
import { words } from "../language.js";
import { isScoped } from "../page.js";
import { link } from "../router.js";

/** The kinds of group that have a page. @type {GroupKind[]} */
export const GROUP_KINDS = ["building", "tenant", "tariff"];

/** @param {string} kind @returns {kind is GroupKind} */
export const isGroupKind = (kind) => GROUP_KINDS.some((name) => name === kind);

/** @typedef {{kind: GroupKind, place: string[]}} Inside a list of meters of one group, of this period */

/**
 * Shows the meters that a query finds as a table in `box`: on a phone a few lines for each.
 * @param {HTMLElement} box
 * @param {Query} query
 * @param {AbortSignal} signal
 * @param {Inside | null} inside
 */
export function meterTable(box, query, signal, inside = null) {
  const texts = fleetWords;
  const columns = [words.meter, texts.lastHeard, words.sections.now, texts.groups, texts.reader];
  const rows = make("tbody");
  const head = columns.map((name, at) => make(at === 2 ? "th.number" : "th", { scope: "col" }, name));
  const table = make("div.scroll.meter-table", { tabindex: "0", role: "region", "aria-label": texts.meters },
    make("table", make("thead", make("tr", head)), rows));
  return pagedList(box, { path: "api/v1/fleet/meters", itemsOf: ({ meters }) => meters, query, signal }, table, rows,
    (meter) => make("tr", { "data-check": meter.silent && !meter.replaced_by ? "failed" : null },
      make("th", { scope: "row" }, numberLink(meter)),
      make("td.contact", contactText(meter)),
      make("td.number", meter.power_w === undefined ? "–" : `${rounded(meter.power_w)} W`),
      make("td.groups", groupLinks(meter.labels, inside)),
      make("td.reader", make("span.label", { "aria-hidden": "true" }, `${texts.reader}: `), meter.reader)));
}

/**
 * The number of a meter, with a link to its energy where no group shows it and the token may ask for it.
 * @param {Api.FleetMeterAnswer} meter
 */
const numberLink = ({ id, labels }) => (isScoped || GROUP_KINDS.some((kind) => labels[kind]) ? id
  : make("a", { href: link("fleet", ["meter", id]) }, id));

/** @param {Api.FleetMeterAnswer} meter */
function contactText({ replaced_by: successor, silent, last_seen: seen, age_s: age }) {
  if (successor) return fleetWords.replacedBy(successor);
  return silent ? fleetWords.silentSince(timeOrDate(Date.parse(seen))) : words.ago(ageText(age));
}

/**
 * The groups of a meter, those with a page first, without the one that is shown already; they open at its period.
 * @param {Record<string, string>} labels
 * @param {Inside | null} inside
 */
function groupLinks(labels, inside) {
  const others = Object.keys(labels).filter((kind) => !isGroupKind(kind));
  return [...GROUP_KINDS, ...others].filter((kind) => labels[kind] && kind !== inside?.kind).map((kind, at) => {
    const value = labels[kind];
    return [at ? ", " : "", isGroupKind(kind)
      ? make("a", { href: link("fleet", [kind, value, ...(inside?.place ?? [])]) }, value) : `${kind} ${value}`];
  });
}

/** @type {WeakMap<HTMLElement, Node>} the newest list of each box, which makes older answers obsolete */
const newest = new WeakMap();

/**
 * Shows a list of the central server as `rows` of a node in `box`, with a button for the next page.
 * @template {"api/v1/fleet/meters" | "api/v1/fleet/groups" | "api/v1/fleet/readers"} P
 * @template Item
 * @param {HTMLElement} box
 * @param {{path: P, itemsOf: (answer: Api.Answers[P]) => Item[], query: Query, signal: AbortSignal}} list
 * @param {HTMLElement} node
 * @param {HTMLElement} rows
 * @param {(item: Item) => Node} row
 */
export async function pagedList(box, { path, itemsOf, query, signal }, node, rows, row) {
  newest.set(box, node);
  const isObsolete = () => signal.aborted || newest.get(box) !== node;
  async function load(/** @type {string} */ after) {
    try {
      const answer = await request(path, { ...query, ...(after && { after }) }, signal);
      if (isObsolete()) return;
      const { next } = answer;
      rows.append(...itemsOf(answer).map(row));
      box.replaceChildren(rows.children.length ? node : make("p.empty", fleetWords.none),
        next ? moreButton(next) : "");
    } catch (error) {
      if (!isObsolete()) box.replaceChildren(make("p.empty", messageOf(error)));
    }
  }
  /** Pressed once: twice would bring the same rows twice. */
  function moreButton(/** @type {string} */ next) {
    const button = make("button", { type: "button", onclick: () => { button.disabled = true; load(next); } },
      fleetWords.more);
    return button;
  }
  await load("");
}
