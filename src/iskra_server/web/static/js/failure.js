// An error in the place of what could not be loaded, with the time it speaks of.

import { messageOf } from "./api.js";
import { time } from "./clock.js";
import { make } from "./dom.js";
import { words } from "./language.js";

/** @param {unknown} error */
export const failureText = (error) => `${words.atTime(time(Date.now()))}: ${messageOf(error)}`;

/** @param {unknown} error */
export const failureCard = (error) => make("p.empty.card", { role: "alert" }, failureText(error));
