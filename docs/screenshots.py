"""Takes the screenshots of the page for README and docs: `make screenshots`. Starts its own demo server.

IES_DATA_DIR keeps the two years of history for the next run. Best run at noon, when today has data.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from playwright.sync_api import Page, ViewportSize, sync_playwright

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from running import Server, free_port, serving, until
from supervisor import Target, supervisor
from web.browser.central import MONTH, write
from web.browser.conftest import ARGUMENTS, CHROMIUM

DOCS = Path(__file__).parent
NOW = datetime.now(UTC)
YESTERDAY = f"{NOW - timedelta(days=1):%Y-%m-%d}"
TIME_ZONE = "Europe/Berlin"
WIDE, NARROW, WALL = (1280, 800), (390, 844), (1280, 720)
# name: address, size, light or dark, language
PICTURES = {
    "now-light": ("now", WIDE, "light", "en-GB"),
    "now-dark": ("now", WIDE, "dark", "en-GB"),
    "now-narrow": ("now", NARROW, "light", "de-DE"),
    "day": (f"day/{YESTERDAY}", (1280, 1040), "light", "en-GB"),
    "heat": (f"heat/{NOW.year - 1}", WIDE, "dark", "en-GB"),
    "compare": (f"compare/month/{NOW.year}-06/{NOW.year - 1}-06", WIDE, "light", "en-GB"),
    "cost": ("cost", WIDE, "light", "en-GB"),
    "setup": ("setup", WIDE, "light", "en-GB"),
    "wall": ("wall", WALL, "dark", "en-GB"),
    # of the German pages
    "de/now-light": ("now", WIDE, "light", "de-DE"),
    "de/day": (f"day/{YESTERDAY}", (1280, 1040), "light", "de-DE"),
    "de/heat": (f"heat/{NOW.year - 1}", WIDE, "dark", "de-DE"),
    "de/compare": (f"compare/month/{NOW.year}-06/{NOW.year - 1}-06", WIDE, "light", "de-DE"),
    "de/cost": ("cost", WIDE, "light", "de-DE"),
    "de/setup": ("setup", WIDE, "light", "de-DE"),
    "de/wall": ("wall", WALL, "dark", "de-DE"),
}
# of a central server
CENTRAL = {
    "fleet": ("fleet", WIDE, "light", "en-GB"),
    "group": (f"fleet/building/7/month/{MONTH}", WIDE, "light", "en-GB"),
    "de/fleet": ("fleet", WIDE, "light", "de-DE"),
    "de/group": (f"fleet/building/7/month/{MONTH}", WIDE, "light", "de-DE"),
}
# in the app of Home Assistant
APP = {"ingress": ("now", NARROW, "light", "de-DE")}
DRAWN = "main :is(.u-wrap, canvas, .checks, .steps, .digits)"


@contextmanager
def demo(**more: str) -> Iterator[tuple[Server, str]]:
    """What `make demo` runs, with its complete history, and its address; `more` variables are for it.

    The last hour has no gap before the picture: what has just been received is written at once.
    """
    with tempfile.TemporaryDirectory() as folder:
        environ = {"IES_HISTORY_ENABLED": "true", "IES_DATA_DIR": os.environ.get("IES_DATA_DIR", folder),
                   "IES_SERVER_TIME_ZONE": TIME_ZONE, "IES_HISTORY_FLUSH_S": "1", **more}  # fmt: skip
        with serving("demo", environ=environ) as server:
            until(lambda: is_complete(server), deadline_s=300)
            yield server, server.url


@contextmanager
def central() -> Iterator[tuple[Server, str]]:
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder))
        environ = {"IES_HISTORY_ENABLED": "true", "IES_DATA_DIR": folder, "IES_METERS": "none",
                   "IES_SERVER_TIME_ZONE": "UTC"}  # fmt: skip
        with serving("serve", environ=environ) as server:
            yield server, server.url


@contextmanager
def app() -> Iterator[tuple[Server, str]]:
    """The demo server as an app of Home Assistant, and the address of its frame there."""
    with supervisor() as box:
        box.app = Target("127.0.0.1", free_port())
        ingress = {"IES_SERVER_INGRESS_PORT": str(box.app.port), "IES_SERVER_INGRESS_ADDRESS": "127.0.0.1"}
        with demo(**ingress) as (server, _):
            yield server, box.frame_url


def is_complete(server: Server) -> bool:
    answer = server.get(f"/api/v1/meters/1ISK0010000001/energy?from={YESTERDAY}&bucket=day")
    return answer.status_code == 200 and answer.json()["buckets"][0]["import_quality"] == "measured"


def screenshot_view(page: Page, name: str, url: str, view: str) -> None:
    page.goto(f"{url}/#/{view}")
    page.locator(DRAWN).first.wait_for()
    page.locator("body[data-state=live]").wait_for()
    if view in ("now", "wall"):
        # what the power costs, after energy and prices have come
        page.locator("main .rate", has_text="/h").wait_for()
    if view in ("now", "cost"):
        page.locator("main :is(.so-far, .chart-card) :is(.middle, .u-wrap)").first.wait_for()
    # until a status has arrived after the first telegram
    page.locator(".warning").wait_for(state="hidden")
    save(page, name)


def screenshot_frame(page: Page, name: str, url: str, view: str) -> None:
    page.goto(f"{url}#/{view}")
    page.frame_locator("iframe").locator("main :is(.so-far, .chart-card) :is(.middle, .u-wrap)").first.wait_for()
    page.frame_locator("iframe").locator("body[data-state=live]").wait_for()
    save(page, name)


def screenshot_central(page: Page, name: str, url: str, view: str) -> None:
    page.goto(f"{url}/#/{view}")
    page.locator("main tbody tr").first.wait_for()
    if name.endswith("group"):
        page.locator("main .u-wrap").first.wait_for()
    save(page, name)


def save(page: Page, name: str) -> None:
    page.wait_for_load_state("load")
    page.evaluate("document.fonts.ready.then(() => new Promise(requestAnimationFrame))")
    page.screenshot(path=DOCS / f"{name}.png")
    print(f"docs/{name}.png {(DOCS / f'{name}.png').stat().st_size // 1000} kB")


def main() -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for serve, pictures, screenshot in (
            (demo, PICTURES, screenshot_view),
            (app, APP, screenshot_frame),
            (central, CENTRAL, screenshot_central),
        ):
            wanted = {name: picture for name, picture in pictures.items() if name in (sys.argv[1:] or pictures)}
            if not wanted:
                continue
            with serve() as (server, url):
                zone = server.get("/api/v1/status").json()["time_zone"]["name"]
                for name, (view, (width, height), scheme, locale) in wanted.items():
                    size = ViewportSize(width=width, height=height)
                    colours: Literal["dark", "light"] = "dark" if scheme == "dark" else "light"
                    context = browser.new_context(viewport=size, color_scheme=colours, locale=locale, timezone_id=zone)
                    screenshot(context.new_page(), name, url, view)
                    context.close()


if __name__ == "__main__":
    main()
