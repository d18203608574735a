// The frame around every view: banner, brand, sections, state of the data, choice of meter, warning.

import { ageText, dateTime, format, SHORT, timeOrDate } from "./clock.js";
import { make, setContent, setData, setText, setTitle } from "./dom.js";
import { decimal } from "./exact.js";
import { icon } from "./icons.js";
import { LANGUAGES, language, locale, localized, setLanguage, words } from "./language.js";
import { HOME, isCentralServer, zone } from "./page.js";
import { link, PERIODS } from "./router.js";
import {
  readingAge, chooseMeter, chosenStatus, isRecordedOnly, isSimulated, isStatusOutdated, meterIds, meterName, pageState,
  recordedUntil, store, subscribe, virtualState,
} from "./store.js";

/** @typedef {keyof typeof words.sections & Parameters<typeof icon>[0]} Section */

/** @type {{name: Section, first: string, views: string[]}[]} the view that each opens, and its other views */
const SECTIONS = isCentralServer ? [
  { name: "fleet", first: "fleet", views: [] },
  { name: "about", first: "about", views: [] },
] : [
  { name: "now", first: "now", views: ["registers"] },
  { name: "history", first: "day", views: [...PERIODS, "heat", "compare", "normal", "sum"] },
  { name: "cost", first: "cost", views: ["contracts"] },
  { name: "setup", first: "setup", views: ["about"] },
];
/** @type {Record<string, string>} */
const TITLES = words.titles;
// a telegram lost now and then is usual
const GOOD_RATIO = 0.99;
// more meters are shown as a list, not as buttons
const MAX_BUTTONS = 4;

/** Fills the body. Returns the element for the views, and `onShow` to call when another view is shown. */
export function buildShell(/** @type {HTMLElement} */ body) {
  const main = make("main", { id: "main", tabindex: "-1" });
  const links = SECTIONS.map(({ name, first }) =>
    make("a", { href: link(first), "data-section": name }, icon(name), make("span", words.sections[name])));
  const stateNode = make("span");
  const validNode = make("span.wide");
  const strip = make("aside.strip", { hidden: true, "aria-label": words.simulated },
    make("span", words.simulated), make("span.wide", ` ${words.simulatedDetail}`));
  const meters = make("section.meters", { hidden: true, "aria-label": words.meters });
  const warning = make("div.warning", { role: "status" });
  const skip = (/** @type {Event} */ event) => { event.preventDefault(); main.focus(); };
  body.replaceChildren(
    make("a.skip", { href: "#main", onclick: skip }, words.skip),
    strip,
    make("header", make("a.brand", { href: link(HOME) }, "ISKRA Electricity"),
      make("nav.sections", { "aria-label": words.sectionsLabel }, links),
      make("p.pulse", make("span.dot", { "aria-hidden": "true" }), stateNode, validNode)),
    meters, timeZoneNote(), warning, main, footer(),
  );
  subscribe(() => {
    setData(body, "state", pageState());
    strip.hidden = !isSimulated();
    setText(stateNode, stateText());
    setText(validNode, validText());
    renderMeters(meters);
    renderWarning(warning);
  });
  return {
    main,
    onShow: (/** @type {Address} */ address) => {
      onShow(body, links, address);
      renderMeters(meters);
    },
  };
}

/** @param {HTMLElement} body @param {HTMLElement[]} links @param {Address} address */
function onShow(body, links, { view }) {
  setData(body, "view", view);
  const section = SECTIONS.find(({ name, views }) => name === view || views.includes(view));
  for (const anchor of links) {
    if (anchor.dataset.section === section?.name) anchor.setAttribute("aria-current", "page");
    else anchor.removeAttribute("aria-current");
  }
  // views of a period replace it
  setTitle(TITLES[view] ?? (section ? words.sections[section.name] : ""));
  scrollTo(0, 0);
}

function footer() {
  const otherLanguages = Object.entries(LANGUAGES).filter(([name]) => name !== language);
  return make("footer",
    otherLanguages.map(([name, label]) =>
      make("button.quiet", { type: "button", lang: name, onclick: () => setLanguage(name) }, label)),
    isCentralServer ? null : make("a", { href: link("wall") }, words.wall),
    make("a", { href: "docs" }, "API"),
    isCentralServer ? null : make("a", { href: link("about") }, words.about));
}

const DAY_AND_TIME = { ...SHORT, day: /** @type {const} */ ("numeric") };

/** Names both time zones if the clock of the device shows another time or day than the server. */
function timeZoneNote() {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const isSame = here === zone || !here || [0, 6].every((month) => {
    const moment = new Date(new Date().getFullYear(), month, 15);
    return format(DAY_AND_TIME).format(moment) === moment.toLocaleString(locale, DAY_AND_TIME);
  });
  return isSame ? "" : make("aside.soft.zone", { "aria-label": words.zone }, words.otherZone(zone, here));
}

function stateText() {
  const [state, age] = [pageState(), readingAge()];
  const before = (/** @type {number} */ seconds) => timeOrDate(Date.now() - 1000 * seconds);
  if (state === "unreachable" && store.lostAt !== null) {
    return words.unreachableSince(before((performance.now() - store.lostAt) / 1000));
  }
  if (age === null || (state !== "live" && state !== "stale")) return words[state];
  return state === "stale" ? words.staleSince(before(age)) : `${words.live} · ${words.ago(ageText(age))}`;
}

function validText() {
  const ratio = chosenStatus()?.valid_ratio;
  if (pageState() !== "live" || ratio == null || ratio >= GOOD_RATIO) return "";
  return ` · ${words.validTelegrams(decimal(ratio * 100, ratio === 1 ? 0 : 1))}`;
}

function renderMeters(/** @type {HTMLElement} */ bar) {
  const ids = meterIds();
  bar.hidden = ids.length < 2;
  if (bar.hidden) return;
  const label = (/** @type {string} */ id) => (isRecordedOnly(id)
    ? `${meterName(id)} · ${words.recordedUntil(dateTime(recordedUntil(id) ?? 0))}` : meterName(id));
  const isSum = document.body.dataset.view === "sum";
  // a button that is replaced while it is being pressed is not clicked
  const shown = JSON.stringify([ids.map((id) => [id, label(id)]), isSum, store.chosen, words.titles.sum]);
  if (bar.dataset.shown === shown) return;
  bar.dataset.shown = shown;
  // the view of the sum shows no single meter; it is asked for at the press: a button outlives the view it was made in
  const choose = (/** @type {string} */ id) => {
    const leavesSum = document.body.dataset.view === "sum";
    chooseMeter(id);
    if (leavesSum) location.hash = link(HOME);
  };
  setContent(bar, ids.length <= MAX_BUTTONS
    ? ids.map((id) => make("button", {
      type: "button", value: id, "aria-pressed": String(!isSum && id === store.chosen), onclick: () => choose(id),
    }, label(id)))
    : make("select", { "aria-label": words.meters, onchange: ({ target }) => choose(target.value) },
      ids.map((id) => make("option", { value: id, selected: id === store.chosen }, label(id)))),
  make("a", { href: link("sum"), "aria-current": isSum ? "page" : null }, words.titles.sum));
}

/** Why a virtual meter has no power, or what is worth knowing about it. */
function virtualWarning() {
  const [virtual, state] = [virtualState(store.chosen), pageState()];
  if (!virtual || state === "unreachable") return null;
  const isCurrent = state === "live" || virtual.ok;
  const advice = isCurrent ? virtual.notices[0] : virtual.advice;
  return advice ? { kind: isCurrent ? "weak" : "failed", advice } : null;
}

/** The first failed check in a line: what is wrong, what to do, and a link to the diagnosis. */
function renderWarning(/** @type {HTMLElement} */ box) {
  const status = chosenStatus();
  const isShown = status?.failed_check && pageState() !== "unreachable" && !isStatusOutdated();
  const kind = !isShown ? "" : status.failed_check === "unlocked" ? "locked" : status.ok ? "weak" : "failed";
  const virtual = virtualWarning();
  const advice = isShown ? localized(status.advice) : virtual && localized(virtual.advice);
  setData(box, "kind", kind || (virtual?.kind ?? ""));
  setContent(box, advice && [make("strong", advice.sentence), make("p", advice.next_step), kind === "locked"
    ? make("a", { href: link("setup", ["locked"]) }, words.howToUnlock)
    : make("a", { href: link("setup") }, words.setup.diagnosis)]);
}
