// What to do with the files: sentences, some with a command.

import { startsBroker } from "./choices.js";

/** @typedef {import("./choices.js").Choices} Choices */
/** @typedef {typeof import("./words/en.js").words} Words */

const PORT = "8080";

/** @param {Choices} choices @param {Words} words @param {boolean} hasFile whether there is an iskra-server.toml */
export function steps(choices, words, hasFile) {
  const texts = words.steps;
  const way = wayStep(choices, words);
  switch (choices.install) {
    case "app": return [texts.appOptions, ...(hasFile ? [texts.appFile] : []), ...way];
    case "debian": return [hasFile ? texts.debianSave : texts.debianNothing, texts.debianOpen, ...way];
    default: return [texts.dockerSave, texts.dockerOpen(choices.hostPort.trim()),
      ...(hasFile ? [texts.dockerCheck] : []), ...way];
  }
}

/** @param {Choices} choices @param {Words} words */
function wayStep(choices, { steps: texts }) {
  const { install, homeAssistant, hostPort } = choices;
  const isApp = install === "app";
  const isDocker = install === "docker";
  const print = `${isDocker ? "docker compose exec iskra-server " : ""}iskra-server homeassistant --url http://HOST:`
    + `${isDocker ? hostPort.trim() : PORT}`;
  switch (homeAssistant) {
    case "integration": return [isApp ? texts.appIntegration : texts.integration];
    case "mqtt": return [isApp ? texts.appMqtt : startsBroker(choices) ? texts.brokerBeside : texts.mqtt];
    case "rest": return [[...texts.rest, print]];
    default: return [];
  }
}
