"""The view "Is that normal?": an appliance measured on telegrams of a real meter, months and the typical day."""

import re

from playwright.sync_api import expect

from running import Server, until
from web.browser.conftest import Meter, Open
from web.browser.household import TODAY


def test_an_appliance_is_measured_from_start_to_stop(open_page: Open, meter: Meter) -> None:
    page = open_page("#/normal")
    button = page.locator(".measure button")

    def house_kwh() -> float:
        meter.send(2300, more=50)
        page.wait_for_timeout(300)
        shown = re.search(r"from grid\s+(\d+\.\d+) kWh", page.locator(".measure").inner_text())
        return float(shown[1]) if shown else 0.0

    def is_ready() -> bool:
        meter.send(300, more=0)
        page.wait_for_timeout(300)
        return button.is_enabled()

    until(is_ready)
    before = meter.energy
    button.click()
    expect(button).to_have_text("Stop")
    until(lambda: house_kwh() >= 0.01)
    # it goes on while another view is shown
    page.evaluate("location.hash = '#/about'")
    expect(page.locator("main.about")).to_be_visible()
    page.evaluate("location.hash = '#/normal'")
    until(lambda: house_kwh() >= 0.03)
    button.click()
    expect(button).to_have_text("Start")
    measured = page.locator(".measure")
    # which of the telegrams before the start count, tests/js/measurement.test.js knows: some are of the test before
    estimate = r"The value of the appliance is an estimate: the power above the \d+ W before the start\."
    expect(measured).to_contain_text(re.compile(estimate))
    expect(measured).to_contain_text("The value of the house is exact: it is from the meter's counter.")
    expect(measured).to_contain_text(re.compile(r"≈ 0\.\d+ kWh · €0\.0\d"))
    assert 0.03 <= house_kwh() <= (meter.energy - before) / 10_000


def test_months_have_their_highest_quarter_hour(open_page: Open, meter: Meter, server: Server) -> None:
    page = open_page("#/normal", locale="de-DE")
    meter.send()
    expect(page.locator("h1")).to_have_text("Ist das normal?")
    expect(page.locator("table thead th")).to_have_text(["Monat", "Leistung", "Zeitpunkt"])
    begin = f"{TODAY.year - 1}-{TODAY:%m}"
    months = server.get(f"/api/v1/meters/1ISK0012345678/highest-quarters?from={begin}&to=today").json()["months"]
    rows = page.locator("table tbody tr")
    expect(rows).to_have_count(len(months))
    assert months
