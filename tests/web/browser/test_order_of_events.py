"""The page where answers, telegrams and presses come in another order than usual, as on a slow machine or network."""

import re

import pytest
from playwright.sync_api import Browser, Route, expect

from iskra_server.diagnosis.facts import UnreadableTelegram
from running import Server
from samples import METER_ID, power
from web.browser.conftest import Meter, Open, hold, page_of
from web.browser.test_sub_meters import served_by_thread
from web.serving import Site, arrived, status

OTHER = "1 ISK 00 12345679"


def test_a_reading_goes_on_while_the_next_view_is_loaded(open_page: Open, meter: Meter) -> None:
    page = open_page("#/now")
    meter.show(page, 321, "321")
    release = hold(page, "**/views/history.js")
    with page.expect_request("**/views/history.js"):
        page.locator("nav.sections a", has_text="History").click()
    meter.show(page, 432, "432")
    release()
    expect(page.locator(".stepper h1")).to_be_visible()


def test_a_form_that_is_loaded_too_late_is_not_shown(open_page: Open) -> None:
    page = open_page("#/about")
    release = hold(page, "**/views/contractForm.js")
    with page.expect_request("**/views/contractForm.js") as asked:
        page.evaluate("location.hash = '#/cost/contract'")
    page.evaluate("location.hash = '#/about'")
    expect(page.locator("main.about .prose").first).to_be_visible()
    release()
    # it is loaded once: this ends after it
    page.evaluate("(url) => import(url).then(() => null)", asked.value.url)
    expect(page.locator("main form")).to_have_count(0)


def test_the_lines_for_home_assistant_are_those_of_the_address_typed_last(open_page: Open) -> None:
    page = open_page("#/setup/homeassistant")
    yaml, address = page.get_by_label("YAML"), page.get_by_label("Address")
    expect(yaml).to_contain_text("resource:")
    release = hold(page, "**/api/v1/homeassistant?url=http*first*")
    for name in ("first", "second"):
        address.fill(f"http://{name}:8080")
        address.press("Tab")
    expect(yaml).to_contain_text('resource: "http://second:8080/')
    with page.expect_request_finished(lambda request: "first" in request.url):
        release()
    # what the answer changes is drawn before the frame after the next
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    expect(yaml).to_contain_text('resource: "http://second:8080/')


def test_after_a_quarter_hour_the_buttons_show_its_prices(browser: Browser, meter: Meter, server: Server) -> None:
    def answer_with_other_prices(route: Route) -> None:
        answer = route.fetch()
        content = answer.json()
        for cheapest in content["cheapest"]:
            cheapest["price"] = cheapest["hours"] / 8
        route.fulfill(response=answer, json=content)

    meter.send()
    with page_of(browser) as page:
        page.clock.install()
        page.goto(f"{server.url}/#/cost")
        card = page.locator("section", has_text="Price today and tomorrow")
        expect(card.locator(".chart[aria-valuemax]")).to_have_count(2)
        page.route("**/prices?**", answer_with_other_prices)
        page.clock.fast_forward("16:00")
        expect(card.locator(".compared")).to_contain_text("€0.125 per kWh")
        card.get_by_role("button", name="3 hour").click()
        expect(card.locator(".compared")).to_contain_text("€0.375 per kWh")
        expect(card.get_by_role("button", name="3 hour")).to_be_focused()


def test_a_meter_that_is_read_later_can_be_added_and_have_a_contract(browser: Browser) -> None:
    site = Site(arrived(power(1243)), stale_after_s=3600)
    site.statuses = [status(meter_id=METER_ID)]
    with (
        served_by_thread(site) as url,
        page_of(browser, f"{url}/#/sum") as summed,
        page_of(browser, f"{url}/#/cost/contract") as contract,
    ):
        expect(summed.locator(".sum-choice input")).to_have_count(1)
        contract.get_by_label("Name").first.fill("Green")
        expect(contract.locator("select[name=meter]")).to_have_count(0)
        site.statuses = [status(meter_id=METER_ID), status(meter_id=OTHER)]
        expect(summed.locator(".sum-choice input:checked")).to_have_count(2)
        expect(contract.locator("select[name=meter] option")).to_have_count(3)
        expect(contract.get_by_label("Name").first).to_have_value("Green")


def test_a_link_is_followed_though_numbers_beside_it_change_while_it_is_pressed(browser: Browser) -> None:
    site = Site(arrived(power(1243)), stale_after_s=3600)
    site.statuses = [status(locked=True, telegrams=10)]
    with served_by_thread(site) as url, page_of(browser) as page:
        page.clock.install()
        page.goto(f"{url}/#/setup")
        expect(page.locator("main .pairs")).to_contain_text("10")
        page.locator(".verdict a").hover()
        page.mouse.down()
        site.statuses = [status(locked=True, telegrams=4321)]
        page.clock.fast_forward(5_000)
        expect(page.locator("main .pairs")).to_contain_text("4\u202f321")
        page.mouse.up()
        expect(page).to_have_url(re.compile("#/setup/locked$"))


def test_an_open_list_stays_open_though_another_source_took_the_place_of_the_one_before(browser: Browser) -> None:
    unknown = UnreadableTelegram("layout", "no list", elements=("u4",))
    first, second = (status(source=name, name=name, last_unreadable=unknown) for name in ("cellar", "roof"))
    site = Site(arrived(power(1243)), stale_after_s=3600)
    site.statuses = [first, second]
    with served_by_thread(site) as url, page_of(browser) as page:
        page.clock.install()
        page.goto(f"{url}/#/setup")
        expect(page.locator("main details")).to_have_count(2)
        site.statuses = [second]
        page.clock.fast_forward(5_000)
        expect(page.locator("main details")).to_have_count(1)
        page.locator("main summary").click()
        # the state is drawn again several times
        page.clock.fast_forward(5_000)
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        expect(page.locator("main details[open]")).to_have_count(1)


def test_the_meter_of_the_first_source_is_shown_though_another_was_read_first(browser: Browser) -> None:
    site = Site(arrived(power(222), meter_id=OTHER), arrived(power(111)), stale_after_s=3600)
    site.statuses = [status(source="first", name="House"), status(source="second", name="Shop", meter_id=OTHER)]
    with served_by_thread(site) as url, page_of(browser, f"{url}/#/now") as page:
        expect(page.locator(".meters button").first).to_have_attribute("aria-pressed", "true")
        expect(page.locator(".meters button").first).to_have_text("House")
        expect(page.locator(".big .number")).to_have_text("111")
        page.locator(".meters button").nth(1).click()
        expect(page.locator(".big .number")).to_have_text("222")


def test_a_chart_whose_library_is_missing_says_so(browser: Browser, server: Server, meter: Meter) -> None:
    errors: list[str] = []
    with page_of(browser) as page:
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.route("**/vendor/uPlot.iife.min.js", lambda route: route.fulfill(status=404))
        page.goto(f"{server.url}/#/now")
        for place in (".hour", ".today .chart"):
            expect(page.locator(place)).to_contain_text("The chart could not be loaded. Reload the page to try again.")
        meter.show(page, 345, "345")
        for view in ("month/2026-02", "cost"):
            page.goto(f"{server.url}/#/{view}")
            expect(page.locator("main .empty").first).to_contain_text("The chart could not be loaded.")
        # the table has the same numbers
        page.goto(f"{server.url}/#/month/2026-02?as=table")
        expect(page.locator("main table").first).to_be_visible()
    assert errors == []


@pytest.mark.slow
def test_without_the_script_of_the_charts_the_number_stays(browser: Browser, server: Server, meter: Meter) -> None:
    """The page is loaded again three times, as after an update of the server, and then works without."""
    errors: list[str] = []
    with page_of(browser) as page:
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.route("**/views/nowCharts.js", lambda route: route.fulfill(status=404))
        page.goto(f"{server.url}/#/now")
        expect(page.locator(".today .chart")).to_have_text(
            "The chart could not be loaded. Reload the page to try again."
        )
        meter.show(page, 234, "234")
    assert errors == []


def test_a_key_is_heard_before_the_page_is_painted(browser: Browser, server: Server) -> None:
    with page_of(browser) as page:
        # a page in the background is not painted
        page.add_init_script("window.requestAnimationFrame = () => 0")
        page.goto(f"{server.url}/#/about")
        with page.expect_response("**/js/keys.js"):
            page.reload()
        # by default it would look when the page is painted
        page.wait_for_function("document.querySelector('main.about') !== null", polling=100)
        until_heard = "() => { dispatchEvent(new KeyboardEvent('keydown', { key: 's' })); return location.hash }"
        page.wait_for_function(f"({until_heard})() === '#/setup'", polling=100)
