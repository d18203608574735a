"""Takes the screenshots of Home Assistant for docs/home-assistant*.md, in the real one of the tests. Run it as root.

`python docs/homeassistant_screenshots.py [NAME ...]`: a home as in tests/homeassistant, with a simulated meter, the
server, a broker and Home Assistant 2025.4; a browser logs in there as its owner.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from playwright.sync_api import FloatRect, Locator, Page, ViewportSize, sync_playwright

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from homeassistant import forms, release
from homeassistant.entities import grid
from homeassistant.home import PORT, TOTAL, Home, home
from homeassistant.instance import OWNER, HomeAssistant
from homeassistant.instance import PORT as ASSISTANT_PORT
from homeassistant.meter import UNLOCKED
from homeassistant.missing import Missing
from homeassistant.network import PI_NAME, SUBNET
from iskra_server.history.model.records import Exact, MeterInfo, QuarterReading, quarter_of
from iskra_server.history.store.store import Store
from iskra_server.meter.identity import meter_id
from iskra_server.outputs.mqtt.period_totals import span_of
from running import until
from samples import EXPORT, IMPORT
from test_docs import blocks
from web.browser.conftest import ARGUMENTS, CHROMIUM

DOCS = Path(__file__).parent
ZONE = "Europe/Berlin"
SIZE = ViewportSize(width=1120, height=1240)
# the third column of the page of a device is empty
COLUMNS, EDGE = 738, 50
# room for the names of entities
WITHOUT_SIDEBAR = "localStorage.setItem('dockedSidebar', '\"always_hidden\"')"
# the first machine after the server's
ASSISTANT = f"http://{SUBNET}.2:{ASSISTANT_PORT}"
CONTRACT = "[[contracts]]\nbegins = 2020-01-01\nenergy_price = 0.3265\nfeed_in = 0.0811\n"
SOON_S = 120.0
# in 0.1 Wh
USED_TODAY = 83_417
# hours of the day in which Home Assistant saw no counter
AWAY = range(4, 8)


@contextmanager
def house(folder: Path) -> Iterator[Home]:
    """With MQTT and the integration, and a history since the month began."""
    newest = release.SETS["default"][-1]
    release.install(newest)
    with home(folder, [newest], *blocks(DOCS / "home-assistant.md", "yaml")) as built:
        built.meter.profile = UNLOCKED
        built.meter.imported = 123_456_789
        built.broker.start()
        (assistant,) = built.assistants
        assistant.start()
        finish_onboarding(assistant)
        assistant.add_mqtt(PI_NAME, built.broker.port)
        record_history(built, folder / "server")
        config = folder / "iskra-server.toml"
        config.write_text(CONTRACT)
        built.start_server(HISTORY_ENABLED="true", CONFIG=str(config), SERVER_TIME_ZONE=ZONE)
        yield built


def finish_onboarding(assistant: HomeAssistant) -> None:
    """The pages after the owner's, as they are when nothing is changed on them."""
    for step in ("core_config", "analytics"):
        assistant.post(f"/api/onboarding/{step}", {})
    redirect = {"client_id": f"{ASSISTANT}/", "redirect_uri": f"{ASSISTANT}/?auth_callback=1"}
    assistant.post("/api/onboarding/integration", redirect)


def record_history(built: Home, folder: Path) -> None:
    """What the meter showed at the first of the month, and in every quarter-hour from this midnight on."""
    folder.mkdir(exist_ok=True)
    now = datetime.now(UTC)
    begins = span_of(now, ZoneInfo(ZONE)).quarters
    used = {begins["month"]: 2_345_600} | used_today(begins["today"], quarter_of(now.timestamp()))
    meter, label = built.meter, label_of(built)
    readings = [
        QuarterReading(label, obis, quarter, Exact(raw - before // share, -1), "measured", 0)
        for obis, raw, share in ((IMPORT, meter.imported, 1), (EXPORT, meter.exported, 1_000))
        for quarter, before in used.items()
    ]
    store = Store(f"sqlite:///{folder / 'iskra.sqlite'}")
    store.write(readings, [MeterInfo(label, meter.server_id, False, 0, 0)])
    store.close()


def used_today(midnight: int, now: int) -> dict[int, int]:
    """What was still to be used until now, by quarter-hour, in 0.1 Wh: little at night, most in the morning."""
    shares = [2 + (quarter * 7 % 5) + (12 if 24 <= quarter - midnight < 36 else 4) for quarter in range(midnight, now)]
    return {midnight + place: USED_TODAY * sum(shares[place:]) // sum(shares) for place in range(len(shares))} | {
        now: 0
    }


def label_of(built: Home) -> str:
    return meter_id(bytes.fromhex(built.meter.server_id))


def log_in(page: Page) -> None:
    page.goto(ASSISTANT)
    page.locator("input[name=username]").fill(OWNER["username"])
    page.locator("input[name=password]").fill(OWNER["password"])
    page.keyboard.press("Enter")
    page.locator("home-assistant-main").wait_for()


def visit(page: Page, path: str) -> None:
    """As its own links do: after a reload it would ask for the password again."""
    go = "path => {history.pushState(null, '', path); window.dispatchEvent(new CustomEvent('location-changed'))}"
    page.evaluate(go, path)


def device_by_mqtt(built: Home, page: Page) -> FloatRect:
    (assistant,) = built.assistants
    wanted = f"iskra_{built.meter.server_id}"
    keys = ("cost_today", "energy_export_month", "power", "problem")

    def is_complete() -> bool:
        states, entities = assistant.states(), assistant.entities("mqtt")
        ids = [entities.get(f"{wanted}_{key}", "") for key in keys]
        return all(entity in states and states[entity]["state"] != "unavailable" for entity in ids)

    until(is_complete, SOON_S, 0.5)
    return open_device(assistant, page, "mqtt", wanted)


def device_of_the_integration(built: Home, page: Page) -> FloatRect:
    (assistant,) = built.assistants
    forms.add(assistant, host=PI_NAME, port=PORT)
    until(lambda: f"{built.meter.id}_power" in assistant.entities(forms.DOMAIN), SOON_S, 0.5)
    return open_device(assistant, page, forms.DOMAIN, label_of(built))


def open_device(assistant: HomeAssistant, page: Page, domain: str, name: str) -> FloatRect:
    devices = assistant.ask("config/device_registry/list")
    (found,) = [device["id"] for device in devices if [domain, name] in device["identifiers"]]
    visit(page, f"/config/devices/device/{found}")
    page.get_by_text("kWh").first.wait_for()
    device = box(page.locator("ha-config-device-page"))
    # without the empty left edge
    return FloatRect(x=device["x"] + EDGE, y=device["y"], width=COLUMNS - EDGE, height=SIZE["height"] - device["y"])


def sensor_by_yaml(built: Home, page: Page) -> FloatRect:
    built.shows(built.meter.kwh, SOON_S)
    visit(page, "/energy")
    more = "entityId => document.querySelector('home-assistant').dispatchEvent("
    more += "new CustomEvent('hass-more-info', {detail: {entityId}, bubbles: true, composed: true}))"
    page.evaluate(more, TOTAL)
    page.locator("ha-more-info-dialog").get_by_text("kWh").first.wait_for()
    return box(page.locator("ha-more-info-dialog .mdc-dialog__surface").first)


def box(part: Locator) -> FloatRect:
    found = part.bounding_box()
    assert found
    return found


def dashboard_with_a_gap(built: Home, page: Page) -> FloatRect:
    """The statistics as they are after an outage: no rows, and then one with all the energy."""
    (assistant,) = built.assistants
    sensor = assistant.entities("mqtt")[f"iskra_{built.meter.server_id}_energy_import"]
    quarters = span_of(datetime.now(UTC), ZoneInfo(ZONE)).quarters
    first, now = quarters["today"], quarter_of(datetime.now(UTC).timestamp())
    left = used_today(first, now)
    hours = [quarter for quarter in range(first, now - 3, 4) if (quarter - first) // 4 not in AWAY]
    rows = [
        {
            "start": datetime.fromtimestamp(quarter * 900, UTC).isoformat(),
            "state": (built.meter.imported - left[quarter + 4]) / 10_000,
            "sum": (left[first] - left[quarter + 4]) / 10_000,
        }
        for quarter in hours
    ]
    about = {"source": "recorder", "statistic_id": sensor, "name": None, "unit_of_measurement": "kWh"}
    assistant.ask("recorder/import_statistics", metadata={**about, "has_sum": True, "has_mean": False}, stats=rows)
    assistant.ask("energy/save_prefs", energy_sources=grid(assistant, sensor))
    return bars(page)


def dashboard_after_backfill(built: Home, page: Page) -> FloatRect:
    (assistant,) = built.assistants
    done = Missing(built, built.folder, datetime.now(UTC)).run(assistant)
    assert done.returncode == 0, done.stderr
    return bars(page)


def bars(page: Page) -> FloatRect:
    """Of today, read anew: the page keeps what it has read until it is loaded again."""
    log_in(page)
    visit(page, "/energy")
    page.locator("hui-energy-usage-graph-card canvas").first.wait_for()
    return box(page.locator("hui-energy-usage-graph-card").first)


# the part of the page that a picture shows; the dialog of the last one stays open
PICTURES: dict[str, Callable[[Home, Page], FloatRect]] = {
    "home-assistant-mqtt": device_by_mqtt,
    "home-assistant-integration": device_of_the_integration,
    "home-assistant-gap": dashboard_with_a_gap,
    "home-assistant-filled": dashboard_after_backfill,
    "home-assistant-yaml": sensor_by_yaml,
}


def main() -> None:
    with TemporaryDirectory() as folder, house(Path(folder)) as built, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_context(viewport=SIZE, locale="en-GB", timezone_id=ZONE).new_page()
        page.add_init_script(WITHOUT_SIDEBAR)
        log_in(page)
        for name, show in PICTURES.items():
            if name in (sys.argv[1:] or PICTURES):
                part = show(built, page)
                # icons are drawn a moment later
                page.wait_for_load_state("networkidle")
                page.screenshot(path=DOCS / f"{name}.png", clip=part)
                print(f"docs/{name}.png {(DOCS / f'{name}.png').stat().st_size // 1000} kB")
        browser.close()


if __name__ == "__main__":
    main()
