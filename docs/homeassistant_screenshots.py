"""Takes the screenshots of the real Home Assistant for docs/, as root: python docs/homeassistant_screenshots.py.

A Home Assistant of the test home with our integration, a server, and a meter on a pseudo-terminal; see developing.md.
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import FloatRect, Page, ViewportSize, sync_playwright

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from homeassistant import forms, release
from homeassistant.home import PORT, home
from homeassistant.instance import OWNER, HomeAssistant
from homeassistant.meter import UNLOCKED
from homeassistant.network import PI_NAME
from web.browser.conftest import ARGUMENTS, CHROMIUM

DOCS = Path(__file__).parent
NEWEST = release.SETS["default"][-1]
SIZE = ViewportSize(width=1120, height=1240)
# the third column of the page of a device is empty
DEVICE = FloatRect(x=40, y=60, width=700, height=SIZE["height"] - 60)
# room for the names of entities
WITHOUT_SIDEBAR = "localStorage.setItem('dockedSidebar', '\"always_hidden\"')"


def sign_in(page: Page, assistant: HomeAssistant) -> None:
    """The owner logs in on the page, after the rest of the first steps of a new installation."""
    url = assistant.url
    assistant.post("/api/onboarding/core_config", {})
    assistant.post("/api/onboarding/analytics", {})
    assistant.post("/api/onboarding/integration", {"client_id": f"{url}/", "redirect_uri": f"{url}/"})
    page.goto(url)
    page.locator("input[name=username]").fill(OWNER["username"])
    page.locator("input[name=password]").fill(OWNER["password"])
    # else the next address asks again
    page.get_by_text("Keep me logged in").click()
    page.locator("input[name=password]").press("Enter")
    page.locator("home-assistant-main").wait_for()


def save(page: Page, name: str, part: FloatRect) -> None:
    # icons come after the texts
    page.wait_for_load_state("networkidle")
    page.screenshot(path=DOCS / f"{name}.png", clip=part)
    print(f"docs/{name}.png {(DOCS / f'{name}.png').stat().st_size // 1000} kB")


def main() -> None:
    release.install(NEWEST)
    with tempfile.TemporaryDirectory() as folder, home(Path(folder), [NEWEST]) as house:
        (assistant,) = house.assistants
        house.meter.profile, house.meter.imported, house.meter.exported = UNLOCKED, 123456789, 4321000
        house.start_server(MQTT_URL="")
        assistant.start()
        forms.add(assistant, host=PI_NAME, port=PORT)
        device = next(device["id"] for name, device in forms.devices(assistant).items() if name.startswith("1 ISK"))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            page = browser.new_page(viewport=SIZE, locale="en-GB")
            page.add_init_script(WITHOUT_SIDEBAR)
            sign_in(page, assistant)
            page.goto(f"{assistant.url}/config/devices/device/{device}")
            page.get_by_text("12,345.6789 kWh").first.wait_for()
            save(page, "home-assistant-device", DEVICE)
            browser.close()


if __name__ == "__main__":
    main()
