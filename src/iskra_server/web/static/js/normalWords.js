// The texts of "Is that normal?", in the language of the page. Apart from the others, which every view loads.

import { language } from "./language.js";

export const { normalWords } = await (language === "de" ? import("./words/normalDe.js")
  : import("./words/normalEn.js"));
