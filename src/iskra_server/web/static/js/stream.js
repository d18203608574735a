// The stream of telegrams, opened before the rest of the page has been loaded: what comes until then waits. It imports
// nothing, so that nothing delays it. Of the rest, what does not come (a network that changes drops what it loads) is
// loaded anew.

const RETRY_MS = 1000;
const LONGEST_RETRY_MS = 60_000;
const TRIES = 3;
const RELOADS = "reloads";

/** @typedef {(name: string, event: MessageEvent, at: number) => void} Listener is given the time of arrival too */

/** @type {Parameters<Listener>[]} */
const waiting = [];
/** @type {Listener} */
let onEvent = (...event) => { waiting.push(event); };

export function connect() {
  const stream = new EventSource("api/v1/live");
  ["open", "error", "reading", "status"].forEach((name) => {
    stream.addEventListener(name, (event) => onEvent(name, event, performance.now()));
  });
}

/** Sends all events to a listener, with those that have waited. @param {Listener} listener */
export function listen(listener) {
  onEvent = listener;
  for (const event of waiting.splice(0)) listener(...event);
}

/** Loads the whole page anew, once the server answers: after a second, then twice as late while a part is missing. */
export async function reloadPage() {
  clearTimeout(resetTimer);
  const count = reloadCount();
  do await pause(Math.min(RETRY_MS * 2 ** count, LONGEST_RETRY_MS));
  while (!(await fetch("healthz").catch(() => null))?.ok);
  setReloadCount(count + 1);
  location.reload();
}

// a page that has lasted for so long has all its parts
const resetTimer = setTimeout(() => setReloadCount(0), LONGEST_RETRY_MS);
/** @param {number} ms @returns {Promise<void>} */
const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/** How many times in a row this page was loaded anew; in a browser that remembers nothing, often enough. */
function reloadCount() {
  try { return Number(sessionStorage.getItem(RELOADS)); } catch { return TRIES; }
}

function setReloadCount(/** @type {number} */ count) {
  try { sessionStorage.setItem(RELOADS, String(count)); } catch { /* nothing is remembered */ }
}

addEventListener("load", () => {
  /** @type {NodeListOf<HTMLLinkElement>} */
  const sheets = document.querySelectorAll("link[rel=stylesheet]");
  const isStyled = [...sheets].every(isLoaded);
  // a style sheet that does not come again and again is blocked: the page works without it
  if (!document.querySelector("main") || (!isStyled && reloadCount() < TRIES)) reloadPage();
});

/** What did not come is null in some browsers, and a sheet whose rules must not be read in others. */
function isLoaded(/** @type {HTMLLinkElement} */ { sheet }) {
  try { return Boolean(sheet?.cssRules.length); } catch { return false; }
}

// a central server has a database, and no telegrams
if (document.documentElement.dataset.central !== "yes") connect();
