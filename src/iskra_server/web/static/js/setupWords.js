// The texts of set-up and of About, in the language of the page. Apart from the others, which every view loads.

import { language } from "./language.js";

export const { setupWords } = await (language === "de" ? import("./words/setupDe.js") : import("./words/setupEn.js"));
