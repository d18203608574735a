// The texts of the comparison of contracts, in the language of the page. Apart from the others, which every view loads.

import { language } from "./language.js";

export const { comparisonWords } = await (language === "de" ? import("./words/comparisonDe.js")
  : import("./words/comparisonEn.js"));
