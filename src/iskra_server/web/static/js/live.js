// Puts the events of the server, and its status, into the store.

import { parse } from "./exact.js";
import { isCentralServer } from "./page.js";
import { notify, powerOf, store } from "./store.js";
import { connect, listen } from "./stream.js";

const RECONNECT_MS = 3000;
const STATUS_MS = 5000;
const TICK_MS = 500;
const FRAME_MS = 16;
const HOUR_S = 3600;

export function startLive() {
  if (isCentralServer) return;
  listen((name, event, at) => HANDLERS[name](event, at));
  setInterval(notify, TICK_MS); // ages grow without telegrams
  setInterval(requestStatus, STATUS_MS);
}

/** @type {Record<string, (event: MessageEvent, at: number) => void>} */
const HANDLERS = {
  open: () => { store.lostAt = null; notify(); },
  reading: ({ data }, at) => {
    const isFirst = store.meters.size === 0;
    addReading(parse(data), at);
    if (isFirst) notify(); else notifySoon();
  },
  status: ({ data }, at) => { setStatus(JSON.parse(data), at); notify(); },
  error: ({ target }, at) => {
    store.lostAt ??= at;
    if (!(target instanceof EventSource) || target.readyState !== EventSource.CLOSED) return;
    target.close();
    setTimeout(() => connect(), RECONNECT_MS);
    reloadIfUnauthorized();
  },
};

/** If the token has changed, the server answers with the sign-in page. */
async function reloadIfUnauthorized() {
  if ((await fetch("api/v1/status").catch(() => null))?.status === 401) location.reload();
}

/** @type {ReturnType<typeof setTimeout> | null} */
let timer = null;

/** Notifies within a frame, so that meters that send together, or a replay, are drawn once. */
function notifySoon() {
  timer ??= setTimeout(() => { timer = null; notify(); }, FRAME_MS);
}

async function requestStatus() {
  if (document.hidden || store.lostAt !== null) return;
  const askedAt = performance.now();
  const answer = await fetch("api/v1/status").then((response) => (response.ok ? response.json() : null), () => null);
  // an event that came meanwhile is newer
  if (!answer || store.statusAt > askedAt) return;
  setStatus(answer, performance.now());
  notify();
}

/** @param {Api.ServerStatus} status @param {number} at */
function setStatus(status, at) {
  store.statuses = status.meters;
  store.history = status.history;
  store.outputs = status.outputs;
  store.virtual = status.virtual ?? [];
  store.statusAt = at;
}

/** @param {Api.LiveMeter} meter @param {number} at */
function addReading(meter, at) {
  store.meters.set(meter.id, { meter, at, wallAt: Date.now() - (performance.now() - at) });
  const watts = powerOf(meter);
  if (watts === undefined || meter.received_at === null) return;
  const [times, powers] = store.recent.get(meter.id) ?? [[], []];
  store.recent.set(meter.id, [times, powers]);
  addPower(times, powers, Date.parse(meter.received_at) / 1000, Number(watts));
}

/** Keeps the last hour, at most one point a second. @param {number[]} times @param {number[]} powers */
export function addPower(times, powers, /** @type {number} */ at, /** @type {number} */ watts) {
  const last = times.at(-1);
  if (last !== undefined && at - last < 1) { powers[powers.length - 1] = watts; return; }
  times.push(at);
  powers.push(watts);
  const old = times.findIndex((time) => time >= at - HOUR_S);
  if (old <= HOUR_S / 60 && times.length <= HOUR_S) return;
  times.splice(0, Math.max(old, 1));
  powers.splice(0, Math.max(old, 1));
}
