"""The page of a central server compared with its API: search, groups, sums, readers, a tenant's token."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from typing import Any
from zipfile import ZipFile

import pytest
from playwright.sync_api import Browser, Page, expect

from iskra_server.fleet.central import statement_api
from iskra_server.fleet.central.queries import set_labels
from iskra_server.history.store.store import Store
from iskra_server.web.http.pages import STATIC
from running import Server, serving, until
from web.browser.accessibility import accessibility_faults
from web.browser.central import ALONE, METERS, MONTH, NOTHING, SILENT, name, write
from web.browser.conftest import Open, hold, page_of, watched

# the views, and what each shows when it is there
PARTS = {
    "fleet": "tbody tr",
    "fleet/building": "dd",
    f"fleet/building/7/month/{MONTH}": ".chart[role=slider]",
    "fleet/tenant/Tenant 1/year/2026": ".chart[role=slider]",
    f"fleet/meter/{name(ALONE)}/month/{MONTH}": ".chart[role=slider]",
    "fleet/readers": ".checks li",
    "about": ".prose",
}
TOKEN, TENANT = "0123456789abcdef-all", "0123456789abcdef-one"


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("central")
    write(folder)
    return {
        **{"IES_METERS": "none", "IES_HISTORY_ENABLED": "true", "IES_DATA_DIR": str(folder)},
        "IES_SERVER_TIME_ZONE": "UTC",
    }


@pytest.fixture(scope="module")
def central(environ: dict[str, str]) -> Iterator[Server]:
    with serving("serve", environ=environ) as running:
        until(lambda: running.get("/api/v1/fleet/readers").status_code == 200)
        yield running


@pytest.fixture
def opened(browser: Browser, central: Server) -> Iterator[Open]:
    with watched(browser, central.url) as opened:
        yield opened


def request(server: Server, path: str) -> Any:
    return json.loads(server.get(f"/api/v1/fleet/{path}").content, parse_float=Decimal)


def numbers(page: Page) -> list[str]:
    return page.locator("tbody th").all_text_contents()


def test_what_is_wrong_stands_above_the_list(opened: Open, central: Server) -> None:
    until(lambda: central.get("/api/v1/status").json()["central"]["facts"])
    for view in ("#/fleet", "#/fleet/readers"):
        notices = opened(view).locator("p.notice")
        expect(notices.first).to_contain_text("Readers with a fault: 1 of 2, such as cellar-1.")
        expect(notices.nth(1)).to_contain_text("half an hour or longer: 1 of 120.")


def test_silent_meters_come_first_and_more_can_be_loaded(opened: Open, central: Server) -> None:
    page = opened()
    expect(page.locator("tbody tr")).to_have_count(50)
    first = page.locator("tbody tr").first
    expect(first.locator("th")).to_have_text(name(SILENT))
    expect(first).to_contain_text(re.compile(r"silent since \d.*–"))
    # the second press of a double click does nothing; it comes before the answer, which moves the button
    release = hold(page, "**/fleet/meters?*after=*")
    page.get_by_role("button", name="More").dblclick()
    release()
    expect(page.locator("tbody tr")).to_have_count(100)
    page.get_by_role("button", name="More").click()
    expect(page.locator("tbody tr")).to_have_count(METERS)
    expect(page.get_by_role("button", name="More")).to_have_count(0)
    expect(page.locator("tbody th")).to_have_text(
        [meter["id"] for meter in request(central, "meters?limit=1000")["meters"]]
    )


def test_a_central_server_has_no_views_of_a_single_meter(opened: Open) -> None:
    page = opened("#/now")
    expect(page.locator("tbody tr")).to_have_count(50)
    for key in "hcswn":
        page.keyboard.press(key)
        expect(page.locator("body")).to_have_attribute("data-view", "fleet")
    page.goto(page.url.partition("#")[0] + "#/wall")
    expect(page.locator("body")).to_have_attribute("data-view", "fleet")
    expect(page.locator("tbody tr")).to_have_count(50)


def test_a_meter_is_found_by_part_of_its_number_and_the_address_keeps_the_search(opened: Open) -> None:
    page = opened("#/fleet")
    page.get_by_role("searchbox").fill("70 000 10")
    expect(page.locator("tbody tr")).to_have_count(10)
    until(lambda: sorted(numbers(page)) == [name(number) for number in range(100, 110)])
    page.reload()
    expect(page.locator("tbody tr")).to_have_count(10)
    page.get_by_role("searchbox").fill("no such number")
    expect(page.locator("main .empty")).to_have_text("Nothing found.")


@pytest.mark.slow
def test_a_group_is_found_by_part_of_its_name_and_its_periods_are_links(opened: Open) -> None:
    page = opened("#/fleet/tenant")
    expect(page.locator("main dt")).to_have_count(7)
    page.get_by_role("searchbox", name="Find a tenant").fill("out")
    expect(page.locator("main dt")).to_have_text(["Moved out"])
    expect(page).to_have_url(re.compile(r"/tenant\?find=out$"))
    page.get_by_role("searchbox").fill("tenant 1")
    expect(page.locator("main dt")).to_have_text(["Tenant 1"])
    page.get_by_role("link", name="Tenant 1").click()
    expect(page).to_have_title(re.compile("^Tenant Tenant 1 "))
    page.get_by_role("link", name="Year", exact=True).press("Enter")
    expect(page.locator(".stepper h1")).to_have_text(re.compile(r"^\d{4}$"))
    expect(page.get_by_role("link", name="Year", exact=True)).to_be_focused()
    # a group of one of its meters opens at the same period
    page.locator("tbody tr").first.get_by_role("link").first.click()
    expect(page.locator("main > h1")).to_have_text(re.compile("^Building"))
    expect(page.locator(".stepper h1")).to_have_text(re.compile(r"^\d{4}$"))


def test_the_energy_of_a_group_equals_the_api(opened: Open, central: Server) -> None:
    page = opened("#/fleet/building")
    page.get_by_role("link", name="9", exact=True).click()
    expect(page.locator("main > h1")).to_have_text("Building 9")
    page.evaluate("(month) => { location.hash = `#/fleet/building/9/month/${month}`; }", MONTH)
    energy = request(central, f"energy?group=building:9&from={MONTH}&bucket=day")
    (month,) = request(central, f"energy?group=building:9&from={MONTH}&bucket=month")["buckets"]
    expect(page.locator(".totals")).to_contain_text(f"{month['import_wh'] / 1000:,.3f} kWh".replace(",", "\u202f"))
    chart = page.locator(".chart[role=slider]")
    chart.press("End")
    expect(page.locator(".caption")).to_contain_text("no data")
    measured = [bucket for bucket in energy["buckets"] if "import_wh" in bucket]
    part = next(bucket for bucket in measured if _lacks_a_meter(bucket))
    for _ in range(len(energy["buckets"]) - 1 - energy["buckets"].index(part)):
        chart.press("ArrowLeft")
    known = part["import_completeness"]
    expect(page.locator(".caption")).to_contain_text(f"{known['complete']} of {known['meters']} meters")
    whole = month["import_completeness"]
    expect(page.locator("p.notice")).to_contain_text(
        f"Incomplete: {whole['complete']} of {whole['meters']} meters complete, "
        + f"{whole['quarters'] - whole['measured']:,} of {whole['quarters']:,} quarter-hours missing. Missing: "
        "Sun 1 February – Mon 9 February (all); Fri 20 February (1); Sat 21 February (96); Sun 22".replace(
            ",", "\u202f"
        )
    )
    expect(page.locator("tbody tr")).to_have_count(METERS // 3)
    expect(page.locator("section.files")).to_contain_text("not for legal billing")


@pytest.mark.slow
def test_the_sum_has_the_energy_of_a_gap_over_midnight_which_is_in_no_bar(opened: Open, central: Server) -> None:
    page = opened(f"#/fleet/building/7/month/{MONTH}")
    answers = [request(central, f"energy?group=building:7&from={MONTH}&bucket={length}") for length in ("day", "month")]
    # 16 quarter-hours of 35 Wh from the grid and 3 Wh to it
    for energy, rest in (("import_wh", 560), ("export_wh", 48)):
        days, month = (sum(bucket.get(energy, 0) for bucket in answer["buckets"]) for answer in answers)
        assert month - days == rest
        expect(page.locator(".totals")).to_contain_text(f"{month / 1000:,.3f} kWh".replace(",", "\u202f"))
    expect(page.locator("p.notice")).to_contain_text("Sat 14 February (8); Sun 15 February (8); ")
    expect(page.locator("p.notice")).to_contain_text("↓ 0.560 kWh, ↑ 0.048 kWh of it are in no bar")


def _lacks_a_meter(bucket: dict[str, Any]) -> bool:
    known: dict[str, int] = bucket["import_completeness"]
    return known["complete"] < known["meters"]


@pytest.mark.slow
def test_the_15_minute_values_of_a_group_can_be_downloaded(opened: Open, central: Server) -> None:
    page = opened(f"#/fleet/tenant/Tenant 2/month/{MONTH}")
    with page.expect_download() as download:
        page.get_by_role("link", name="15-minute values as CSV").click()
    text = download.value.path().read_text()
    assert text == central.get(f"/api/v1/fleet/quarters.csv?group=tenant:Tenant+2&from={MONTH}").text
    assert len(text.splitlines()) > 96


def test_the_statement_of_a_group_can_be_downloaded(opened: Open, central: Server) -> None:
    page = opened(f"#/fleet/tenant/Moved out/month/{MONTH}", locale="de-DE")
    files = page.locator("section.files")
    expect(files).to_contain_text("Nicht eichrechtskonform")
    path = f"/api/v1/fleet/statement?group=tenant:Moved+out&from={MONTH}&lang=de"
    for use, suffix, more in (("zum Drucken", "html", ""), ("als CSV", "csv", "&format=csv")):
        with page.expect_download() as download:
            files.get_by_role("link", name=f"Aufstellung {use}").click()
        assert download.value.suggested_filename == f"tenant-Moved_out-{MONTH}.{suffix}"
        answer = without_time(central.get(path + more).text)
        assert without_time(download.value.path().read_text()) == answer
        assert "10.02.2026 00:00" in answer or "2026-02-10T00:00:00" in answer


def test_the_statements_of_all_tenants_of_a_house_can_be_downloaded_at_once(opened: Open, central: Server) -> None:
    page = opened(f"#/fleet/building/9/month/{MONTH}", locale="de-DE")
    with page.expect_download() as download:
        page.get_by_role("link", name="Aufstellungen aller Mieter").click()
    assert download.value.suggested_filename == f"building-9-{MONTH}.zip"
    with ZipFile(download.value.path()) as files:
        texts = {name: files.read(name).decode() for name in files.namelist()}
    tenants = ("Moved out", "Tenant 2", "Tenant 5")
    names = [f"tenant-{tenant.replace(' ', '_')}-{MONTH}.{form}" for tenant in tenants for form in ("html", "csv")]
    assert list(texts) == names
    assert all(
        f"<dd>Gebäude 9, Mieter {tenant}</dd>" in texts[name] for tenant, name in zip(tenants, names[::2], strict=True)
    )
    page.evaluate("(month) => { location.hash = `#/fleet/tenant/Tenant 2/month/${month}`; }", MONTH)
    expect(page.locator("main > h1")).to_have_text("Mieter Tenant 2")
    expect(page.locator("section.files a")).to_have_count(3)


def without_time(statement: str) -> str:
    """When it was made is a moment later each time."""
    return re.sub(r"<dt>Erstellt</dt><dd>[^<]*", "", statement)


@pytest.mark.slow
def test_a_group_of_more_meters_than_a_statement_may_have_says_how_to_get_one(opened: Open) -> None:
    script = STATIC / "js" / "views" / "group.js"
    assert f"const MAX_METERS = {statement_api.MAX_METERS};" in script.read_text()
    smaller = script.read_text().replace("MAX_METERS = 200", "MAX_METERS = 20")
    page = opened("#/about")
    page.route("**/group.js", lambda route: route.fulfill(content_type="text/javascript", body=smaller))
    page.evaluate("location.hash = '#/fleet/building/7'")
    expect(page.locator("section.files")).to_contain_text("“iskra-server fleet statement”")
    expect(page.locator("section.files a")).to_have_text(["15-minute values as CSV"])


def test_a_former_tenant_has_his_time(opened: Open) -> None:
    page = opened("#/fleet/tenant")
    line = page.locator("dl.pairs div").filter(has_text="Moved out")
    expect(line).to_contain_text("0 meters · until 12 Feb 2026")
    line.get_by_role("link").click()
    page.evaluate("(month) => { location.hash = `#/fleet/tenant/Moved out/month/${month}`; }", MONTH)
    expect(page.locator("main")).to_contain_text("until 12 Feb 2026")
    expect(page.locator("main .empty")).to_have_text("Nothing found.")


def test_a_meter_without_a_group_shows_its_energy(opened: Open, central: Server) -> None:
    page = opened("#/fleet")
    page.get_by_role("searchbox").fill(name(ALONE))
    page.get_by_role("link", name=name(ALONE)).click()
    expect(page.locator("main > h1")).to_have_text(name(ALONE))
    page.evaluate("([id, month]) => { location.hash = `#/fleet/meter/${id}/month/${month}`; }", [name(ALONE), MONTH])
    energy = json.loads(central.get(f"/api/v1/meters/{name(ALONE)}/energy?from={MONTH}").content, parse_float=Decimal)
    total = f"{energy['import']['total_wh'] / 1000:,.3f} kWh".replace(",", "\u202f")
    expect(page.locator(".totals")).to_contain_text(total)
    # from a month to one of its days, and to its table: it stays that meter
    page.locator(".chart[role=slider]").press("End")
    for _ in range(8):
        page.locator(".chart[role=slider]").press("ArrowLeft")
    page.locator(".chart[role=slider]").press("Enter")
    expect(page).to_have_url(re.compile(r"/day/2026-02-20$"))
    page.get_by_role("button", name="Table").click()
    expect(page.locator("main > h1")).to_have_text(name(ALONE))
    expect(page.locator(".content tbody tr").first).to_contain_text("00:00")
    page.get_by_role("link", name="Year", exact=True).click()
    expect(page).to_have_url(re.compile(r"/year/2026\?as=table$"))
    expect(page.locator(".content tbody tr").nth(1)).to_contain_text(total.removesuffix(" kWh"))


def test_a_meter_that_nobody_knows_is_one_sentence(browser: Browser, central: Server) -> None:
    # not watched: a browser reports the 404 of such a meter
    with page_of(browser, f"{central.url}/#/fleet/meter/nobody") as page:
        expect(page.get_by_role("alert")).to_contain_text("'nobody'")


def test_readers_show_their_first_fault(opened: Open) -> None:
    page = opened("#/fleet/readers")
    lines = page.locator(".checks li")
    expect(lines).to_have_text([re.compile("cellar-0 OK .*are read"), re.compile("cellar-1 failed .*ttyUSB0")])


def test_what_readers_report_is_german_on_a_german_page(opened: Open) -> None:
    page = opened("#/fleet/readers", locale="de-DE")
    expect(page.locator(".checks li").nth(1)).to_contain_text(str(NOTHING.de))
    expect(page.locator(".checks li").nth(0)).to_contain_text("Alle Quellen werden gelesen.")
    expect(page.locator(".notice").first).to_contain_text(f"cellar-1. {NOTHING.de}")


@pytest.mark.slow
def test_views_are_accessible_and_fit_a_phone(opened: Open) -> None:
    page = opened("#/about", color_scheme="light", viewport={"width": 320, "height": 700})
    faults = {}
    for view, part in PARTS.items():
        page.evaluate("(view) => { location.hash = encodeURI(`#/${view}`); }", view)
        expect(page.locator(f"main.{view.partition('/')[0]} {part}").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, view
        faults[view] = accessibility_faults(page)
    assert {view: found for view, found in faults.items() if found} == {}


def test_a_token_for_a_group_shows_only_the_meters_of_that_group(browser: Browser, environ: dict[str, str]) -> None:
    tokens = {"IES_SERVER_TOKEN": TOKEN, "IES_TOKENS_TOKEN": TENANT, "IES_TOKENS_GROUPS": "tenant:Tenant 1"}
    bearer = {"authorization": f"Bearer {TOKEN}"}
    with (
        serving("serve", environ=environ | tokens, headers=bearer) as server,
        page_of(browser, viewport={"width": 320, "height": 700}) as page,
    ):
        until(lambda: server.get("/api/v1/fleet/readers").status_code == 200)
        page.goto(server.url)
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        page.goto(f"{server.url}/?token={TENANT}")
        expect(page.locator("tbody tr")).to_have_count(METERS // 6)
        page.get_by_role("link", name="Tenants").click()
        expect(page.locator("main dt")).to_have_text(["Tenant 1"])
        page.get_by_role("link", name="Readers").click()
        expect(page.locator("main .empty")).to_contain_text("This token gives access to the meters of tenant:Tenant 1")


def test_a_token_for_a_group_without_a_page_has_no_link_that_it_may_not_open(
    browser: Browser, environ: dict[str, str]
) -> None:
    tokens = {"IES_SERVER_TOKEN": TOKEN, "IES_TOKENS_TOKEN": TENANT, "IES_TOKENS_GROUPS": "owner:Lang"}
    bearer = {"authorization": f"Bearer {TOKEN}"}
    with serving("serve", environ=environ | tokens, headers=bearer) as server:
        until(lambda: server.get("/api/v1/fleet/readers").status_code == 200)
        context = browser.new_context(locale="en-GB")
        page = context.new_page()
        for token, links in ((TENANT, 0), (TOKEN, 1)):
            page.goto(f"{server.url}/?token={token}#/fleet?find={name(ALONE)[-8:]}")
            expect(page.locator("tbody th")).to_have_text([name(ALONE)])
            expect(page.locator("tbody th a")).to_have_count(links)
            context.clear_cookies()
        context.close()


def test_a_house_without_tenants_offers_no_statements_of_tenants(opened: Open, environ: dict[str, str]) -> None:
    with closing(Store(f"sqlite:///{environ['IES_DATA_DIR']}/iskra.sqlite")) as store:
        set_labels(store, {name(9): {"building": "12", "tenant": ""}})
        try:
            page = opened(f"#/fleet/building/12/month/{MONTH}")
            files = page.locator("section.files")
            expect(files.get_by_role("link", name="Statement to print")).to_be_visible()
            expect(files.get_by_role("link", name="Statements of all tenants")).to_have_count(0)
        finally:
            set_labels(store, {name(9): {"building": "7", "tenant": "Tenant 3"}})


def test_the_shortcuts_of_a_central_server_are_its_own(opened: Open) -> None:
    shortcuts = opened("#/about", locale="de-DE").locator(".shortcuts")
    expect(shortcuts).to_contain_text("Alle Zähler")
    expect(shortcuts).not_to_contain_text("Kosten")
