// The stream of telegrams, and how the sources stand.

import { parse } from "./exact.js";
import { isCentralServer } from "./page.js";
import { changed, power, store } from "./store.js";
import { connect, listenTo } from "./stream.js";

const AGAIN_MS = 3000;
const ASK_MS = 5000;
const TICK_MS = 500;
const FRAME_MS = 16;
const HOUR_S = 3600;

export function listen() {
  if (isCentralServer) return;
  listenTo((name, event, at) => HEARD[name](event, at));
  setInterval(changed, TICK_MS); // ages grow without telegrams
  setInterval(refresh, ASK_MS);
}

const HEARD = {
  open: () => { store.lostAt = null; changed(); },
  reading: ({ data }, at) => {
    const isFirst = store.meters.size === 0;
    hear(parse(data), at);
    if (isFirst) changed(); else soon();
  },
  status: ({ data }, at) => { learn(JSON.parse(data), at); changed(); },
  error: ({ target }, at) => {
    store.lostAt ??= at;
    if (target.readyState === EventSource.CLOSED) { target.close(); setTimeout(connect, AGAIN_MS); askForToken(); }
  },
};

/** A server that asks for another token by now shows the page that takes it. */
async function askForToken() {
  if ((await fetch("api/v1/status").catch(() => null))?.status === 401) location.reload();
}

let due = null;

/** Shows it within a frame: meters that send together, or a replay, are drawn once. */
function soon() {
  due ??= setTimeout(() => { due = null; changed(); }, FRAME_MS);
}

async function refresh() {
  if (document.hidden || store.lostAt !== null) return;
  const answer = await fetch("api/v1/status").catch(() => null);
  if (answer?.ok) learn(await answer.json(), performance.now());
}

function learn(status, at) {
  store.statuses = status.meters;
  store.history = status.history;
  store.outputs = status.outputs;
  store.toldAt = at;
}

function hear(meter, at) {
  store.meters.set(meter.id, { meter, at });
  const watts = power(meter);
  if (watts !== undefined) remember(meter.id, Date.parse(meter.received_at) / 1000, Number(watts));
}

/** The last hour, at most one point a second. */
function remember(id, at, watts) {
  const [times, powers] = store.recent.get(id) ?? store.recent.set(id, [[], []]).get(id);
  if (times.length && at - times.at(-1) < 1) { powers[powers.length - 1] = watts; return; }
  times.push(at);
  powers.push(watts);
  const old = times.findIndex((time) => time >= at - HOUR_S);
  if (old > HOUR_S / 60 || times.length > HOUR_S) { times.splice(0, Math.max(old, 1)); powers.splice(0, Math.max(old, 1)); }
}
