// Home Assistant: the YAML for this server, ready to copy.

import { ask } from "../api.js";
import { make, say } from "../dom.js";
import { words } from "../language.js";
import { follow, store } from "../store.js";
import { output } from "./chain.js";

export function homeassistant(main, signal) {
  const said = words.setup.hass;
  const yaml = make("pre", { tabindex: "0", "aria-label": "YAML" });
  const copied = make("span.soft", { role: "status" });
  const url = make("input", { type: "url", "aria-label": said.address, value: new URL("./", location.href).href.replace(/\/$/, ""), size: "28", onchange: () => load() });
  const hint = make("p.soft", { hidden: !/^(localhost|127\.|\[::1)/.test(location.hostname) }, said.local);
  main.append(make("h1", "Home Assistant"),
    make("section.card.prose", make("p", said.what), make("ol", said.steps.map((step) => make("li", step)))),
    make("section.card", make("div.card-head", make("h2", "configuration.yaml"), make("label", `${said.address} `, url),
      make("button", { type: "button", onclick: () => copy(yaml, copied, said) }, said.copy), copied), hint, yaml));
  const mqtt = make("section.card");
  main.append(mqtt);
  let shown = null;
  signal.addEventListener("abort", follow(() => {
    const found = store.outputs.find(({ name }) => name === "mqtt");
    const now = JSON.stringify(found ?? false);
    if (now === shown) return;
    shown = now;
    mqtt.replaceChildren(make("h2", "MQTT"), make("p", found ? said.mqtt : said.noMqtt),
      found ? make("ol.chain", output(found)) : make("pre", { tabindex: "0", "aria-label": "IES_MQTT_URL" }, "IES_MQTT_URL=mqtt://USER@HOST"));
  }));
  async function load() {
    try {
      say(yaml, (await ask("api/v1/homeassistant", { url: url.value }, signal)).yaml);
    } catch (problem) {
      if (!signal.aborted) say(yaml, problem.message);
    }
  }
  load();
}

/** The clipboard is for https and this machine alone; elsewhere the text is selected, to be copied by key. */
async function copy(node, told, said) {
  getSelection().selectAllChildren(node);
  const done = await navigator.clipboard?.writeText(node.textContent).then(() => true, () => false);
  say(told, (done ?? document.execCommand("copy")) ? said.copied : said.selected);
}
