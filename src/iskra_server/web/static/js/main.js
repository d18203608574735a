// The page starts here: one store, one stream, one view at a time.

import { painted } from "./dom.js";
import { language } from "./language.js";
import { listen } from "./live.js";
import { route } from "./router.js";
import { build } from "./shell.js";
import { apply } from "./theme.js";

document.documentElement.lang = language;
listen();
apply();
const { main, shown } = build(document.body);
route(main, shown);
painted().then(() => import("./keys.js")).then(({ keys }) => keys(main));
