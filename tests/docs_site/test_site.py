"""The built documentation site in a real browser: both languages, search, versions, and no request elsewhere."""

import json
import re
import subprocess
import threading
import venv
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from iskra_server.config import load
from web.browser.conftest import ARGUMENTS, CHROMIUM

ROOT = Path(__file__).parents[2]
SITE = ROOT / ".cache" / "site"
_DEADLINE_S = 600
_TIMEOUT_MS = 20_000

pytestmark = pytest.mark.slow

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as by `make docs-site`, with an older version beside it."""
    python = SITE / "bin" / "python"
    if not (SITE / ".ready").exists():
        venv.create(SITE, with_pip=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", "requirements/site.txt"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_DEADLINE_S, check=False)
        if done.returncode:
            pytest.skip(f"the generator of the site cannot be installed: {done.stderr.strip()[-200:]}")
        (SITE / ".ready").touch()
    folder = tmp_path_factory.mktemp("build") / "site"
    older = folder.with_name("versions.json")
    older.write_text('[{"version": "0.0", "path": "0.0/"}]')
    command = [
        str(python),
        "docs/site/make_site.py",
        "--output",
        str(folder),
        "--version",
        "0.1",
        "--versions",
        str(older),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_DEADLINE_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "0.0").mkdir()
    (folder / "0.0" / "index.html").write_text(
        '<!doctype html><link rel="icon" href="data:,"><h1>The older version</h1>'
    )
    return folder


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("there is no Chromium (apt install chromium-headless-shell)")
    expect.set_options(timeout=_TIMEOUT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[Open]:
    """Opens a page of version 0.1; none may request anything from another host, or write to the console."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def open_at(path: str, **options: object) -> Page:
        context = browser.new_context(**options)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(_TIMEOUT_MS)
        page.on(
            "request",
            lambda request: None if request.url.startswith((address, "blob:")) else faults.append(request.url),
        )
        page.on("console", lambda message: faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(path if "://" in path else f"{address}/0.1/{path}")
        return page

    yield open_at
    for context in contexts:
        context.close()
    assert faults == []


PAGES = ["index.html", "overview.html", "configuration.html", "meters.html", "de/index.html", "de/meters.html"]
GENERATORS = ["generator/index.html", "de/generator/index.html"]


@pytest.mark.parametrize("path", [*PAGES, *GENERATORS])
def test_axe_finds_no_accessibility_fault_in_light_or_dark(open_page: Open, path: str) -> None:
    page = open_page(path, color_scheme="light")
    violations = Axe().run(page).response["violations"]
    page.emulate_media(color_scheme="dark")
    violations += Axe().run(page, options={"runOnly": ["color-contrast"]}).response["violations"]
    assert [(violation["id"], [node["html"][:120] for node in violation["nodes"]]) for violation in violations] == []


@pytest.mark.parametrize("width", [320, 1920])
@pytest.mark.parametrize("path", [*PAGES, *GENERATORS])
def test_nothing_is_wider_than_the_screen(open_page: Open, path: str, width: int) -> None:
    page = open_page(path, viewport={"width": width, "height": 800})
    expect(page.locator("h1").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(
    ("path", "word", "texts"),
    [
        ("search.html", "torch", ("Search finished, found", "Meters")),
        # another form of the word than the page has
        ("de/search.html", "Taschenlampen", ("Seiten gefunden.", "Zähler")),
    ],
)
def test_a_word_is_found(open_page: Open, site: Path, path: str, word: str, texts: tuple[str, str]) -> None:
    page = open_page(f"{path}?q={word}")
    sentence, title = texts
    expect(page.locator("#search-results")).to_contain_text(sentence)
    expect(page.locator("#search-results").get_by_role("link", name=title, exact=True)).to_be_visible()
    # and without a server; the excerpts beside the titles need one
    local = open_page_without_server(page, site / "0.1" / path, word)
    expect(local.locator("#search-results").get_by_role("link", name=title, exact=True)).to_be_visible()
    local.close()


def open_page_without_server(page: Page, file: Path, word: str) -> Page:
    local = page.context.new_page()
    local.goto(f"{file.as_uri()}?q={word}")
    return local


def test_a_page_leads_to_the_same_one_in_the_other_language(open_page: Open) -> None:
    page = open_page("meters.html")
    page.get_by_role("link", name="Deutsch", exact=True).click()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page).to_have_url(re.compile(r"/0\.1/de/meters\.html$"))
    page.get_by_role("link", name="English", exact=True).click()
    expect(page).to_have_url(re.compile(r"/0\.1/meters\.html$"))
    # one that is there in English only leads to the first page
    page = open_page("developing.html")
    page.get_by_role("link", name="Deutsch", exact=True).click()
    expect(page).to_have_url(re.compile(r"/0\.1/de/index\.html$"))


def test_a_version_can_be_chosen(open_page: Open, site: Path, address: str) -> None:
    versions = json.loads((site / "versions.json").read_text())
    assert [row["version"] for row in versions] == ["0.1", "0.0"]
    page = open_page("index.html")
    page.get_by_label("Version").select_option("0.0")
    expect(page.locator("h1")).to_have_text("The older version")
    page = open_page(f"{address}/index.html")
    page.wait_for_url("**/latest/index.html")
    expect(page.locator("h1").first).to_contain_text("ISKRA Electricity Server")


def test_pages_can_be_read_without_javascript(open_page: Open) -> None:
    page = open_page("configuration.html", java_script_enabled=False)
    expect(page.get_by_role("heading", name="Keys")).to_be_visible()
    expect(page.get_by_role("link", name="Contracts").first).to_be_visible()
    expect(page.locator(".site-version")).to_have_text("0.1")
    page = open_page("de/generator/index.html", java_script_enabled=False)
    # Playwright's own text leaves out <noscript>
    expect(page.locator("main")).to_contain_text("braucht JavaScript", use_inner_text=True)


def test_what_the_generator_writes_can_be_downloaded(open_page: Open, tmp_path: Path) -> None:
    page = open_page("generator/index.html", locale="en-GB", accept_downloads=True)
    expect(page.get_by_role("status").first).to_have_text("No mistake found.")
    page.get_by_label("What reads the meter?").select_option("tibber")
    page.get_by_label("Host name or IP address").fill("http://192.168.1.30")
    expect(page.locator("#finding-meters\\.0\\.host")).to_contain_text("without http:// and without a port")
    expect(page.get_by_role("button", name="Download: iskra-server.toml")).to_be_disabled()
    page.get_by_label("Host name or IP address").fill("192.168.1.30")
    page.get_by_label("Password of the bridge").fill("AD56-54BA")
    page.get_by_label("Enter my contract").check()
    page.locator('[data-key="energy_price"] input').fill("32,65")
    page.get_by_role("button", name="Make a token").click()
    expect(page.get_by_role("status").first).to_have_text("No mistake found.")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download: iskra-server.toml").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert file.name == "iskra-server.toml"
    config = load({}, file)
    assert config.meters[0].url.reveal() == "http://admin:AD56-54BA@192.168.1.30/data.json?node_id=1"
    assert len(config.server.token.reveal()) == 32 and config.contracts[0].energy_price == 0.3265
    compose = page.get_by_label("docker-compose.yml", exact=True)
    expect(compose).to_contain_text("./iskra-server.toml:/etc/iskra-server/iskra-server.toml:ro")
    expect(compose).not_to_contain_text("/dev")


def test_the_generator_can_send_nothing(browser: Browser, address: str) -> None:
    page = browser.new_page()
    page.goto(f"{address}/0.1/de/generator/index.html")
    assert page.evaluate("fetch(location.href).then(() => 'sent', () => 'refused')") == "refused"
    page.close()
