// Questions to the server.

import { parse } from "./exact.js";
import { store } from "./store.js";

/** Why there is no answer, as the server said it. */
export class Problem extends Error {
  /** @param {string} sentence @param {string} reason */
  constructor(sentence, reason) {
    super(sentence);
    this.name = "Problem";
    this.reason = reason;
  }
}

/** An answer with its exact numbers as text. Throws Problem; an aborted one throws AbortError. */
export async function ask(path, query = {}, signal = undefined) {
  const answer = await fetch(`${path}?${new URLSearchParams(query)}`, { signal });
  const text = await answer.text();
  if (answer.ok) return parse(text);
  let told = {};
  try { told = JSON.parse(text); } catch { /* a proxy's own page */ }
  throw new Problem(told.detail ?? told.error ?? `${answer.status} ${answer.statusText}`, told.reason ?? "");
}

/** An answer from the history of the chosen meter. */
export const askMeter = (what, query, signal) =>
  ask(`api/v1/meters/${encodeURIComponent(store.chosen.replaceAll(" ", ""))}/${what}`, query, signal);
