"""The live page compared with the API: the same digits after each telegram, and no number without a current reading."""

import json
import re
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from running import DEADLINE_S, Server, serving, until
from web.browser.conftest import Meter, Open, has_history, page_of, watched
from web.browser.household import ZONE, write

STALE = re.compile(r"no current reading since \d+:\d\d:\d\d")
# records every state of the page with the text in place of the number (empty before the view is drawn)
WATCH = """() => {
  window.seen = [];
  const number = () => document.querySelector(".big .number")?.textContent ?? "";
  const look = () => seen.push(`${number()} ${document.body.dataset.state}`);
  const all = { subtree: true, childList: true, attributes: true, characterData: true };
  new MutationObserver(look).observe(document.body, all);
}"""
SMALL = {"width": 320, "height": 568}


def registers(server: Server) -> dict[str, Any]:
    def current() -> Any:
        answer = server.get("/api/v1/meters/1ISK0012345678")
        return json.loads(answer.content, parse_float=Decimal).get("registers")

    return {register["name"]: register["value"] for register in until(current)}


def shows_digits(page: Page, wanted: str, place: str = "span") -> None:
    """The digits of the register, as soon as they are these; none of them for ""."""
    until(lambda: "".join(page.locator(f".digits {place}").all_text_contents()).strip() == wanted)


def wait_for_script(page: Page, what: str) -> None:
    until(lambda: page.evaluate(what))


def test_the_page_equals_the_api_after_each_of_twenty_telegrams(open_page: Open, meter: Meter, server: Server) -> None:
    page = open_page("#/now")
    for turn in range(20):
        power = 1000 - 137 * turn
        meter.send(power, more=7)
        expect(page.locator(".big .number")).to_have_text(f"{power:,}".replace(",", "\u202f").replace("-", "−"))
        api = registers(server)
        assert api["power"] == power
        shows_digits(page, f"{api['energy_import'] / 1000:011.4f}".replace(".", ""))
        word = "from grid" if power > 0 else "to grid"
        expect(page.locator(".direction")).to_contain_text(word)


def test_a_stale_reading_hides_the_number_until_the_next_telegram(open_page: Open, meter: Meter) -> None:
    page = open_page("#/now")
    page.evaluate(WATCH)
    meter.send(450)
    wait_for_script(page, "seen.includes('450 live')")
    with meter.silent():
        wait_for_script(page, "seen.at(-1).endsWith('stale')")
        expect(page.locator(".pulse")).to_have_text(STALE)
        expect(page.locator(".big")).to_contain_text("last seen")
        shows_digits(page, "")
        expect(page.locator(".power-now")).not_to_contain_text(re.compile(r"\d\s*W"), use_inner_text=True)
        meter.send(451)
    wait_for_script(page, "seen.includes('451 live')")


def test_a_meter_without_power_shows_a_text_and_no_zero(open_page: Open, meter: Meter) -> None:
    page = open_page("#/now")
    meter.send(None)
    expect(page.locator(".big")).to_have_text(re.compile("sends no power"))


def test_power_and_register_fit_the_smallest_screen_without_scrolling(open_page: Open, meter: Meter) -> None:
    page = open_page("#/now", viewport=SMALL)
    meter.show(page, -4321, "−4\u202f321")

    def fits(place: str) -> bool:
        box, bar = page.locator(place).bounding_box(), page.locator(".sections").bounding_box()
        return bool(box and bar and box["y"] + box["height"] <= bar["y"] and box["x"] + box["width"] <= SMALL["width"])

    # a warning that a reading came late stands above them until the next status
    until(lambda: all(fits(place) for place in (".big", ".direction", ".digits")))


def test_before_the_first_reading_every_view_of_history_says_so(browser: Browser, tmp_path: Path) -> None:
    environ = {"IES_HISTORY_ENABLED": "true", "IES_DATA_DIR": str(tmp_path)}
    with serving("serve", str(tmp_path / "no-head"), environ=environ) as server, watched(browser, server.url) as opened:
        has_history(server)
        page = opened("#/now", locale="de-DE")
        for view in ("now", "day", "month", "heat", "compare"):
            page.evaluate("(view) => { location.hash = `#/${view}`; }", view)
            note = page.locator(f"main.{view}").get_by_text("Seit dem Start des Servers hat sich kein Zähler").first
            expect(note).to_contain_text("Der Verlauf erscheint mit dem ersten Wert.")
            expect(note.get_by_role("link")).to_have_attribute("href", "#/setup")


@pytest.mark.slow
def test_after_a_restart_without_a_head_the_history_can_be_opened(browser: Browser, tmp_path: Path) -> None:
    write(tmp_path)
    environ = {"IES_HISTORY_ENABLED": "true", "IES_DATA_DIR": str(tmp_path), "IES_SERVER_TIME_ZONE": ZONE.key}
    with serving("serve", str(tmp_path / "no-head"), environ=environ) as server:
        has_history(server)
        with watched(browser, server.url) as opened:
            page = opened("#/day", locale="de-DE")
            expect(page.locator("main .chart[role=slider]").first).to_be_visible()
            # plainly not current
            expect(page.locator(".pulse")).to_have_text(re.compile(r"kein aktueller Wert seit .*\d\d:\d\d"))
            expect(page.locator(".warning strong")).to_be_visible()
            page.evaluate("location.hash = '#/now'")
            expect(page.locator(".today .chart[role=slider]")).to_be_visible()
            expect(page.locator(".big")).to_contain_text("zuletzt empfangen")
            shows_digits(page, "")


def test_the_page_reports_an_unreachable_server(browser: Browser) -> None:
    with (
        serving("demo", "--profile", "MT631-locked") as server,
        page_of(browser, f"{server.url}/#/now", locale="de-DE") as page,
    ):
        expect(page.locator(".strip")).to_contain_text("Simulierte Daten")
        # whole kWh: the frames after the decimal point are empty
        expect(page.locator(".digits")).to_have_attribute("aria-label", re.compile(r"^[\d\u202f]+ kWh$"))
        shows_digits(page, "", ".place")
        expect(page.locator(".warning a")).to_have_attribute("href", "#/setup/locked")
        server.end()
        expect(page.locator(".pulse")).to_have_text(re.compile(r"Server nicht erreichbar seit \d+:\d\d:\d\d"))
        shows_digits(page, "")


@pytest.mark.parametrize(
    "case",
    [
        ("js/shell.js", "now", ".big .number"),
        ("css/base.css", "now", ".big .number"),
        pytest.param(("js/views/today.js", "now", ".facts dt"), marks=pytest.mark.slow),
        pytest.param(("js/views/setup.js", "setup", ".checks"), marks=pytest.mark.slow),
    ],
)
def test_a_file_that_failed_to_load_is_loaded_again(
    browser: Browser, meter: Meter, server: Server, case: tuple[str, str, str]
) -> None:
    file, place, shown = case
    meter.send()
    with page_of(browser) as page:
        page.route(f"**/{file}", lambda route: route.abort("connectionreset"))
        with page.expect_event("requestfailed"):
            # the page is loaded again, maybe before it is complete
            page.goto(f"{server.url}/#/{place}", wait_until="commit")
        page.unroute(f"**/{file}")
        expect(page.locator(f"main {shown}").first).to_be_visible()
        expect(page.locator("body")).not_to_have_css("margin-top", "8px")


@pytest.mark.parametrize("place", ["now", pytest.param("setup", marks=pytest.mark.slow)])
def test_the_page_works_without_a_blocked_style_sheet_after_a_few_reloads(
    browser: Browser, meter: Meter, server: Server, place: str
) -> None:
    meter.send()
    with page_of(browser) as page:
        loads: list[str] = []
        page.on("domcontentloaded", lambda loaded: loads.append(loaded.url))
        page.route("**/css/*.css", lambda route: route.abort("blockedbyclient"))
        # without the pauses before each try
        page.add_init_script(
            "const wait = setTimeout;"
            "window.setTimeout = (f, ms) => wait(f, [1000, 2000, 4000, 8000].includes(ms) ? ms / 20 : ms)"
        )
        page.goto(f"{server.url}/#/{place}", wait_until="commit")
        expect(page.locator("main").first).to_contain_text(re.compile(r"\S"))
        deadline_s = time.monotonic() + DEADLINE_S
        while len(loads) < 4 and time.monotonic() < deadline_s:
            page.wait_for_timeout(20)
        expect(page.locator("main").first).to_contain_text(re.compile(r"\S"))
        # longer than the next try would take
        page.wait_for_timeout(1000)
        assert len(loads) == 4


def test_the_wall_display_shows_power_register_and_today(open_page: Open, meter: Meter, server: Server) -> None:
    page = open_page("#/wall", viewport={"width": 1920, "height": 1080})
    meter.show(page, 777, "777")
    expect(page.locator("main .today")).to_have_text(re.compile(r"today \d+\.\d{3} kWh"))
    shows_digits(page, f"{registers(server)['energy_import'] / 1000:011.4f}".replace(".", ""))


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        pytest.param("en-GB", "Times on this page are", marks=pytest.mark.slow),
        ("de-DE", "Die Zeiten auf dieser Seite gelten"),
    ],
)
def test_a_device_in_another_time_zone_sees_both_zones(open_page: Open, server: Server, locale: str, text: str) -> None:
    here = server.get("/api/v1/status").json()["time_zone"]["name"]
    other_zone = open_page("#/about", locale=locale, timezone_id="Pacific/Chatham")
    expect(other_zone.locator("body > .zone")).to_contain_text(text)
    expect(other_zone.locator("body > .zone")).to_contain_text(f"in {here}")
    same_zone = open_page("#/about", locale=locale, timezone_id=here)
    expect(same_zone.locator("footer a").first).to_be_visible()
    expect(same_zone.locator("body > .zone")).to_have_count(0)
