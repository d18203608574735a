"""The views of history compared with the API: every period, clock changes, gaps, addresses."""

import csv
import io
import json
import re
from calendar import monthrange
from contextlib import closing
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from iskra_server.history.model.records import quarter_of
from iskra_server.history.model.spot_price import Price
from iskra_server.history.store.spot_prices import store_prices
from iskra_server.history.store.store import Store
from running import Server, until
from web.browser.conftest import Meter, Open, hold
from web.browser.household import AUTUMN, CHANGED_HOUR, EPOCH_DAY, GAP_DAY, SPRING, TODAY

YESTERDAY = TODAY - timedelta(days=1)
MONDAY = YESTERDAY - timedelta(days=YESTERDAY.weekday())
VIEWS = {
    f"day/{YESTERDAY}": f"from={YESTERDAY}&bucket=15min",
    f"week/{MONDAY}": f"from={MONDAY}&to={MONDAY + timedelta(days=6)}&bucket=hour",
    "month/2026-02": "from=2026-02&bucket=day",
    "year/2025": "from=2025&bucket=month",
    "all": f"from=2025&to={TODAY.year}&bucket=year",
}


def request(server: Server, path: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(
        server.get(f"/api/v1/meters/1ISK0012345678/{path}").content, parse_float=Decimal
    )
    return content


def kwh(wh: Decimal | None) -> str:
    return "–" if wh is None else f"{wh / 1000:,.4f}".replace(",", "\u202f")


def cells(page: Page) -> list[list[str]]:
    """The energies in each row of the table."""
    # the table is made anew when its amounts come
    expect(page.locator(".totals")).to_contain_text("€")
    rows = page.locator("main .scroll tbody tr").all_inner_texts()
    return [row.split("\t")[1:3] for row in rows]


def open_view(page: Page, place: str) -> None:
    page.goto(f"{page.url.partition('#')[0]}#/{place}")


def test_table_and_chart_have_every_number_of_the_api(open_page: Open, meter: Meter, server: Server) -> None:
    meter.send()
    page = open_page("#/about")
    for view, query in VIEWS.items():
        answer = request(server, f"energy?{query}")
        buckets = [[kwh(bucket.get("import_wh")), kwh(bucket.get("export_wh"))] for bucket in answer["buckets"]]
        open_view(page, f"{view}?as=table")
        # half up; that of another view may still be there
        total = answer["import"]["total_wh"].quantize(Decimal(1), ROUND_HALF_UP)
        expect(page.locator(".total[data-flow=import] dd")).to_have_text(
            re.compile(rf"^{f'{total / 1000:,.3f}'.replace(',', chr(0x202F))} kWh · €")
        )
        assert cells(page) == buckets, view
        open_view(page, view)
        select_by_arrow_keys(page, buckets)


def select_by_arrow_keys(page: Page, buckets: list[list[str]]) -> None:
    """The second bar, or the first of few."""
    chart = page.locator(".chart[role=slider]").first
    expect(chart).to_have_attribute("aria-valuemax", str(len(buckets) - 1))
    chart.focus()
    keys = ("Home", "ArrowRight")[: min(2, len(buckets) - 1)]
    for key in keys:
        page.keyboard.press(key)
    imported, exported = buckets[len(keys) - 1]
    expect(chart).to_have_attribute("aria-valuetext", re.compile(f"from grid {imported} kWh"))
    expect(page.locator(".caption").first).to_contain_text(f"to grid {exported} kWh")


def test_a_day_on_which_the_clock_changes_has_its_own_length(open_page: Open, meter: Meter, server: Server) -> None:
    meter.send()
    # the hour that is skipped, or occurs twice
    for day, quarters, twos in ((SPRING, 92, 0), (AUTUMN, 100, 2)):
        # days begin in the zone of the server
        page = open_page(f"#/day/{day}?as=table", timezone_id="America/New_York")
        rows = cells(page)
        assert len(rows) == quarters
        answer = request(server, f"energy?from={day}&bucket=15min")
        assert rows == [[kwh(bucket.get("import_wh")), kwh(bucket.get("export_wh"))] for bucket in answer["buckets"]]
        names = page.locator("main .scroll tbody th").all_inner_texts()
        assert sum(name.startswith(f"{CHANGED_HOUR:02}:00") for name in names) == twos
        expect(page.locator(".stepper h1")).to_contain_text(f"{day.day} {day:%B}")


def test_gaps_and_counter_restarts_are_listed(open_page: Open, meter: Meter) -> None:
    meter.send()
    page = open_page(f"#/day/{GAP_DAY}?as=table")
    assert cells(page)[45] == ["–", "–"]
    expect(page.locator(".marks")).to_contain_text("Gap from")
    open_view(page, f"day/{EPOCH_DAY}")
    expect(page.locator(".marks")).to_contain_text("Counter restarted")


def test_the_csv_file_has_the_values_of_the_view(open_page: Open, meter: Meter, server: Server) -> None:
    meter.send()
    page = open_page("#/month/2026-02")
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    assert download.value.suggested_filename == "iskra-month-2026-02.csv"
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    buckets = request(server, "energy?from=2026-02&bucket=day")["buckets"]
    assert [(row["begin"], Decimal(row["import_wh"]), Decimal(row["export_wh"])) for row in rows] == [
        (bucket["begin"], bucket["import_wh"], bucket["export_wh"]) for bucket in buckets
    ]
    costs = request(server, "cost?from=2026-02&bucket=day")["buckets"]
    assert [Decimal(row["cost_amount"]) for row in rows] == [bucket["paid"]["total_amount"] for bucket in costs]


def test_energy_is_shown_before_its_cost(open_page: Open, meter: Meter) -> None:
    meter.send()
    page = open_page("#/about")
    release = hold(page, "**/cost?**")
    open_view(page, "month/2026-02?as=table")
    totals, table = page.locator(".totals"), page.locator("main .scroll")
    expect(totals).to_contain_text("kWh")
    expect(table).to_contain_text("kWh")
    expect(page.locator("main")).not_to_contain_text("€")
    release()
    expect(totals).to_contain_text("€")
    expect(table).to_contain_text("€")


def test_addresses_buttons_and_keys_open_their_periods(open_page: Open, meter: Meter) -> None:
    meter.send()
    page = open_page("#/month/2026-02")
    title = page.locator(".stepper h1")
    expect(title).to_have_text("February 2026")
    page.get_by_role("button", name="Later").click()
    expect(title).to_have_text("March 2026")
    expect(page).to_have_url(re.compile("#/month/2026-03$"))
    page.keyboard.press("ArrowLeft")
    expect(title).to_have_text("February 2026")
    page.locator(".jump select").first.select_option(label="January")
    expect(title).to_have_text("January 2026")
    page.locator(".jump select").last.select_option("2025")
    expect(title).to_have_text("January 2025")
    page.locator(".jump select").first.select_option(label="December")
    expect(title).to_have_text("December 2025")
    expect(page).to_have_title("December 2025 · ISKRA Electricity")
    page.get_by_role("link", name="Year", exact=True).click()
    expect(title).to_have_text("2025")
    page.go_back()
    expect(title).to_have_text("December 2025")
    page.keyboard.press("n")
    expect(page.locator(".big")).to_be_visible()
    expect(page).to_have_url(re.compile("#/now$"))


def test_the_next_arrow_stays_where_it_is(open_page: Open, meter: Meter) -> None:
    meter.send()
    page = open_page("#/day/2026-05-01")
    arrow, title = page.get_by_role("button", name="Later"), page.locator(".stepper h1")
    expect(title).to_contain_text("1 May")
    expect(page.locator(".content .card").first).to_be_visible()
    place = arrow.bounding_box()
    open_view(page, f"day/{GAP_DAY.year}-02-25")
    expect(title).to_contain_text("Wednesday")
    assert place
    until(lambda: arrow.bounding_box() == place)


def test_the_focus_stays_in_its_place_when_the_period_changes(open_page: Open, meter: Meter) -> None:
    meter.send()
    page = open_page(f"#/month/{GAP_DAY:%Y-%m}")
    chart = page.locator(".chart[role=slider]").first
    chart.press("Home")
    for _ in range(GAP_DAY.day - 1):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".stepper h1")).to_contain_text(f"{GAP_DAY.day} May")
    # the chart of the day is where the next key goes, and back again
    expect(page.locator(".chart[role=slider]").first).to_be_focused()
    page.go_back()
    expect(page.locator(".stepper h1")).to_have_text("May 2026")
    expect(page.locator(".chart[role=slider]").first).to_be_focused()
    page.get_by_role("button", name="Earlier").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".stepper h1")).to_have_text("April 2026")
    expect(page.get_by_role("button", name="Earlier")).to_be_focused()


def test_a_second_tap_on_a_bar_opens_it(open_page: Open, meter: Meter) -> None:
    meter.send()
    page = open_page("#/month/2026-02", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    expect(page.locator(".hint")).to_have_text("Tap a bar twice to open its day.")
    page.locator(".u-over").tap()
    expect(page.locator(".caption")).to_contain_text("from grid")
    expect(page).to_have_url(re.compile("month"))
    page.locator(".u-over").tap()
    expect(page.locator(".stepper h1")).to_have_text(re.compile("Feb 2026"))


def test_the_meter_readings_are_a_table_with_their_difference(open_page: Open, meter: Meter, server: Server) -> None:
    meter.send()
    answer = request(server, "energy?from=2026-02&bucket=day")
    rows = open_page("#/month/2026-02").locator(".notes tbody tr")
    expect(rows).to_have_count(2)
    for row, counter in zip(rows.all(), (answer["import"], answer["export"]), strict=True):
        for wh in (counter["first"]["register_wh"], counter["last"]["register_wh"], counter["total_wh"]):
            expect(row).to_contain_text(kwh(wh))


def test_two_periods_are_compared(open_page: Open, meter: Meter, server: Server) -> None:
    meter.send()
    page = open_page("#/compare/month/2026-02/2025-02")
    expect(page.locator(".sides h1")).to_have_text(["February 2026", "February 2025"])
    left, right = (request(server, f"energy?from={month}")["import"]["total_wh"] for month in ("2026-02", "2025-02"))
    message = page.locator(".message").first
    word = "less" if left < right else "more"
    expect(message.locator(".middle")).to_have_text(f"{abs(left - right) / 1000:.3f} kWh {word} from grid")
    expect(message).to_contain_text(f"{left / 1000:.3f} kWh against {right / 1000:.3f} kWh")
    costs = [request(server, f"cost?from={month}")["total"]["total_amount"] for month in ("2026-02", "2025-02")]
    word = "less" if costs[0] < costs[1] else "more"
    expect(message).to_contain_text(f"cost: {euros(abs(costs[0] - costs[1]))} {word}")
    expect(message).to_contain_text(f"{euros(costs[0])} against {euros(costs[1])}")


def test_a_running_month_is_compared_with_as_much_of_another(open_page: Open, meter: Meter, server: Server) -> None:
    """The history has a reading a day: both end at the same midnight, and a day that only one has does not count."""
    meter.send()
    month, before = f"{TODAY:%Y-%m}", f"{TODAY.year - 1}-{TODAY:%m}"
    page = open_page(f"#/compare/month/{month}/{before}")
    message = page.locator(".message").first
    # the month before and the one a year ago may be shorter: then all of them are measured until a midnight
    others = TODAY.replace(day=1) - timedelta(days=1), date(TODAY.year - 1, TODAY.month, 1)
    length = min(monthrange(other.year, other.month)[1] for other in others)
    count = min(TODAY.day - 1, length)
    days = [request(server, f"energy?from={key}&bucket=day")["buckets"][:count] for key in (month, before)]
    left, right = (sum(day["import_wh"] for day in side) for side in days)
    if not days[0]:
        pytest.skip("this month has no complete day yet")
    expect(message).to_contain_text(f"{left / 1000:,.3f} kWh against {right / 1000:,.3f} kWh".replace(",", "\u202f"))
    if TODAY.day <= length:
        expect(message).to_contain_text(f"only the {count} days measured in both")
    # the same days of the month before, in one chart
    expect(page.locator(".message")).to_have_count(2)
    expect(page.locator(".caption").first.locator(".ink")).to_have_count(3)
    page.locator(".chart[role=slider]").first.press("End")
    expect(page.locator(".caption").first).to_contain_text("up to")


def test_the_heat_map_has_a_value_per_quarter_hour(open_page: Open, meter: Meter, server: Server) -> None:
    meter.send()
    page = open_page(f"#/heat/{YESTERDAY.year}")
    heat = page.locator(".heatmap")
    expect(heat).to_be_visible()
    heat.focus()
    back = (date(YESTERDAY.year, 12, 31) - YESTERDAY).days
    for _ in range(back // 7):
        page.keyboard.press("PageUp")
    for _ in range(back % 7):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    second = request(server, f"energy?from={YESTERDAY}&bucket=15min")["buckets"][1]
    expect(heat).to_have_attribute("aria-valuetext", re.compile(f"from grid {kwh(second['import_wh'])} kWh"))
    page.keyboard.press("Enter")
    expect(page.locator(".stepper h1")).to_have_text(re.compile(str(YESTERDAY.year)))
    expect(page).to_have_url(re.compile(f"#/day/{YESTERDAY}$"))


def test_costs_equal_the_api(open_page: Open, meter: Meter, server: Server) -> None:
    meter.send()
    answer = request(server, "cost?from=2026-02&bucket=month")
    page = open_page("#/month/2026-02")
    expect(page.locator(".totals")).to_contain_text(f"€{answer['total']['total_amount']:.2f}")
    first = request(server, "cost?from=2026-02&bucket=day")["buckets"][0]["paid"]["total_amount"]
    page.get_by_role("button", name="Table").click()
    expect(page.locator("tbody tr").first).to_contain_text(f"€{first:.2f}")
    page.get_by_role("button", name="Chart").click()
    page.locator(".chart[role=slider]").press("Home")
    expect(page.locator(".caption")).to_contain_text(f"· €{first:.2f}")
    open_view(page, "cost")
    year = answer["year"]
    expect(page.locator(".costs").first).to_contain_text(f"€{year['total_amount']:.2f}")
    expect(page.locator(".outcome")).to_contain_text(f"€{abs(year['difference_amount']):.2f}")


def test_today_is_compared_with_yesterday(open_page: Open, meter: Meter) -> None:
    meter.send()
    page = open_page("#/now")
    expect(page.locator(".so-far .middle")).to_have_text(re.compile(r"^\d+\.\d{3}\s*kWh"))
    expect(page.locator(".so-far")).to_contain_text(re.compile(r"base load at night\s*\d+ W"))
    expect(page.locator(".today .chart")).to_have_attribute("role", "slider")


def test_contracts_are_compared_as_the_api_says(open_page: Open, meter: Meter, server: Server, folder: Path) -> None:
    meter.send()
    days = TODAY - timedelta(days=7), TODAY - timedelta(days=1)
    answer = request(server, f"compare-contracts?from={days[0]}&to={days[1]}")
    page = open_page(f"#/contracts/{days[0]}/{days[1]}")
    contracts = answer["contracts"]
    cheap = contracts[-1]
    cards = page.locator(".offer")
    expect(cards.locator(".middle")).to_have_text([euros(each["total_amount"]) for each in contracts])
    saved = euros(-cheap["difference_amount"])
    expect(cards.last.locator(".outcome")).to_have_text(f"{saved} less (−{-cheap['difference_percent']} %)")
    expect(page.locator(".conclusion")).to_have_text(f"Cheap would have cost {saved} less than Green.")
    expect(page.locator(".caution")).to_contain_text("Only 7 days")
    expect(page.locator("main pre")).to_contain_text("iskra-server prices fetch")
    # the months by keyboard
    page.locator(".chart[role=slider]").press("Home")
    expect(page.locator(".caption")).to_contain_text("Cheap: ")

    with closing(Store(f"sqlite:///{folder}/iskra.sqlite")) as store:
        first = quarter_of(datetime.fromisoformat(answer["begin"]).timestamp())
        prices = {quarter: Price(50_000_000) for quarter in range(first, first + 96 * 7 + 4)}
        store_prices(store, "DE-LU", "test", first * 900, prices)
    page.reload()
    page.locator("input[name=markup]").fill("1,5")
    page.get_by_text("Keep it as an offer").click()
    expect(page.locator("main pre")).to_contain_text("fixed = 0.015")
    page.locator("form.dynamic button").click()
    expect(cards).to_have_count(4)
    compared = request(server, f"compare-contracts?from={days[0]}&to={days[1]}&zone=DE-LU&markup=0.015")
    expect(cards.last.locator(".middle")).to_have_text(euros(compared["contracts"][-1]["total_amount"]))


def test_a_year_without_quarter_hours_is_not_compared(open_page: Open, meter: Meter) -> None:
    meter.send()
    page = open_page("#/contracts", locale="de-DE")
    expect(page.locator(".conclusion")).to_contain_text("nicht viertelstündlich gemessen")
    expect(page.locator(".offer .outcome").nth(1)).to_have_text("nicht vergleichbar")


def euros(amount: Decimal) -> str:
    return f"€{amount.quantize(Decimal('0.01'), ROUND_HALF_UP):,}"
