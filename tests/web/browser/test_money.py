"""Money on the page compared with the API: no amount without a price or a current reading."""

import json
import re
import tomllib
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from iskra_server.config.load import load
from iskra_server.cost.from_config import contracts_from_config
from running import Server, until
from web.browser.conftest import Meter, Open
from web.browser.household import TODAY, counters_at, this_quarter

NAME = "1ISK0012345678"


def request(server: Server, path: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(server.get(f"/api/v1/meters/{NAME}/{path}").content, parse_float=Decimal)
    return content


def price_now(server: Server, column: str) -> Decimal:
    answer = request(server, "prices")
    elapsed = datetime.now(UTC) - datetime.fromisoformat(answer["begin"])
    price: Decimal = answer[column][int(elapsed.total_seconds()) // 900]
    return price


def euros(amount: Decimal, places: int = 2) -> str:
    return f"€{amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):,}"


def test_the_power_costs_the_price_of_this_quarter_hour(open_page: Open, meter: Meter, server: Server) -> None:
    meter.send()
    page = open_page("#/now")
    expect(page.locator(".so-far .middle .paid")).to_be_visible()
    meter.show(page, 4000, "4\u202f000")
    cost = 4 * price_now(server, "import_amount")
    expect(page.locator(".rate")).to_have_text(f"{euros(cost, 3 if cost < 1 else 2)}/h")
    meter.show(page, -1500, "−1\u202f500")
    expect(page.locator(".rate")).to_have_text(f"earns {euros(Decimal('1.5') * Decimal('0.0811'), 3)}/h")


@pytest.mark.slow
def test_a_stale_reading_has_no_rate(open_page: Open, meter: Meter) -> None:
    page = open_page("#/wall")
    meter.show(page, 1000, "1\u202f000")
    expect(page.locator(".rate")).not_to_have_text("")
    with meter.silent():
        expect(page.locator(".rate")).to_have_text("")
        expect(page.locator("main .today")).to_contain_text("€")


def test_today_costs_what_history_says_and_what_the_meter_has_counted_since(
    open_page: Open, meter: Meter, server: Server
) -> None:
    meter.send()
    page = open_page("#/now")
    paid = page.locator(".so-far .middle .paid")
    # this telegram has no export register: what was exported since the last quarter-hour is not known
    expect(paid).to_have_text(euros(request(server, "cost?bucket=15min")["total"]["total_amount"]))
    # 5 Wh to the grid since then, if all of them are recorded
    exported = counters_at(this_quarter())[1] + 50

    def is_shown() -> bool:
        meter.send(500, exported=exported)
        cost, counted = (request(server, f"{route}?bucket=15min") for route in ("cost", "energy"))
        totals = json.loads(server.get(f"/api/v1/meters/{NAME}").content, parse_float=Decimal).get("registers", [])
        amount = cost["total"]["total_amount"]
        # a quarter-hour that ended while other tests sent no export register: nothing is counted beyond history then
        is_counted = counted["import"]["last"]["at"] == counted["export"]["last"]["at"]
        for sign, name in (1, "import"), (-1, "export"):
            total = next((one["value"] for one in totals if one["name"] == f"energy_{name}"), None)
            if total is None:
                return False
            since = (total - counted[name]["last"]["register_wh"]) / 1000 if is_counted else 0
            amount += sign * since * price_now(server, f"{name}_amount")
        return paid.inner_text() == euros(amount).replace("€-", "−€")

    until(is_shown)


def test_energy_has_its_cost_beside_it(open_page: Open, meter: Meter, server: Server) -> None:
    meter.send()
    page = open_page("#/now")
    for row, period in ("this month", "this_month"), ("this year", "this_year"):
        value = page.locator(".so-far .pairs div", has_text=row).locator("dd")
        cost = request(server, f"cost?from={period}&bucket=year")["buckets"][-1]["paid"]["total_amount"]
        energy = request(server, f"energy?from={period}&bucket=year")["import"]["total_wh"]
        kwh = f"{(energy / 1000).quantize(Decimal('0.1'), ROUND_HALF_UP):,}".replace(",", "\u202f")
        expect(value).to_have_text(f"{kwh} kWh · {euros(cost)}")


def test_the_base_load_has_its_cost_in_a_year(open_page: Open, meter: Meter, server: Server) -> None:
    meter.send()
    standby = request(server, "standby")
    page = open_page("#/now")
    link = page.get_by_role("link", name=re.compile("a year"))
    watts = standby["base_load_w"].quantize(Decimal(1), ROUND_HALF_UP)
    expect(link).to_have_text(f"{watts} W · about {euros(standby['year_amount'], 0)} a year")
    link.click()
    expect(page.locator(".standby .middle")).to_have_text(
        f"{watts} W always on: {euros(standby['year_amount'], 0)} a year"
    )
    chart = page.locator(".standby .chart")
    expect(chart).to_have_attribute("aria-valuemax", "12")


def test_forecasts_and_budget_equal_the_api(open_page: Open, meter: Meter, server: Server) -> None:
    meter.send()
    before = request(server, "forecast")
    page = open_page("#/cost")
    expect(page.locator(".costs .outcome")).to_be_visible()
    after = request(server, "forecast")
    for period in ("year", "month"):
        # a quarter-hour may have ended between the requests
        amounts = (re.escape(euros(answer[period]["total_amount"])) for answer in (before, after))
        expect(page.locator(".costs").first).to_contain_text(re.compile("|".join(amounts)))
    budget = page.locator("section", has_text="Cost and instalments").locator(".chart[role=slider]")
    budget.focus()
    page.keyboard.press("Home")
    first = date(TODAY.year, 1, 1)
    expect(budget).to_have_attribute("aria-valuetext", re.compile(rf"^1 Jan {first.year} · cost €.* · instalments €40"))
    page.keyboard.press("End")
    is_last_day = (TODAY + timedelta(days=1)).year > TODAY.year
    cost = r"cost €\S+" if is_last_day else "still to come"
    expect(budget).to_have_attribute("aria-valuetext", re.compile(f"{cost} · instalments €480"))


def test_another_contract_year_can_be_shown(open_page: Open, meter: Meter, server: Server) -> None:
    meter.send()
    page = open_page("#/cost")
    page.get_by_role("button", name="Earlier year").click()
    expect(page.locator(".stepper h1")).to_have_text(str(TODAY.year - 1))
    total = request(server, f"cost?from={TODAY.year - 1}&bucket=year")["total"]["total_amount"]
    expect(page.locator("main .middle")).to_have_text(euros(total))
    page.keyboard.press("ArrowRight")
    expect(page.locator(".stepper h1")).to_have_text(str(TODAY.year))
    expect(page.get_by_role("button", name="Later year")).to_be_disabled()


def test_a_price_that_changes_is_shown_beside_the_use_with_the_cheapest_hours(
    open_page: Open, meter: Meter, server: Server
) -> None:
    meter.send()
    page = open_page("#/cost")
    card = page.locator("section", has_text="Price today and tomorrow")
    for hours in (1, 3):
        card.get_by_role("button", name=f"{hours} hour").click()
        cheapest = next(one for one in request(server, "prices")["cheapest"] if one["hours"] == hours)
        begin = datetime.fromisoformat(cheapest["begin"])
        expect(card.locator(".compared")).to_contain_text(f"{begin:%H:%M}–")
        expect(card.locator(".compared")).to_contain_text("€0.2949 per kWh")
    charts = card.locator(".chart[aria-valuemax]")
    expect(charts).to_have_count(2)
    price, own = charts.all()
    price.focus()
    page.keyboard.press("Home")
    expect(price).to_have_attribute("aria-valuetext", re.compile(r"^today, 00:00.00:15 · €0\.3265 / kWh · from grid"))
    expect(own).to_have_attribute("aria-valuemax", price.get_attribute("aria-valuemax") or "")


def test_history_has_its_cost_beside_its_energy(open_page: Open, meter: Meter, server: Server) -> None:
    meter.send()
    page = open_page("#/month/2026-02")
    total = request(server, "cost?from=2026-02&bucket=month")["total"]
    expect(page.locator(".total[data-flow=import] dd")).to_contain_text(f"· {euros(total['import_amount'])}")
    expect(page.locator(".total[data-flow=export] dd")).to_contain_text(f"· {euros(total['export_amount'])}")


def test_a_contract_can_be_written_and_is_checked_beside_its_fields(open_page: Open, meter: Meter) -> None:
    meter.send()
    page = open_page("#/cost")
    page.get_by_role("link", name="Enter a new contract").click()
    form, result = page.locator(".contract-form"), page.locator("pre")
    form.get_by_label("Name").fill("Green")
    page.get_by_label("Kind").first.select_option("windows")
    form.get_by_label("Price outside the windows").fill("33,5")
    form.get_by_role("button", name="Add a window").click()
    windows = form.locator(".window")
    expect(windows).to_have_count(2)
    first, second = windows.all()
    first.get_by_label("Price").fill("24.5")
    second.get_by_label("From").fill("05:00")
    second.get_by_label("To").fill("09:05")
    finding = second.locator(".field", has_text="To").locator(".finding")
    expect(finding).to_contain_text("steps of 15 minutes")
    expect(second.get_by_label("To")).to_have_attribute("aria-invalid", "true")
    expect(page.locator(".result .outcome")).to_have_text("1 mistake found.")
    second.get_by_label("To").fill("09:00")
    expect(form).to_contain_text("overlap")
    second.get_by_label("From").fill("06:00")
    expect(page.locator(".result .outcome")).to_have_text("The price is still missing.")
    second.get_by_label("Price").fill("30")
    expect(page.locator(".result .outcome")).to_have_text("No mistake found.")
    expect(form.locator(".finding:visible")).to_have_count(0)
    (contract,) = tomllib.loads(result.inner_text())["contracts"]
    assert (contract["name"], contract["energy"]["default"]) == ("Green", 0.335)
    assert [window["from"] for window in contract["energy"]["windows"]] == ["22:00", "06:00"]


def test_the_lines_of_a_dynamic_contract_are_a_configuration(open_page: Open, meter: Meter, tmp_path: Path) -> None:
    """Net prices, par. 14a with modules 1 and 3, a feed-in that is unpaid at negative prices."""
    meter.send()
    # in a window it is asked for nothing
    page = open_page("#/cost/contract", locale="de-DE", permissions=["clipboard-write"])
    page.get_by_label("Art").first.select_option("spot")
    page.get_by_label("Aufschlag des Anbieters").fill("2,15")
    page.get_by_label("Netzentgelt (Standardtarif)").fill("9,12")
    page.get_by_label("§ 14a").select_option("3")
    page.get_by_label("Reduzierung im Jahr").fill("148,40")
    windows = page.locator(".window")
    expect(windows).to_have_count(2)
    high, low = windows.all()
    high.get_by_label("Preis").fill("15,2")
    low.get_by_label("Preis").fill("2,74")
    page.get_by_label("Art").last.select_option("fixed")
    page.locator("input[name^=feed_in]").fill("7,78")
    page.get_by_label("Keine Vergütung, solange").check()
    expect(page.locator(".result .outcome")).to_have_text("Keine Fehler gefunden.")
    config = tmp_path / "iskra-server.toml"
    config.write_text(page.locator("pre").inner_text())
    (contract,) = contracts_from_config(load({}, config).contracts)
    assert (contract.pricing, contract.grid_credit) == ("spot", Decimal("148.40"))
    page.get_by_role("button", name="Kopieren").click()
    expect(page.locator(".result .card-head")).to_contain_text("kopiert")
