// The meters of the history: those that are not read now can be chosen too, for example after a restart without a head.

import { request } from "./api.js";
import { notify, store } from "./store.js";

const RETRY_MS = 30_000;

/** Asks again while the history is not open. */
export async function loadRecorded() {
  try {
    store.recorded = (await request("api/v1/history/meters", {}, new AbortController().signal)).meters;
    notify();
  } catch {
    setTimeout(loadRecorded, RETRY_MS);
  }
}
