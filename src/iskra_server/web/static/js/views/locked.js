// A locked meter: what it means, and how a torch enters the PIN.

import { make } from "../dom.js";
import { words } from "../language.js";
import { fresh, follow } from "../store.js";
import { register } from "../register.js";
import { value } from "../store.js";

export function locked(main, signal) {
  const said = words.setup.unlock;
  const counter = register();
  const now = make("p.soft");
  main.append(make("h1", words.setup.pages.locked),
    make("section.card.prose", make("p", said.what), counter.node, now),
    make("section.card.prose", make("h2", said.stepsTitle), make("ol.steps", said.steps.map(([title, text, seconds]) =>
      make("li", make("strong", title), make("p", text), seconds && make("span.flash", { "aria-hidden": "true", "data-light": seconds }))))),
    make("section.card.prose", make("h2", said.goodTitle), make("ul", said.good.map((text) => make("li", text)))));
  signal.addEventListener("abort", follow(() => {
    const meter = fresh();
    counter.show(value(meter, "energy_import"), meter?.locked === true, words.waiting);
    const text = meter ? (meter.locked ? said.isLocked : said.isOpen) : "";
    if (now.textContent !== text) now.textContent = text;
  }));
}
