// What stands around every view: the strip, the brand, where one can go, how the data stands, which meter.

import { ageText } from "./ages.js";
import { make, mark, say } from "./dom.js";
import { decimal } from "./exact.js";
import { icon } from "./icons.js";
import { LANGUAGES, language, speak, spoken, words } from "./language.js";
import { HOME, isCentralServer } from "./page.js";
import { link, PERIODS } from "./router.js";
import { age, choose, follow, ids, isOutrun, isSimulated, nameOf, state, status, store } from "./store.js";

const SECTIONS = isCentralServer ? { fleet: [], about: [] } : { now: ["registers"], history: [...PERIODS, "heat", "compare"], cost: [], setup: ["about"] };
const AT = { now: link("now"), history: link("day"), cost: link("cost"), setup: link("setup"), fleet: link("fleet"), about: link("about") };
// more meters than this are a list to choose from, not buttons
const BUTTONS = 4;

/** Fills the body; gives the place for the views, and what to call when another one is shown. */
export function build(body) {
  const main = make("main", { id: "main", tabindex: "-1" });
  const links = Object.keys(SECTIONS).map((section) =>
    make("a", { href: AT[section], "data-section": section }, icon(section), make("span", words.sections[section])));
  const pulse = make("p.pulse", make("span.dot", { "aria-hidden": "true" }), make("span"), make("span.wide"));
  const strip = make("p.strip", { hidden: true }, make("span", words.simulated), make("span.wide", ` ${words.simulatedLong}`));
  const meters = make("div.meters", { hidden: true, role: "group", "aria-label": words.meters });
  const trouble = make("div.trouble", { role: "status" });
  body.replaceChildren(
    make("a.skip", { href: "#main", onclick: (event) => { event.preventDefault(); main.focus(); } }, words.skip),
    strip,
    make("header", make("a.brand", { href: AT[HOME] }, "ISKRA Electricity"),
      make("nav.sections", { "aria-label": words.sectionsLabel }, links), pulse),
    meters, trouble, main, foot(),
  );
  follow(() => {
    mark(body, "state", state());
    strip.hidden = !isSimulated();
    say(pulse.children[1], pulseText());
    say(pulse.children[2], shareText());
    renderMeters(meters);
    renderTrouble(trouble);
  });
  return { main, shown: (place) => arrive(body, links, place) };
}

function arrive(body, links, { view }) {
  mark(body, "view", view);
  const section = Object.keys(SECTIONS).find((name) => name === view || SECTIONS[name].includes(view));
  for (const each of links) {
    if (each.dataset.section === section) each.setAttribute("aria-current", "page");
    else each.removeAttribute("aria-current");
  }
  document.title = `${words.titles[view] ?? words.sections[section]} · ISKRA Electricity`;
  scrollTo(0, 0);
}

function foot() {
  const other = Object.keys(LANGUAGES).filter((each) => each !== language);
  return make("footer",
    ...other.map((each) => make("button.quiet", { type: "button", lang: each, onclick: () => speak(each) }, LANGUAGES[each])),
    isCentralServer ? null : make("a", { href: link("wall") }, words.wall), make("a", { href: "docs" }, "API"),
    isCentralServer ? null : make("a", { href: link("about") }, words.about));
}

function pulseText() {
  const now = state();
  if (now !== "live" && now !== "stale") return words[now];
  return `${now === "live" ? words.live : words.stale} · ${words.ago(ageText(age()))}`;
}

function shareText() {
  const share = status()?.share_good;
  return state() === "live" && share != null ? ` · ${words.share(decimal(share * 100, share === 1 ? 0 : 1))}` : "";
}

function renderMeters(bar) {
  const known = ids();
  bar.hidden = known.length < 2;
  const shown = JSON.stringify([known.map(nameOf), store.chosen]);
  if (bar.hidden || bar.dataset.shown === shown) return;
  bar.dataset.shown = shown;
  const pick = (id) => { choose(id); dispatchEvent(new Event("hashchange")); };
  bar.replaceChildren(...(known.length <= BUTTONS
    ? known.map((id) => make("button", { type: "button", "aria-pressed": String(id === store.chosen), onclick: () => pick(id) }, nameOf(id)))
    : [make("select", { "aria-label": words.meters, onchange: (event) => pick(event.target.value) },
      known.map((id) => make("option", { value: id, selected: id === store.chosen }, nameOf(id))))]));
}

/** What is wrong and what to do, in a line, with the way to the whole chain. */
function renderTrouble(box) {
  const own = state() !== "unreachable" && status()?.broken && !isOutrun() ? status() : null;
  const kind = own ? (own.broken === "unlocked" ? "locked" : own.ok ? "weak" : "broken") : "";
  const said = own && spoken(own.advice);
  const shown = `${kind} ${said?.sentence ?? ""}`;
  if (box.dataset.shown === shown) return;
  box.dataset.shown = shown;
  mark(box, "kind", kind);
  const way = kind === "locked" ? [link("setup", ["locked"]), words.locked.how] : [link("setup"), words.setup.look];
  box.replaceChildren(...(own ? [make("strong", said.sentence), make("p", said.next_step), make("a", { href: way[0] }, way[1])] : []));
}
