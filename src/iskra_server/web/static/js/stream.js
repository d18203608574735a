// The stream of telegrams, opened before the rest of the page has been loaded: what comes until then waits. It imports
// nothing, so that nothing delays it. Of the rest, what does not come (a network that changes drops what it loads) is
// loaded anew.

const RETRY_MS = 1000;

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

/** Loads the whole page anew, once the server answers. */
export async function reloadPage() {
  do await new Promise((resolve) => { setTimeout(resolve, RETRY_MS); });
  while (!(await fetch("healthz").catch(() => null))?.ok);
  location.reload();
}

addEventListener("load", () => {
  /** @type {NodeListOf<HTMLLinkElement>} */
  const sheets = document.querySelectorAll("link[rel=stylesheet]");
  if (!document.querySelector("main") || ![...sheets].every(isLoaded)) reloadPage();
});

/** What did not come is null in some browsers, and a sheet whose rules must not be read in others. */
function isLoaded(/** @type {HTMLLinkElement} */ { sheet }) {
  try { return Boolean(sheet?.cssRules.length); } catch { return false; }
}

// a central server has a database, and no telegrams
if (document.documentElement.dataset.centre !== "yes") connect();
