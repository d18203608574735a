// The stream of telegrams, opened before the rest of the page has been loaded: what comes until then waits.

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

// a centre has a database, and no telegrams
if (document.documentElement.dataset.centre !== "yes") connect();
