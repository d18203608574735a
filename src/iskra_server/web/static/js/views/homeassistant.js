// Home Assistant: the YAML for this server, ready to copy.

import { messageOf, request } from "../api.js";
import { copy } from "../copy.js";
import { make, setContent, setText } from "../dom.js";
import { language, words } from "../language.js";
import { isIngress, serverAddress } from "../page.js";
import { setupWords } from "../setupWords.js";
import { store, subscribe } from "../store.js";
import { outputItem } from "./stateItems.js";

/** @param {HTMLElement} main @param {AbortSignal} signal */
export function showHomeAssistant(main, signal) {
  const texts = setupWords.hass;
  const yaml = make("pre", { tabindex: "0", "aria-label": "YAML" });
  const copied = make("span.soft", { role: "status" });
  const url = make("input", {
    type: "url", "aria-label": texts.address, size: "28", onchange: () => load(),
    value: serverAddress,
  });
  const isLocal = !isIngress && /^(localhost|127\.|\[::1)/.test(location.hostname);
  const mqtt = make("section.card.prose");
  main.append(make("h1", "Home Assistant"),
    make("section.card.prose", make("p", isIngress ? texts.whatInApp : texts.what),
      make("ol", texts.steps.map((step) => make("li", step)))),
    mqtt,
    make("section.card",
      make("div.card-head", make("h2", "configuration.yaml"), make("label", `${texts.address} `, url),
        make("button", { type: "button", onclick: () => copy(yaml, copied) }, words.copying.copy), copied),
      make("p.soft", { hidden: !isLocal }, texts.local), yaml));
  signal.addEventListener("abort", subscribe(() => renderMqtt(mqtt)));
  let current = 0;
  async function load() {
    current += 1;
    const own = current;
    const text = await request("api/v1/homeassistant", { url: url.value, lang: language }, signal)
      .then((answer) => answer.yaml, messageOf);
    // an answer for the address before may come later
    if (!signal.aborted && own === current) setText(yaml, text);
  }
  load();
}

/** @param {HTMLElement} card */
function renderMqtt(card) {
  const texts = setupWords.hass;
  const output = store.outputs.find(({ name }) => name === "mqtt");
  const missing = isIngress ? texts.noMqttInApp : texts.noMqtt;
  const variable = isIngress ? null
    : make("pre", { tabindex: "0", "aria-label": "IES_MQTT_URL" }, "IES_MQTT_URL=mqtt://USER@HOST");
  setContent(card, make("h2", "MQTT"), make("p", output ? texts.mqtt : missing),
    output ? make("ol.checks", outputItem(output)) : variable);
}
