// The texts of solar power, in the language of the page. Apart from the others, which every view loads.

import { language } from "./language.js";

export const { solarWords } = await (language === "de" ? import("./words/solarDe.js") : import("./words/solarEn.js"));
