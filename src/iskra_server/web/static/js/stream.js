// The stream of telegrams, opened before the rest of the page has been loaded: what comes until then waits.
// Of the rest, what does not come (a network that changes drops what it loads) is loaded anew.

const AGAIN_MS = 1000;
const waiting = [];
let hear = (...event) => { waiting.push(event); };

export function connect() {
  const stream = new EventSource("api/v1/live");
  for (const name of ["open", "error", "reading", "status"]) {
    stream.addEventListener(name, (event) => hear(name, event, performance.now()));
  }
}

/** @param {(name: string, event: MessageEvent, at: number) => void} listener is told of everything, and when it came */
export function listenTo(listener) {
  hear = listener;
  for (const event of waiting.splice(0)) listener(...event);
}

/** The whole page anew, once the server answers. */
export async function again() {
  do await new Promise((resolve) => { setTimeout(resolve, AGAIN_MS); });
  while (!(await fetch("healthz").catch(() => null))?.ok);
  location.reload();
}

addEventListener("load", () => {
  const sheets = [...document.querySelectorAll("link[rel=stylesheet]")];
  if (!document.querySelector("main") || !sheets.every(isLoaded)) again();
});

/** What did not come is null in some browsers, and a sheet whose rules must not be read in others. */
function isLoaded({ sheet }) {
  try { return sheet.cssRules.length > 0; } catch { return false; }
}

// a central server has a database, and no telegrams
if (document.documentElement.dataset.centre !== "yes") connect();
