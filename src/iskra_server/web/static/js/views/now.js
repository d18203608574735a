// Now: power, the register, the last hour, today by quarter-hour, today so far.

import { make, painted, pair, setContent, setText } from "../dom.js";
import { rounded } from "../exact.js";
import { words } from "../language.js";
import { link } from "../router.js";
import {
  currentReading, phasePowers, powerOf, registerValue, store, subscribe, totalText, virtualState, whenChosen,
} from "../store.js";
import { reloadForPart } from "../stream.js";
import { historyNote, missingReadingText, powerWidget, registerWidget } from "../widgets.js";

/** @type {View} */
export function show(main, _address, signal) {
  const hour = make("div.chart.hour");
  const power = powerWidget();
  const rate = make("p.rate");
  power.node.append(rate);
  const counter = registerWidget();
  const title = make("h2", words.reading);
  const note = make("p.soft.note");
  const others = make("dl.pairs");
  const day = make("div.chart", historyNote(signal, "p.soft"));
  const caption = make("p.caption", { "aria-live": "polite" });
  const facts = make("div.facts", historyNote(signal, "p.soft", words.noDataYet));
  main.append(
    make("h1.hidden", words.sections.now),
    make("section.card.power", make("h2", words.power), make("div.power-row", power.node, hour)),
    make("section.card.reading", title, counter.node, note, others,
      make("p.more", make("a", { href: link("registers") }, words.allRegisters))),
    make("section.card.today", make("h2", make("a", { href: link("day") }, words.todayChart)), caption, day),
    make("section.card.so-far", make("h2", words.todaySoFar), facts),
  );
  signal.addEventListener("abort", subscribe(() => {
    power.show();
    const meter = currentReading();
    const total = registerValue(meter, "energy_import");
    hour.hidden = Boolean(meter) && powerOf(meter) === undefined;
    counter.show(meter, missingReadingText());
    const virtual = virtualState(store.chosen);
    setText(title, virtual ? words.virtual.title : words.reading);
    counter.node.hidden = Boolean(virtual) && total === undefined;
    renderOthers(others, meter);
  }));
  // the number comes first: the charts load after it has been painted
  whenChosen(signal, async () => {
    await painted();
    const charts = await import("./nowCharts.js").catch(reloadForPart);
    if (signal.aborted) return;
    if (charts) charts.showCharts(main, { hour, note, day, caption, facts, rate }, signal);
    else for (const node of [day, facts]) node.replaceChildren(words.noChart);
  });
}

/** The other counter, and the phases. @param {HTMLElement} list @param {ReturnType<typeof currentReading>} meter */
function renderOthers(list, meter) {
  const exported = totalText(meter, "energy_export");
  const phases = phasePowers(meter);
  /** @type {[string, string][]} */
  const rows = [];
  if (exported !== undefined) rows.push([`${words.counters.export} · 2.8.0`, exported]);
  if (phases) rows.push([words.phases, `${phases.map((watts) => rounded(watts)).join(" · ")} W`]);
  setContent(list, rows.map(([name, text]) => pair(name, text)));
}
