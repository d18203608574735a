"""The page of a centre beside its API: find a meter, groups, sums, readers; and what a tenant's token sees of it."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from running import Server, serving, until
from web.browser.centre import METERS, MONTH, SILENT, name, write
from web.browser.conftest import Open, watched

VIEWS = (
    "fleet",
    "fleet/building",
    f"fleet/building/7/month/{MONTH}",
    "fleet/tenant/Tenant 1/year/2026",
    "fleet/readers",
    "about",
)
TOKEN, TENANT = "0123456789abcdef-all", "0123456789abcdef-one"
CONTRAST = {"runOnly": ["color-contrast"]}


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("central")
    write(folder)
    return {
        **{"IES_METERS": "none", "IES_HISTORY_ENABLED": "true", "IES_DATA_DIR": str(folder)},
        "IES_SERVER_TIME_ZONE": "UTC",
    }


@pytest.fixture(scope="module")
def centre(environ: dict[str, str]) -> Iterator[Server]:
    with serving("serve", environ=environ) as running:
        until(lambda: running.get("/api/v1/fleet/readers").status_code == 200)
        yield running


@pytest.fixture
def opened(browser: Browser, centre: Server) -> Iterator[Open]:
    with watched(browser, centre.url) as opened:
        yield opened


def ask(server: Server, path: str) -> Any:
    return json.loads(server.get(f"/api/v1/fleet/{path}").content, parse_float=Decimal)


def numbers(page: Page) -> list[str]:
    return page.locator("tbody th").all_text_contents()


def test_who_is_silent_comes_first_and_more_follow(opened: Open, centre: Server) -> None:
    page = opened()
    expect(page.locator("tbody tr")).to_have_count(50)
    first = page.locator("tbody tr").first
    expect(first.locator("th")).to_have_text(name(SILENT))
    expect(first).to_contain_text(re.compile(r"silent for 24 h.*–"))
    for _ in range(2):
        page.get_by_role("button", name="More").click()
    expect(page.locator("tbody tr")).to_have_count(METERS)
    assert page.get_by_role("button", name="More").count() == 0
    assert numbers(page) == [each["id"] for each in ask(centre, "meters?limit=1000")["meters"]]


def test_nothing_leads_to_a_view_that_waits_for_a_meter(opened: Open) -> None:
    page = opened("#/now")
    expect(page.locator("tbody tr")).to_have_count(50)
    for key in "hcswn":
        page.keyboard.press(key)
        expect(page.locator("body")).to_have_attribute("data-view", "fleet")
    page.goto(page.url.partition("#")[0] + "#/wall")
    expect(page.locator("body")).to_have_attribute("data-view", "fleet")
    expect(page.locator("tbody tr")).to_have_count(50)


def test_a_meter_is_found_by_a_part_of_its_number_and_the_address_keeps_it(opened: Open) -> None:
    page = opened("#/fleet")
    page.get_by_role("searchbox").fill("70 000 10")
    # who was heard of longest ago comes first
    expect(page.locator("tbody th")).to_have_text([name(number) for number in reversed(range(100, 110))])
    page.reload()
    expect(page.locator("tbody tr")).to_have_count(10)
    page.get_by_role("searchbox").fill("no such number")
    expect(page.locator("main .empty")).to_have_text("There is none.")


def test_what_a_group_took_is_what_the_api_says(opened: Open, centre: Server) -> None:
    page = opened("#/fleet/building")
    page.get_by_role("link", name="9", exact=True).click()
    expect(page.locator("main > h1")).to_have_text("Building 9")
    page.evaluate("(month) => { location.hash = `#/fleet/building/9/month/${month}`; }", MONTH)
    energy = ask(centre, f"energy?group=building:9&from={MONTH}&bucket=day")
    total = sum(each["import_wh"] for each in energy["buckets"] if "import_wh" in each) / 1000
    expect(page.locator(".totals")).to_contain_text(f"{total:,.3f} kWh".replace(",", "\u202f"))
    chart = page.locator(".chart[role=slider]")
    chart.press("End")
    expect(page.locator(".caption")).to_contain_text("not measured")
    known = [each for each in energy["buckets"] if "import_wh" in each]
    part = next(each for each in known if each["import_meters"] < energy["import_meters"])
    for _ in range(len(energy["buckets"]) - 1 - energy["buckets"].index(part)):
        chart.press("ArrowLeft")
    expect(page.locator(".caption")).to_contain_text(f"{part['import_meters']} of {energy['import_meters']} meters")
    expect(page.locator("tbody tr")).to_have_count(METERS // 3)


def test_the_quarters_of_a_group_are_a_file(opened: Open, centre: Server) -> None:
    page = opened(f"#/fleet/tenant/Tenant 2/month/{MONTH}")
    with page.expect_download() as download:
        page.get_by_role("link", name="Quarters as CSV").click()
    text = download.value.path().read_text()
    assert text == centre.get(f"/api/v1/fleet/quarters.csv?group=tenant:Tenant+2&from={MONTH}").text
    assert len(text.splitlines()) > 96


def test_readers_say_what_is_wrong(opened: Open) -> None:
    page = opened("#/fleet/readers")
    lines = page.locator(".chain li")
    expect(lines).to_have_text(
        [re.compile("cellar-0 holds .*is read"), re.compile("cellar-1 is broken .*ttyUSB0")], timeout=20_000
    )


@pytest.mark.parametrize("view", VIEWS)
def test_everybody_can_use_it(opened: Open, view: str) -> None:
    page = opened(f"#/{view}", color_scheme="light", viewport={"width": 320, "height": 700})
    expect(page.locator("tbody tr, main dd, .chain li, .prose").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    found = Axe().run(page).response["violations"]
    page.emulate_media(color_scheme="dark")
    found += Axe().run(page, options=CONTRAST).response["violations"]
    assert [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found] == []


def test_a_tenant_sees_what_is_the_tenants(browser: Browser, environ: dict[str, str]) -> None:
    tokens = {"IES_SERVER_TOKEN": TOKEN, "IES_TOKENS_TOKEN": TENANT, "IES_TOKENS_GROUPS": "tenant:Tenant 1"}
    bearer = {"authorization": f"Bearer {TOKEN}"}
    with serving("serve", environ=environ | tokens, headers=bearer) as server:
        until(lambda: server.get("/api/v1/fleet/readers").status_code == 200)
        context = browser.new_context(locale="en-GB")
        page = context.new_page()
        page.goto(f"{server.url}/?token={TENANT}")
        expect(page.locator("tbody tr")).to_have_count(METERS // 6)
        page.get_by_role("link", name="Tenants").click()
        expect(page.locator("main dt")).to_have_text(["Tenant 1"])
        page.get_by_role("link", name="Readers").click()
        expect(page.locator("main .empty")).to_contain_text("This token sees the meters of tenant:Tenant 1")
        context.close()
