// The stream of telegrams, opened before the rest of the page has been loaded: what comes until then waits.
// Of the rest, what does not come (a network that changes drops what it loads) is loaded anew.

const AGAIN_MS = 1000;
const RARELY_MS = 60_000;
const TRIES = 3;
const RELOADS = "reloads";
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

/** The whole page anew, once the server answers: after a second, then ever more rarely, while it still lacks a part. */
export async function again() {
  clearTimeout(lasting);
  const count = reloads();
  do await pause(Math.min(AGAIN_MS * 2 ** count, RARELY_MS));
  while (!(await fetch("healthz").catch(() => null))?.ok);
  remember(count + 1);
  location.reload();
}

addEventListener("load", () => {
  const sheets = [...document.querySelectorAll("link[rel=stylesheet]")];
  // a style sheet that does not come again and again is blocked: the page works without it
  if (!document.querySelector("main") || (!sheets.every(isLoaded) && reloads() < TRIES)) again();
});

const lasting = setTimeout(() => remember(0), RARELY_MS);
const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/** How many times in a row this page was loaded anew; in a browser that remembers nothing often enough. */
function reloads() {
  try { return Number(sessionStorage.getItem(RELOADS)); } catch { return TRIES; }
}

function remember(count) {
  try { sessionStorage.setItem(RELOADS, String(count)); } catch { /* nothing is remembered */ }
}

/** What did not come is null in some browsers, and a sheet whose rules must not be read in others. */
function isLoaded({ sheet }) {
  try { return sheet.cssRules.length > 0; } catch { return false; }
}

// a central server has a database, and no telegrams
if (document.documentElement.dataset.centre !== "yes") connect();
