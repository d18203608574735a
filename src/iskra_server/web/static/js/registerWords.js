// The texts of the registers, in the language of the page. Apart from the others, which every view loads.

import { language } from "./language.js";

export const { registerWords } = await (language === "de" ? import("./words/registersDe.js")
  : import("./words/registersEn.js"));
