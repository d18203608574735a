// Opens the event stream before the rest of the page is loaded; events wait until then. Imports nothing, to be first.
// Also reloads the page if a file failed to load, for example because the network changed.

const RETRY_MS = 1000;
const MAX_RETRY_MS = 60_000;
const MAX_RELOADS = 3;
const KEY = "iskra-reloads";
// the first event comes at once: a stream without any for so long is held back by a proxy until it ends
const HELD_BACK_MS = 5000;
const BRIEF_KEY = "iskra-brief";
const DICTIONARY_MS = 10_000;
const POLL_MS = 50;

/** @typedef {(name: string, event: MessageEvent, at: number) => void} Listener `at` is the time of arrival */

/** @type {Parameters<Listener>[]} */
const waiting = [];
/** @type {Listener} */
let onEvent = (...event) => { waiting.push(event); };

/** Opens the stream; one that is held back is replaced by brief answers, in this tab from then on. */
export function connect(isBrief = stored(BRIEF_KEY) === "yes") {
  const stream = new EventSource(isBrief ? "api/v1/live?brief=yes" : "api/v1/live");
  const timer = setTimeout(() => { stream.close(); connect(!isBrief); }, HELD_BACK_MS);
  ["open", "error", "reading", "status"].forEach((name) => {
    stream.addEventListener(name, (event) => {
      if (name !== "open") clearTimeout(timer);
      if (name === "status" && isBrief) store(BRIEF_KEY, "yes");
      onEvent(name, event, performance.now());
    });
  });
}

/** Passes all events to a listener, first those that waited. @param {Listener} listener */
export function listen(listener) {
  onEvent = listener;
  for (const event of waiting.splice(0)) listener(...event);
}

/** Reloads the page as soon as the server answers: after a second, doubled each time. */
export async function reloadPage() {
  clearTimeout(resetTimer);
  const count = reloadCount();
  do await pause(Math.min(RETRY_MS * 2 ** count, MAX_RETRY_MS));
  while (!(await fetch("healthz").catch(() => null))?.ok);
  setReloadCount(count + 1);
  location.reload();
}

/** The same for a part that the page works without, but not again and again: that may be missing for good. */
export async function reloadForPart() {
  if (reloadCount() < MAX_RELOADS) await reloadPage();
}

// a page that has worked for so long is complete
const resetTimer = setTimeout(() => setReloadCount(0), MAX_RETRY_MS);
/** @param {number} ms @returns {Promise<void>} */
const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/** Reloads in a row; without session storage the maximum, so that there is no endless loop. */
function reloadCount() {
  try { return Number(sessionStorage.getItem(KEY)); } catch { return MAX_RELOADS; }
}

const setReloadCount = (/** @type {number} */ count) => store(KEY, String(count));

function stored(/** @type {string} */ key) {
  try { return sessionStorage.getItem(key); } catch { return null; }
}

function store(/** @type {string} */ key, /** @type {string} */ value) {
  try { sessionStorage.setItem(key, value); } catch { /* no session storage */ }
}

/** @type {EventTarget[]} */
const failed = [];
addEventListener("error", ({ target }) => { if (target instanceof HTMLScriptElement) failed.push(target); }, true);

addEventListener("load", async () => {
  /** @type {NodeListOf<HTMLLinkElement>} */
  const sheets = document.querySelectorAll("link[rel=stylesheet]");
  const isStyled = [...sheets].every(isLoaded);
  // the dictionary is loaded after the rest, and the load event does not wait for it
  const deadline = performance.now() + DICTIONARY_MS;
  while (!document.querySelector("main") && failed.length === 0 && performance.now() < deadline) await pause(POLL_MS);
  // a style sheet that fails every time is blocked: the page works without it
  if (!document.querySelector("main") || (!isStyled && reloadCount() < MAX_RELOADS)) reloadPage();
});

/** A sheet that failed to load is null in some browsers, and has unreadable rules in others. */
function isLoaded(/** @type {HTMLLinkElement} */ { sheet }) {
  try { return Boolean(sheet?.cssRules.length); } catch { return false; }
}

// a central server has no telegrams
if (document.documentElement.dataset.central !== "yes") connect();
