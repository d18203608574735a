"""The page of a household with a solar plant: the flow of power now, and solar energy in history."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from running import Server, until
from samples import METER_ID, power
from solar_household import solar_server
from web.api.test_solar import PLANT, plant
from web.browser.accessibility import accessibility_faults
from web.browser.conftest import page_of, watched
from web.browser.test_sub_meters import served_by_thread
from web.serving import Site, arrived, status


@pytest.fixture(scope="module")
def household(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with solar_server(tmp_path_factory.mktemp("solar")) as running:
        yield running


def active(page: Page) -> list[str | None]:
    return [arrow.get_attribute("data-flow") for arrow in page.locator(".flow .arrow[data-active]").all()]


@pytest.mark.slow
def test_the_flow_is_shown_only_while_both_meters_are_current(browser: Browser) -> None:
    site = Site(arrived(power(-1900)), stale_after_s=3600)
    site.statuses = [status(name="House"), plant(name="Roof")]
    site.hub.publish(arrived(power(-2350), meter_id=PLANT), is_production=True)
    with served_by_thread(site) as url, page_of(browser, url) as page:
        flow = page.locator(".flow")
        expect(flow).to_be_visible()
        sentence = (
            "The solar plant produces 2\u202f350 W: 450 W go to the house, 1\u202f900 W to the grid. "
            "The house uses 450 W, 0 W of it from the grid."
        )
        expect(flow).to_have_attribute("aria-label", sentence)
        expect(flow).to_have_attribute("role", "img")
        until(lambda: active(page) == ["self", "export"])
        expect(page.locator(".flow .value")).to_have_text(["2\u202f350 W", "450 W", "↑ 1\u202f900 W"])
    site.hub.publish(arrived(power(-2350), meter_id=PLANT, age_s=3601), is_production=True)
    with served_by_thread(site) as url, page_of(browser, url) as page:
        expect(page.locator(".solar-now")).to_contain_text("No current power of: Roof")
        expect(page.locator(".flow")).to_be_hidden()
    site.statuses = [plant(name="Roof")]
    with served_by_thread(site) as url, page_of(browser, url) as page:
        expect(page.locator(".solar-now")).to_contain_text("No meter at the grid is configured")


def test_a_meter_without_export_shows_no_flow_while_it_shows_0_w(browser: Browser) -> None:
    site = Site(arrived(power(0)), stale_after_s=3600)
    site.statuses = [status(is_import_only=True), plant(name="Roof")]
    site.hub.publish(arrived(power(-2350), meter_id=PLANT), is_production=True)
    with served_by_thread(site) as url, page_of(browser, url) as page:
        expect(page.locator(".solar-now")).to_contain_text("does not count energy to the grid")
        expect(page.locator(".flow")).to_be_hidden()


@pytest.mark.slow
def test_without_a_plant_nothing_of_it_is_there(browser: Browser) -> None:
    site = Site(arrived(power(300)), stale_after_s=3600)
    site.statuses = [status(meter_id=METER_ID)]
    requests: list[str] = []
    with served_by_thread(site) as url, page_of(browser) as page:
        page.on("request", lambda request: requests.append(request.url))
        page.goto(url)
        expect(page.locator(".hour .caption")).to_be_attached()
        expect(page.locator(".big .number")).to_have_text("300")
        expect(page.locator(".solar-now")).to_have_count(0)
        assert not [name for name in requests if "solar" in name]


def test_a_day_has_its_self_consumption_and_self_sufficiency(browser: Browser, household: Server) -> None:
    energy = household.get("/api/v1/solar/energy?from=2026-06-21&bucket=day&tz=Europe/Berlin").json()["total"]
    with watched(browser, household.url) as open_page:
        page = open_page("#/day/2026-06-21")
        card = page.locator(".solar")
        expect(card.locator("canvas")).to_be_visible()
        rate, sufficiency = (
            f"{energy[name]:.0%}".replace("%", " %") for name in ("self_consumption_rate", "self_sufficiency")
        )
        totals = card.locator(".total")
        expect(totals.nth(1)).to_have_text(re.compile(rf"^Self-consumption.*{rate} of the production$", re.DOTALL))
        expect(totals.nth(3)).to_have_text(re.compile(rf"^Self-sufficiency\s*{sufficiency}$"))
        assert accessibility_faults(page) == []
        page.evaluate("location.hash = '#/month/2026-06?as=table'")
        rows = page.locator(".solar tbody tr")
        expect(rows).to_have_count(30)
        expect(rows.nth(20).locator("td").nth(0)).to_have_text(f"{energy['production_wh'] / 1000:.4f}")
        expect(page.locator(".solar")).to_contain_text(re.compile("These numbers are of .* % of the time"))


@pytest.mark.slow
def test_the_meter_of_the_plant_can_be_chosen_and_says_what_it_is(browser: Browser, household: Server) -> None:
    with watched(browser, household.url) as open_page:
        page = open_page("#/now", locale="de-DE", viewport={"width": 390, "height": 844})
        expect(page.locator(".meters button").first).to_have_attribute("aria-pressed", "true")
        expect(page.locator(".meters button").first).to_have_text("House")
        expect(page.locator(".solar-today")).to_contain_text("Eigenverbrauch")
        assert accessibility_faults(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.get_by_role("button", name="Roof").click()
        expect(page.locator(".direction")).to_have_text("↑ Erzeugung")
        page.evaluate("location.hash = '#/cost'")
        expect(page.locator(".content .card")).to_contain_text("Was Strom kostet, steht beim Zähler am Netz.")
        page.evaluate("location.hash = '#/day/2026-06-21'")
        expect(page.locator(".content > p.soft").first).to_contain_text("Dieser Zähler misst die Solaranlage")
        page.evaluate("location.hash = '#/sum'")
        # two meters of one household are no sum
        expect(page.locator(".sum-choice input:checked")).to_have_count(1)


@pytest.mark.slow
def test_a_day_has_its_solar_energy_though_the_state_of_the_sources_comes_last(
    browser: Browser, household: Server
) -> None:
    def answer_without_states(route: Route) -> None:
        readings, _, _ = household.get("/api/v1/live?brief=yes").text.partition("event: status")
        route.fulfill(content_type="text/event-stream", body=readings)

    with page_of(browser) as page:
        page.route("**/api/v1/status", lambda route: route.abort())
        page.route("**/api/v1/live*", answer_without_states)
        page.goto(f"{household.url}/#/day/2026-06-21")
        expect(page.locator(".notes")).to_be_visible()
        expect(page.locator(".solar")).to_have_count(0)
        page.unroute_all()
        expect(page.locator(".solar + .notes")).to_be_visible()
        expect(page.locator(".solar canvas")).to_be_visible()
