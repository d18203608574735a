"""The page in Chromium: how soon a number, how soon a day, what a day of telegrams leaves behind, what 50 pages cost.

    python bench/page.py [first|day|heap|fifty ...]

first: from navigation to the number, on an empty cache, with the processor throttled six times; beside it, in turns, a
       page of one line of script that asks for one number: what the browser itself takes.
day:   86,400 points with their band, drawn by the page's own chart, not throttled; until the next frame.
heap:  a day of telegrams, a second apart, as fast as the page takes them: the server's own event with another time and
       other values; the JavaScript heap after garbage collection, before and after.
fifty: fifty streams that also ask for the status every 5 s, as fifty open pages do; the server's processor time, and
       how late an event is at its client (both on this machine).
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median, quantiles
from threading import Thread
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import httpx
import msgspec
from playwright.sync_api import Browser, sync_playwright

from processes import cpu_s
from running import Server, serving
from web.browser.conftest import ARGUMENTS, CHROMIUM

ROUNDS = 5
THROTTLE = 6
DAY_S = 86_400
PAGES = 50
WATCHED_S = 30
STATUS_S = 5
# of a core
SETTLED = 0.1
SEEN = """() => new Promise((resolve) => {
  const shown = () => /\\d/.test(document.querySelector('.big .number')?.textContent ?? '');
  const look = () => (shown() ? resolve(performance.now()) : setTimeout(look, 2));
  look();
})"""
SENT = "performance.getEntries().reduce((total, each) => total + (each.transferSize ?? 0), 0)"
EMPTY = {
    "index.html": '<!doctype html><html lang="en"><title>x</title><link rel="stylesheet" href="x.css">'
    '<script type="module" src="x.js"></script><p class="big"><span class="number"></span></p></html>',
    "x.css": "p { color: black }",
    "x.js": "document.querySelector('.number').textContent = (await (await fetch('x.json')).json()).value;",
    "x.json": '{"value": 5}',
}
REPLAY = """(() => {
  const Own = EventSource;
  let stream, told, sent = 0;
  window.EventSource = class extends Own {
    constructor(...all) {
      super(...all);
      stream = this;
      this.addEventListener('reading', ({ data }) => { told ??= data; });
    }
  };
  window.replay = async (count) => {
    const begin = Date.parse(JSON.parse(told).received_at);
    for (let end = sent + count; sent < end; sent += 1) {
      const at = new Date(begin + 1000 * sent).toISOString();
      const power = Math.round(900 * Math.sin(sent / 300)) + '.' + (sent % 10);
      const data = told.replace(/"received_at":"[^"]+"/, `"received_at":"${at}"`)
        .replace(/("name":"power","label":"[^"]+","label_de":"[^"]+","value":)[-\\d.]+/, `$1${power}`);
      stream.dispatchEvent(new MessageEvent('reading', { data }));
      // it is drawn a hundred times an hour
      if (sent % 36 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
})()"""
DRAW = """async ([base, count]) => {
  const { drawLine } = await import(`${base}js/charts/line.js`);
  const { uPlot } = await import(`${base}js/charts/plot.js`);
  await uPlot();
  const times = Array.from({ length: count }, (_, at) => 1764000000 + at);
  const mean = times.map((_, at) => Math.round(800 * Math.sin(at / 9000) + 90 * Math.sin(at / 7)));
  const data = { times, mean, min: mean.map((watts) => watts - 40), max: mean.map((watts) => watts + 60) };
  const box = document.createElement('div');
  document.querySelector('main').append(box);
  const begun = performance.now();
  await drawLine(box, data, {
    begin: times[0], end: times.at(-1), labels: [[times[0], '00']], label: 'day', text: () => '', onPick: () => {},
    number: String, signal: new AbortController().signal,
  });
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  return performance.now() - begun;
}"""


def main() -> None:
    wanted = sys.argv[1:] or ["first", "day", "heap", "fifty"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for name, measure in (("first", first), ("day", day), ("heap", heap)):
            if name in wanted:
                measure(browser)
        browser.close()
    if "fifty" in wanted:
        asyncio.run(fifty())


def settled(server: Server) -> None:
    """Until the demonstration has made up its past, which takes all of a core."""
    spent_s = 1.0
    while spent_s > SETTLED:
        begun = cpu_s(server.process.pid)
        time.sleep(1)
        spent_s = cpu_s(server.process.pid) - begun


def first(browser: Browser) -> None:
    with serving("demo") as server, empty_page() as empty:
        settled(server)
        found: dict[str, list[float]] = {f"{server.url}/#/now": [], empty: []}
        sent: dict[str, int] = {}
        for url in ROUNDS * list(found):
            milliseconds, sent[url] = seen(browser, url)
            found[url].append(milliseconds)
        for name, url in zip(("first view", "an empty page with a number"), found, strict=True):
            print(
                f"{name}, processor throttled {THROTTLE} times: {median(found[url]):.0f} ms (median of {ROUNDS}, "
                f"best {min(found[url]):.0f}), {sent[url]:,} bytes"
            )


def seen(browser: Browser, url: str) -> tuple[float, int]:
    """Milliseconds from navigation to the number, and what was sent until the page was loaded."""
    with browser.new_context() as context:
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("Emulation.setCPUThrottlingRate", {"rate": THROTTLE})
        page.goto(url, wait_until="commit")
        milliseconds = page.evaluate(SEEN)
        page.wait_for_load_state("load")
        return milliseconds, page.evaluate(SENT)


@contextmanager
def empty_page() -> Iterator[str]:
    """A page, a style sheet, a module and a number."""
    with tempfile.TemporaryDirectory() as directory:
        for name, text in EMPTY.items():
            Path(directory, name).write_text(text)
        handler = partial(QuietHandler, directory=directory)
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_port}/index.html"
            server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Says nothing."""


def day(browser: Browser) -> None:
    with serving("demo") as server:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(f"{server.url}/#/about")
        page.locator("main .card").first.wait_for()
        source = page.locator("script[src$='js/main.js']").get_attribute("src") or ""
        base = f"{server.url}/{source.removesuffix('js/main.js')}"
        found = [page.evaluate(DRAW, [base, DAY_S]) for _ in range(ROUNDS)]
        print(f"a day of {DAY_S:,} points: {median(found):.0f} ms (median of {ROUNDS}, worst {max(found):.0f})")
        page.close()


def heap(browser: Browser) -> None:
    with serving("demo") as server:
        context = browser.new_context()
        page = context.new_page()
        page.add_init_script(REPLAY)
        session = context.new_cdp_session(page)
        page.goto(f"{server.url}/#/now")
        page.locator(".hour canvas").wait_for()
        # the last hour of the page fills first
        page.evaluate("(count) => replay(count)", DAY_S // 24)
        before, begun = used(session), time.monotonic()
        page.evaluate("(count) => replay(count)", DAY_S)
        seconds, grown = time.monotonic() - begun, used(session) - before
        print(
            f"{DAY_S:,} telegrams replayed in {seconds:.0f} s: "
            f"the heap is {before / 1e6:.1f} MB, then {grown / 1e6:+.2f} MB"
        )
        context.close()


def used(session: Any) -> float:
    session.send("HeapProfiler.collectGarbage")
    return float(session.send("Runtime.getHeapUsage")["usedSize"])


async def fifty() -> None:
    with serving("demo") as server:
        late: list[float] = []
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=server.url, timeout=60, limits=limits) as client:
            tasks = [asyncio.create_task(one(client, late)) for _ in range(PAGES)]
            await asyncio.sleep(STATUS_S)
            late.clear()
            begun = cpu_s(server.process.pid)
            await asyncio.sleep(WATCHED_S)
            spent = cpu_s(server.process.pid) - begun
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        cuts = quantiles(late, n=100)
        print(
            f"{PAGES} open pages: {spent / WATCHED_S:.1%} of a core, {len(late):,} events, "
            f"late by {cuts[49] * 1000:.1f} ms (p50), {cuts[98] * 1000:.1f} ms (p99)"
        )


async def one(client: httpx.AsyncClient, late: list[float]) -> None:
    """A page: its stream, and how the sources stand."""
    async with asyncio.TaskGroup() as group:
        group.create_task(poll(client))
        async with client.stream("GET", "/api/v1/live") as stream:
            async for line in stream.aiter_lines():
                if line.startswith("data:") and '"received_at"' in line:
                    at = msgspec.json.decode(line[5:], type=Received).received_at
                    late.append(time.time() - at.timestamp())


async def poll(client: httpx.AsyncClient) -> None:
    while True:
        await client.get("/api/v1/status")
        await asyncio.sleep(STATUS_S)


class Received(msgspec.Struct):
    received_at: datetime


if __name__ == "__main__":
    main()
