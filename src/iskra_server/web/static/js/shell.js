// The frame of every view: the strip, the brand, the sections, the state of the data, the meters.

import { ageText, shortTime } from "./clock.js";
import { isNew, make, setData, setText } from "./dom.js";
import { decimal } from "./exact.js";
import { icon } from "./icons.js";
import { LANGUAGES, language, locale, localized, setLanguage, words } from "./language.js";
import { HOME, isCentralServer, zone } from "./page.js";
import { link, PERIODS } from "./router.js";
import {
  ageOfChosen, chooseMeter, chosenStatus, isSimulated, isStatusOutdated, meterIds, meterName, pageState, store,
  subscribe,
} from "./store.js";

/** @typedef {keyof typeof words.sections & Parameters<typeof icon>[0]} Section */

/** @type {{name: Section, first: string, views: string[]}[]} where each leads to, and its other views */
const SECTIONS = isCentralServer ? [
  { name: "fleet", first: "fleet", views: [] },
  { name: "about", first: "about", views: [] },
] : [
  { name: "now", first: "now", views: ["registers"] },
  { name: "history", first: "day", views: [...PERIODS, "heat", "compare"] },
  { name: "cost", first: "cost", views: [] },
  { name: "setup", first: "setup", views: ["about"] },
];
/** @type {Record<string, string>} */
const TITLES = words.titles;
// more meters than this are a list to choose from, not buttons
const MAX_BUTTONS = 4;

/** Fills the body; gives the place for the views, and what to call when another one is shown. */
export function buildShell(/** @type {HTMLElement} */ body) {
  const main = make("main", { id: "main", tabindex: "-1" });
  const links = SECTIONS.map(({ name, first }) =>
    make("a", { href: link(first), "data-section": name }, icon(name), make("span", words.sections[name])));
  const stateNode = make("span");
  const shareNode = make("span.wide");
  const strip = make("p.strip", { hidden: true },
    make("span", words.simulated), make("span.wide", ` ${words.simulatedLong}`));
  const meters = make("div.meters", { hidden: true, role: "group", "aria-label": words.meters });
  const trouble = make("div.trouble", { role: "status" });
  const skip = (/** @type {Event} */ event) => { event.preventDefault(); main.focus(); };
  body.replaceChildren(
    make("a.skip", { href: "#main", onclick: skip }, words.skip),
    strip,
    make("header", make("a.brand", { href: link(HOME) }, "ISKRA Electricity"),
      make("nav.sections", { "aria-label": words.sectionsLabel }, links),
      make("p.pulse", make("span.dot", { "aria-hidden": "true" }), stateNode, shareNode)),
    meters, trouble, main, foot(),
  );
  subscribe(() => {
    setData(body, "state", pageState());
    strip.hidden = !isSimulated();
    setText(stateNode, stateText());
    setText(shareNode, shareText());
    renderMeters(meters);
    renderTrouble(trouble);
  });
  return { main, onShow: (/** @type {Address} */ address) => onShow(body, links, address) };
}

/** @param {HTMLElement} body @param {HTMLElement[]} links @param {Address} address */
function onShow(body, links, { view }) {
  setData(body, "view", view);
  const section = SECTIONS.find(({ name, views }) => name === view || views.includes(view));
  for (const anchor of links) {
    if (anchor.dataset.section === section?.name) anchor.setAttribute("aria-current", "page");
    else anchor.removeAttribute("aria-current");
  }
  const title = TITLES[view] ?? (section && words.sections[section.name]);
  document.title = `${title} · ISKRA Electricity`;
  scrollTo(0, 0);
}

function foot() {
  const others = Object.entries(LANGUAGES).filter(([name]) => name !== language);
  return make("footer", zoneNote(),
    others.map(([name, label]) =>
      make("button.quiet", { type: "button", lang: name, onclick: () => setLanguage(name) }, label)),
    isCentralServer ? null : make("a", { href: link("wall") }, words.wall),
    make("a", { href: "docs" }, "API"),
    isCentralServer ? null : make("a", { href: link("about") }, words.about));
}

/** Days begin in the server's zone: who reads this elsewhere should know. */
function zoneNote() {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const isSame = here === zone || !here || [0, 6].every((month) => {
    const moment = new Date(new Date().getFullYear(), month, 15);
    return shortTime(moment) === moment.toLocaleTimeString(locale, { hour: "numeric", minute: "2-digit" });
  });
  return isSame ? null : make("p.soft.zone", words.otherZone(zone, here));
}

function stateText() {
  const [state, age] = [pageState(), ageOfChosen()];
  if (age === null || (state !== "live" && state !== "stale")) return words[state];
  return `${words[state]} · ${words.ago(ageText(age))}`;
}

function shareText() {
  const share = chosenStatus()?.valid_ratio;
  if (pageState() !== "live" || share == null) return "";
  return ` · ${words.share(decimal(share * 100, share === 1 ? 0 : 1))}`;
}

function renderMeters(/** @type {HTMLElement} */ bar) {
  const ids = meterIds();
  bar.hidden = ids.length < 2;
  if (bar.hidden || !isNew(bar, [ids.map(meterName), store.chosen])) return;
  const pick = (/** @type {string} */ id) => { chooseMeter(id); dispatchEvent(new Event("hashchange")); };
  bar.replaceChildren(...(ids.length <= MAX_BUTTONS
    ? ids.map((id) => make("button", {
      type: "button", "aria-pressed": String(id === store.chosen), onclick: () => pick(id),
    }, meterName(id)))
    : [make("select", { "aria-label": words.meters, onchange: ({ target }) => pick(target.value) },
      ids.map((id) => make("option", { value: id, selected: id === store.chosen }, meterName(id))))]));
}

/** What is wrong and what to do, in a line, with the way to the diagnosis. */
function renderTrouble(/** @type {HTMLElement} */ box) {
  const status = chosenStatus();
  const isShown = status?.failed_check && pageState() !== "unreachable" && !isStatusOutdated();
  const kind = !isShown ? "" : status.failed_check === "unlocked" ? "locked" : status.ok ? "weak" : "failed";
  const advice = isShown ? localized(status.advice) : null;
  if (!isNew(box, [kind, advice?.sentence])) return;
  setData(box, "kind", kind);
  const way = kind === "locked" ? make("a", { href: link("setup", ["locked"]) }, words.locked.how)
    : make("a", { href: link("setup") }, words.setup.look);
  box.replaceChildren(...(advice ? [make("strong", advice.sentence), make("p", advice.next_step), way] : []));
}
