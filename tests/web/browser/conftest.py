"""A real browser and a real server, which reads a meter at a pseudo-terminal and has a prepared history.

A page must write nothing to the console, send no request to another server, and keep its content security policy.
Files share browser, server and meter: its counter only increases.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Route, expect, sync_playwright

import telegrams
from iskra_server.codecs.sml import encoder, tlv
from iskra_server.history.model.records import QUARTER_S
from running import Head, Server, free_port, serving, until
from samples import EXPORT, METER_ID
from web.browser.household import TODAY, ZONE, energy_now, write

# the shell has no window of its own to draw: a page in it takes a fifth of the processor time
_SHELL, _WHOLE = Path("/usr/bin/chromium-headless-shell"), Path("/usr/bin/chromium")
CHROMIUM = _SHELL if _SHELL.exists() else _WHOLE
# for small or busy machines
TIMEOUT_MS = 60_000
STALE_AFTER_S = 5
# as long as a test takes on a busy machine
UNDISTURBED_S = 60
expect.set_options(timeout=TIMEOUT_MS)
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync"]  # fmt: skip
# the price changes tomorrow, so that the page has a price curve to show
CONTRACT = f"""
[[contracts]]
begins = 2025-01-01
name = "Green"
energy_price = 0.3265
base_fee = 11.90
feed_in = 0.0811
instalment = 40

[[contracts]]
begins = {TODAY + timedelta(days=1)}
energy_price = 0.2949
base_fee = 11.90
instalment = 40

[[offers]]
name = "Cheap"
energy_price = 0.2490
base_fee = 11.90
"""
_REPORT_VIOLATIONS = (
    "addEventListener('securitypolicyviolation', (event) => console.error('policy', event.violatedDirective))"
)

Open = Callable[..., Page]


class Meter:
    """The meter at the pseudo-terminal; its counter increases with each telegram that a test sends.

    It says the newest again every second, as meters do: on a busy machine it would be stale before a test has looked.
    """

    def __init__(self, head: Head) -> None:
        self._head = head
        self.energy = energy_now()
        self._seconds = 1000
        self._recorded = 0
        self._entries: list[tlv.Sequence] = []
        self._turn = threading.Lock()
        self._is_silent, self._ended = threading.Event(), threading.Event()
        self._repeating = threading.Thread(target=self._repeat)
        self._repeating.start()

    def send(self, power: int | None = 300, *, more: int = 1, exported: int | None = None) -> None:
        """`more`: since the telegram before; `exported`: the export counter; both in 0.1 Wh."""
        with self._turn:
            self.energy += more
            self._entries = telegrams.meter_entries(energy=self.energy, power=power)
            if exported is not None:
                wh = {"scaler": tlv.integer(-1, 1), "unit": tlv.unsigned(30, 1)}
                self._entries.append(encoder.entry(EXPORT, tlv.integer(exported, 8), **wh))
            self._say()

    @contextmanager
    def silent(self) -> Iterator[None]:
        """It sends nothing by itself."""
        self._is_silent.set()
        try:
            yield
        finally:
            self._is_silent.clear()

    def show(self, page: Page, power: int, text: str) -> None:
        """Send, and wait for a page to show it."""
        self.send(power)
        expect(page.locator(".big .number")).to_have_text(text)

    def end(self) -> None:
        self._ended.set()
        self._repeating.join()

    def _repeat(self) -> None:
        while not self._ended.wait(1):
            with self._turn:
                if self._entries and not self._is_silent.is_set():
                    self._say()

    def _say(self) -> None:
        self._seconds += 1
        self._head.send(telegrams.telegram(self._entries, seconds=self._seconds))

    def close_quarter(self, server: Server) -> None:
        """Send until history has the quarter-hour before this one.

        Else the next telegram would close it, while a test compares the page with the API.
        """
        quarter = int(time.time()) // QUARTER_S

        def is_recorded() -> bool:
            self.send()
            path = f"/api/v1/meters/{METER_ID.replace(' ', '')}/energy?from=today&bucket=15min"
            last = server.get(path).json()["import"]["last"]["at"]
            return datetime.fromisoformat(last).timestamp() >= quarter * QUARTER_S

        if quarter > self._recorded:
            until(is_recorded, every_s=0.5)
            self._recorded = quarter


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("there is no Chromium (apt install chromium-headless-shell)")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS, timeout=TIMEOUT_MS)


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("browser")


@pytest.fixture(scope="package")
def head(folder: Path) -> Iterator[Head]:
    head = Head(folder / "usb-infrared-head")
    yield head
    head.unplug()


@pytest.fixture(scope="package")
def ecotracker() -> int:
    """The port at which the server answers as an EcoTracker."""
    return free_port()


@pytest.fixture(scope="package")
def server(folder: Path, head: Head, ecotracker: int) -> Iterator[Server]:
    """Readings are stale soon, so that tests of stale readings are quick; not so soon that a busy machine sees it."""
    write(folder)
    config = folder / "iskra-server.toml"
    config.write_text(CONTRACT)
    environ = {"IES_HISTORY_ENABLED": "true", "IES_DATA_DIR": str(folder), "IES_SERVER_TIME_ZONE": ZONE.key,
               "IES_METERS_STALE_AFTER_S": str(STALE_AFTER_S), "IES_CONFIG": str(config),
               "IES_ECOTRACKER_ENABLED": "true", "IES_ECOTRACKER_PORT": str(ecotracker),
               "IES_EMULATION_HOST": "127.0.0.1"}  # fmt: skip
    with serving("serve", str(head.link), environ=environ) as running:
        is_ready(running)
        yield running


def is_ready(server: Server) -> None:
    """It reads its head, and answers for history."""
    until(lambda: server.status()["facts"]["is_open"])
    has_history(server)


def has_history(server: Server) -> None:
    """It answers for history: a page that asks sooner has an error in its console."""
    until(lambda: server.get("/api/v1/history/meters").status_code == 200)


@pytest.fixture(scope="package")
def meter(head: Head, server: Server) -> Iterator[Meter]:
    assert server.process.poll() is None
    made = Meter(head)
    yield made
    made.end()


@pytest.fixture(autouse=True)
def quarter(request: pytest.FixtureRequest) -> None:
    """While a test compares the page with the API no quarter-hour ends: what both of them say would change with it."""
    if "meter" in request.fixturenames:
        until(lambda: QUARTER_S - time.time() % QUARTER_S > UNDISTURBED_S)
        request.getfixturevalue("meter").close_quarter(request.getfixturevalue("server"))


@pytest.fixture
def open_page(browser: Browser, server: Server) -> Iterator[Open]:
    """Opens a page of the server: `open_page("#/now", locale="de-DE", viewport={...})`."""
    with watched(browser, server.url) as opened:
        yield opened


@contextmanager
def watched(browser: Browser, url: str) -> Iterator[Open]:
    """Opens pages of a server; at the end they must have no faults."""
    faults: list[str] = []
    contexts = []

    def opened(place: str = "", **options: Any) -> Page:
        context = browser.new_context(**{"locale": "en-GB", **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        page.add_init_script(_REPORT_VIOLATIONS)
        page.on("console", on_console)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", on_request)
        page.goto(f"{url}/{place}")
        return page

    def on_console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            faults.append(f"{message.text} {message.location['url']}")

    def on_request(request: Request) -> None:
        if not request.url.startswith((f"{url}/", f"blob:{url}/")):
            faults.append(request.url)

    try:
        yield opened
    finally:
        for context in contexts:
            context.close()
    assert faults == []


def hold(page: Page, pattern: str) -> Callable[[], None]:
    """Requests for such addresses wait until the returned function is called."""
    held: list[Route] = []
    is_over = threading.Event()

    def keep(route: Route) -> None:
        if is_over.is_set():
            route.continue_()
        else:
            held.append(route)

    def release() -> None:
        is_over.set()
        for route in held:
            route.continue_()

    page.route(pattern, keep)
    return release


@contextmanager
def page_of(browser: Browser, url: str = "about:blank", **options: Any) -> Iterator[Page]:
    """A page whose faults are not collected, for example as its charts miss history."""
    context = browser.new_context(**{"locale": "en-GB", **options})
    try:
        page = context.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        page.goto(url)
        yield page
    finally:
        context.close()
