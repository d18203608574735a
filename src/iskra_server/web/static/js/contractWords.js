// The texts of the form for a contract, in the language of the page. Apart from the others: few people open it.

import { language } from "./language.js";

export const { contractWords } = await (language === "de" ? import("./words/contractDe.js")
  : import("./words/contractEn.js"));
