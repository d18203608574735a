// Now: power, the register, the last hour, today by quarter hour, today so far.

import { make, pair, painted, say } from "../dom.js";
import { grouped, rounded } from "../exact.js";
import { words } from "../language.js";
import { instead, powerNow } from "../power.js";
import { register } from "../register.js";
import { link } from "../router.js";
import { follow, fresh, phases, value, whenChosen } from "../store.js";
import { again } from "../stream.js";

export function show(main, _place, signal) {
  const hour = make("div.chart.hour");
  const power = powerNow();
  const counter = register();
  const note = make("p.soft.note");
  const beside = make("dl.pairs");
  const day = make("div.chart");
  const told = make("p.told", { "aria-live": "polite" });
  const facts = make("div.facts", make("p.soft", words.loading));
  main.append(
    make("h1.hidden", words.sections.now),
    make("section.card.power", make("h2", words.power), make("div.power-row", power.node, hour)),
    make("section.card.reading", make("h2", words.reading), counter.node, note, beside, make("p.more", make("a", { href: link("registers") }, words.allRegisters))),
    make("section.card.today", make("h2", make("a", { href: link("day") }, words.todayByQuarter)), told, day),
    make("section.card.so-far", make("h2", words.todaySoFar), facts),
  );
  signal.addEventListener("abort", follow(() => {
    power.show();
    const meter = fresh();
    const total = value(meter, "energy_import");
    counter.show(total, meter?.locked === true, total === undefined ? instead(null) : "");
    say(note, meter && total === undefined ? words.noTotal : meter ? "" : instead(null));
    renderBeside(beside, meter);
  }));
  // the number is what people came for: what is drawn beside it is loaded when it is seen
  whenChosen(signal, async () => {
    await painted();
    const loaded = await Promise.all([import("./hour.js"), import("./today.js")]).catch(again);
    if (!loaded || signal.aborted) return;
    const [{ lastHour }, { showToday }] = loaded;
    lastHour(hour, signal);
    showToday({ day, told, facts }, signal);
  });
}

function renderBeside(list, meter) {
  const fedIn = value(meter, "energy_export");
  const each = phases(meter);
  const rows = [
    fedIn === undefined ? null : [words.fedIn, `${grouped(fedIn, 3)} kWh`],
    each && [words.phases, `${each.map((watts) => rounded(watts)).join(" · ")} W`],
  ].filter(Boolean);
  if (list.children.length !== rows.length) list.replaceChildren(...rows.map(([name]) => pair(name, "")));
  rows.forEach(([, text], at) => say(list.children[at].lastChild, text));
}
