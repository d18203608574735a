// The texts of the views of a central server, in the language of the page. Apart from those that every view loads.

import { language } from "./language.js";

export const { fleetWords } = await (language === "de" ? import("./words/fleetDe.js")
  : import("./words/fleetEn.js"));
