// Requests to the API of the server.

import { parse } from "./exact.js";
import { store } from "./store.js";

/** An error answer of the server: its sentence, and the reason as a word. */
export class Problem extends Error {
  /** @param {string} sentence @param {string} reason */
  constructor(sentence, reason) {
    super(sentence);
    this.name = "Problem";
    this.reason = reason;
  }
}

/**
 * An answer with its exact numbers as text. Throws Problem, or AbortError.
 * @template {keyof Api.Answers} P
 * @param {P} path
 * @param {Query} query
 * @param {AbortSignal} signal
 * @returns {Promise<Api.Answers[P]>}
 */
export const request = (path, query, signal) => fetchAnswer(path, query, signal);

/**
 * An answer from the history of the chosen meter; see `whenChosen`.
 * @template {keyof Api.MeterAnswers} R
 * @param {R} route
 * @param {Query} query
 * @param {AbortSignal} signal
 * @returns {Promise<Api.MeterAnswers[R]>}
 */
export const requestHistory = (route, query, signal) =>
  fetchAnswer(`api/v1/meters/${encodeURIComponent((store.chosen ?? "").replaceAll(" ", ""))}/${route}`, query, signal);

/** @param {string} path @param {Query} query @param {AbortSignal} signal */
async function fetchAnswer(path, query, signal) {
  const answer = await fetch(`${path}?${new URLSearchParams(query)}`, { signal });
  const text = await answer.text();
  if (answer.ok) return parse(text);
  let body = {};
  try { body = JSON.parse(text); } catch { /* not from this server but from a proxy */ }
  const { detail, error, reason } = /** @type {{detail?: string, error?: string, reason?: string}} */ (body);
  throw new Problem(detail ?? error ?? `${answer.status} ${answer.statusText}`, reason ?? "");
}

/** The message of an error, for people. @param {unknown} error */
export const messageOf = (error) => (error instanceof Error ? error.message : String(error));
