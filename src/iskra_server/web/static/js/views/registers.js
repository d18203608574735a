// Every register of the meter, and what is known of the meter itself.

import { time } from "../clock.js";
import { make, pair } from "../dom.js";
import { decimal, grouped, isNumber } from "../exact.js";
import { language, words } from "../language.js";
import { instead } from "../power.js";
import { follow, fresh, status } from "../store.js";

export function show(main, _place, signal) {
  const rows = make("tbody");
  const facts = make("dl.pairs");
  const note = make("p.soft");
  main.append(
    make("section.card.registers", make("h1", words.allRegisters), note, make("table", rows)),
    make("section.card", make("h2", words.meter), facts),
  );
  signal.addEventListener("abort", follow(() => {
    const meter = fresh();
    note.textContent = meter ? "" : instead(null);
    rows.replaceChildren(...(meter?.registers ?? []).map(row));
    facts.replaceChildren(...(meter ? factsOf(meter) : []));
  }));
}

function row(register) {
  const exact = isNumber(register.value);
  const label = language === "de" ? register.label_de : register.label;
  return make("tr",
    make("th", { scope: "row" }, label, make("small", `${register.obis.replace("*255", "")} · ${register.name}`),
      register.derived && make("small.derived", `${words.derived}: ${words.derivedFrom[register.derived] ?? register.derived}`)),
    make(exact ? "td.number" : "td.text", `${exact ? grouped(register.value) : register.text ?? register.value}`, register.unit && make("span.unit", ` ${register.unit}`)));
}

function factsOf(meter) {
  const share = status()?.share_good;
  const known = {
    label: meter.label ?? meter.id, family: meter.family, maker: meter.maker, source: meter.source, protocol: meter.protocol?.toUpperCase(),
    state: meter.locked === null ? null : meter.locked ? words.lockedState : words.unlockedState,
    status: meter.status && [meter.status.hex, ...meter.status.flags.map((flag) => flag.replaceAll("_", " "))].join(" · "),
    quality: share == null ? null : `${decimal(share * 100, 1)} %`, received: time(new Date(meter.received_at)),
  };
  return Object.entries(known).filter(([, text]) => text).map(([name, text]) => pair(words.facts[name], text));
}
