"""The page in the frame of Home Assistant, through ingress: as on a phone, in both languages, light and dark.

Every request stays below the prefix, whose token changes, and no cookie or address of the server is needed.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from iskra_server.web.http.pages import STATIC
from running import Head, Server, free_port, serving
from supervisor import SupervisorStandIn, Target, supervisor
from web.browser.conftest import CONTRACT, Meter, Open, is_ready, page_of, watched
from web.browser.household import TODAY, ZONE, write

PHONE = {"width": 390, "height": 844}
ADDRESS = "127.0.0.2"
VIEWS = ("now", f"day/{TODAY}", f"day/{TODAY}?as=table", "year", "heat", "compare", "cost", "registers", "setup",
         "normal", "setup/head", "setup/homeassistant", "about", "wall")  # fmt: skip
READY = "main :is(.chart[role=slider], .heatmap, table, .pairs, .digits, .checks, .steps, pre, .align)"


@pytest.fixture(scope="module")
def box() -> Iterator[SupervisorStandIn]:
    with supervisor() as running:
        yield running


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ingress")


@pytest.fixture(scope="module")
def head(folder: Path) -> Iterator[Head]:
    head = Head(folder / "usb-infrared-head")
    yield head
    head.unplug()


@pytest.fixture(scope="module")
def meter(head: Head, server: Server) -> Iterator[Meter]:
    assert server.process.poll() is None
    made = Meter(head)
    yield made
    made.end()


@pytest.fixture(scope="module")
def server(folder: Path, head: Head, box: SupervisorStandIn) -> Iterator[Server]:
    """With a token, which nobody needs here; it is known to the tests alone."""
    write(folder)
    config, port = folder / "iskra-server.toml", free_port()
    config.write_text(CONTRACT)
    box.app = Target("127.0.0.1", port, ADDRESS)
    environ = {"IES_HISTORY_ENABLED": "true", "IES_DATA_DIR": str(folder), "IES_SERVER_TIME_ZONE": ZONE.key,
               "IES_CONFIG": str(config), "IES_SERVER_TOKEN": "0123456789abcdef",
               "IES_SERVER_INGRESS_PORT": str(port), "IES_SERVER_INGRESS_ADDRESS": ADDRESS}  # fmt: skip
    headers = {"authorization": "Bearer 0123456789abcdef"}
    with serving("serve", str(head.link), environ=environ, headers=headers) as running:
        is_ready(running)
        yield running


@pytest.fixture
def open_frame(browser: Browser, box: SupervisorStandIn, meter: Meter) -> Iterator[Open]:
    """Opens the page in the frame: `open_frame("#/now", locale="de-DE")`. It must have no faults."""
    meter.send()
    begin = len(box.requests)
    with watched(browser, box.url) as opened:
        yield lambda place="", **options: opened(f"frame{place}", viewport=PHONE, **options)
    # what the stand-in answers itself did not stay below the prefix
    assert {path for _, path, status in box.requests[begin:] if status} <= {"/frame"}


def frame(page: Page) -> FrameLocator:
    return page.frame_locator("iframe")


@pytest.mark.slow
@pytest.mark.parametrize(("locale", "scheme"), [("de-DE", "light"), ("en-GB", "dark")])
def test_every_view_works_in_the_frame_of_a_phone(
    open_frame: Open, meter: Meter, locale: str, scheme: str, tmp_path: Path
) -> None:
    page = open_frame("#/now", locale=locale, color_scheme=scheme)
    for view in VIEWS:
        meter.send()
        page.frames[1].evaluate("(view) => { location.hash = `#/${view}`; }", view)
        expect(frame(page).locator(READY).first).to_be_visible()
        assert page.frames[1].evaluate("document.documentElement.scrollWidth") <= PHONE["width"], view
        page.screenshot(path=tmp_path / f"{view.partition('?')[0].replace('/', '-')}.png")


def test_the_live_stream_runs(open_frame: Open, meter: Meter) -> None:
    page = open_frame("#/now")
    for power in (1234, 567, 89):
        meter.send(power)
        expect(frame(page).locator(".big .number")).to_have_text(f"{power:,}".replace(",", "\u202f"))


@pytest.mark.slow
def test_a_stream_that_home_assistant_holds_back_is_noticed(
    open_frame: Open, meter: Meter, box: SupervisorStandIn
) -> None:
    box.holds_streams_back = True
    try:
        page = open_frame("#/now")
        for power in (1111, 222, 33):
            meter.send(power)
            expect(frame(page).locator(".big .number")).to_have_text(f"{power:,}".replace(",", "\u202f"))
        # in this tab it is known from now on
        asked = len(box.requests)
        page.reload()
        meter.send(44)
        expect(frame(page).locator(".big .number")).to_have_text("44")
        live = {path for _, path, _ in box.requests[asked:] if path.startswith("/api/v1/live")}
        assert live == {"/api/v1/live?brief=yes"}
    finally:
        box.holds_streams_back = False


def test_links_and_downloads_stay_below_the_prefix(open_frame: Open, box: SupervisorStandIn) -> None:
    page = open_frame(f"#/day/{TODAY}?as=table")
    with page.expect_download() as download:
        frame(page).get_by_role("button", name=re.compile("CSV")).click()
    assert download.value.suggested_filename == f"iskra-day-{TODAY}.csv"
    frame(page).get_by_role("link", name="API").click()
    expect(frame(page).locator("h1")).to_have_text("HTTP API")
    # commands name an address that does not change and needs no session
    expect(frame(page).locator(".operation pre").first).to_contain_text(re.compile(r"^curl 'http://[\w-]+:\d+/api/"))
    frame(page).locator(".operation button").first.click()
    expect(frame(page).locator(".operation pre").nth(1)).to_contain_text("200")
    frame(page).locator("p a").first.click()
    expect(frame(page).locator("body")).to_have_text(re.compile(r'^\{"openapi":\s?"3\.1\.0"'))
    page.frames[1].evaluate("history.back()")
    frame(page).locator(".brand").click()
    expect(frame(page).locator(".big")).to_be_visible()
    assert page.frames[1].url.startswith(box.page_url)


def test_the_address_of_the_app_is_shown_to_home_assistant(open_frame: Open, server: Server) -> None:
    page = open_frame("#/setup/homeassistant")
    expect(frame(page).locator("main")).to_contain_text("MQTT is the easiest way")
    expect(frame(page).locator("main")).not_to_contain_text("IES_MQTT_URL")
    port = server.url.rpartition(":")[2]
    expect(frame(page).locator("pre").first).to_contain_text(re.compile(rf'resource: "http://[\w-]+:{port}/'))


def test_in_a_tab_of_its_own_and_after_a_restart_of_the_app(open_frame: Open, box: SupervisorStandIn) -> None:
    page = open_frame("#/now")
    expect(frame(page).locator(".big")).to_be_visible()
    page.goto(box.page_url)
    expect(page.locator(".big")).to_be_visible()
    page.goto(box.page_url + "docs")
    expect(page.locator("h1")).to_have_text("HTTP API")
    # nothing that is stored names the old token
    stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert box.ingress_token not in stored
    box.renew_ingress()
    page.goto(f"{box.url}/frame#/now")
    expect(frame(page).locator(".big")).to_be_visible()


@pytest.mark.usefixtures("server")
def test_a_wrong_address_leads_back_to_the_page(browser: Browser, box: SupervisorStandIn) -> None:
    with page_of(browser) as page:
        cookies = box.cookies.items()
        page.context.add_cookies([{"name": name, "value": value, "url": box.url} for name, value in cookies])
        answer = page.goto(box.page_url + "nowhere/else")
        assert answer and answer.status == 404
        expect(page.get_by_role("heading", level=1)).to_have_text("This page does not exist")
        page.get_by_role("link", name="Open the meter").click()
        expect(page).to_have_url(re.compile(re.escape(box.page_url)))
        expect(page.locator(".big")).to_be_visible()


def test_no_module_asks_from_the_root() -> None:
    modules = sorted((STATIC / "js").rglob("*.js"))
    assert len(modules) > 40
    for path in modules:
        assert re.findall(r"""["'`]/(?:api|static|docs|login|healthz|metrics)\b""", path.read_text()) == [], path


def test_no_page_names_a_file_or_a_route_from_the_root() -> None:
    names = [path for path in STATIC.rglob("*") if path.suffix in (".html", ".css", ".webmanifest")]
    assert len(names) > 5
    for path in names:
        absolute = re.findall(
            r"""(?:href|src|action)=["']/[^"']*|url\(["']?/[^)]*|"(?:start_url|scope|src)": "/""", path.read_text()
        )
        assert absolute == [], path
