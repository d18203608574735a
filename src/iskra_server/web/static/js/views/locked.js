// Locked meter: what it means, and how to enter the PIN with a torch.

import { make, setText } from "../dom.js";
import { words } from "../language.js";
import { setupWords } from "../setupWords.js";
import { currentReading, subscribe } from "../store.js";
import { registerWidget } from "../widgets.js";

/** @param {HTMLElement} main @param {AbortSignal} signal */
export function showLockedMeter(main, signal) {
  const texts = setupWords.unlock;
  const counter = registerWidget();
  const state = make("p.soft");
  const steps = texts.steps.map(([title, text, light]) =>
    make("li", make("strong", title), make("p", text),
      light && make("span.flash", { "aria-hidden": "true", "data-light": light })));
  main.append(make("h1", words.setup.pages.locked),
    make("section.card.prose", make("p", texts.what), counter.node, state),
    make("section.card.prose.steps-card", make("h2", texts.stepsTitle), make("ol.steps", steps)),
    make("section.card.prose", make("h2", texts.tipsTitle), make("ul", texts.tips.map((text) => make("li", text)))));
  signal.addEventListener("abort", subscribe(() => {
    const meter = currentReading();
    counter.show(meter, words.waiting);
    setText(state, meter ? (meter.locked ? texts.isLocked : texts.isUnlocked) : "");
  }));
}
