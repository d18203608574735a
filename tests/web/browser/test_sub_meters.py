"""The page with what the one of an SML meter does not have: gas, heat, lists in turn, whole kWh, a cable, outputs."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Locator, expect

import submeters
import texts
from iskra_server.diagnosis.facts import CounterViolation, StreamQuality, UnreadableTelegram
from iskra_server.meter.reading import Sample
from iskra_server.outputs.state import OutputState
from running import until
from samples import EXPORT, METER_ID, energy, power
from web.browser.conftest import page_of
from web.serving import Site, arrived, served, status

# of all that a test does with a server
DEADLINE_S = 240.0


@contextmanager
def site_of(meter_id: str, *samples: Sample) -> Iterator[str]:
    """The address of the page over these samples, in a server of its own."""
    # they come once, and a busy machine takes its time
    site = Site(*samples, stale_after_s=3600)
    site.statuses = [status(meter_id=meter_id, source="test")]
    with served_by_thread(site) as url:
        yield url


@contextmanager
def served_by_thread(site: Site) -> Iterator[str]:
    address: list[str] = []
    is_served, is_over = threading.Event(), threading.Event()

    async def serve() -> None:
        async with served(site.app) as client:
            address.append(str(client.base_url).rstrip("/"))
            is_served.set()
            await asyncio.to_thread(is_over.wait, DEADLINE_S)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert is_served.wait(DEADLINE_S)
        yield address[0]
    finally:
        is_over.set()
        thread.join()


def text_of(row: Locator) -> str:
    """With a single space for each white space, also for the thin one between thousands."""
    return " ".join(row.inner_text().split())


@pytest.mark.parametrize(
    ("locale", "gas", "heat"),
    [
        pytest.param(
            *("en-GB", "Gas G0099000000000029 1 569.646 m³ read 22 Nov 2026", "Heat H0099000000000077 12.345 GJ read"),
            marks=pytest.mark.slow,
        ),
        ("de-DE", "Gas G0099000000000029 1 569,646 m³ abgelesen 22.11.2026", "Wärme H0099000000000077 12,345 GJ"),
    ],
)
def test_gas_and_heat_have_a_card_and_are_no_meters_to_choose(
    browser: Browser, locale: str, gas: str, heat: str
) -> None:
    with site_of(texts.P1_ID, *submeters.p1_samples()) as url, page_of(browser, f"{url}/#/now", locale=locale) as page:
        rows = page.locator(".sub-meters .pairs > div")
        expect(rows).to_have_count(2)
        until(lambda: text_of(rows.nth(0)).startswith(gas))
        until(lambda: text_of(rows.nth(1)).startswith(heat))
        expect(page.locator(".meters")).to_be_hidden()
        page.goto(f"{url}/#/registers")
        # hex text of digits alone is no number
        expect(page.locator("td.text", has_text=texts.hex_text(texts.P1_ID))).to_be_visible()


def test_a_meter_of_whole_kwh_without_power_has_no_frames_and_no_last_hour(browser: Browser) -> None:
    counters = submeters.list_sample(energy(28136, 3), energy(34889, 3, EXPORT), age_s=0)
    with site_of(METER_ID, counters) as url, page_of(browser, f"{url}/#/now") as page:
        expect(page.locator(".digits")).to_have_attribute("aria-label", "28\u202f136 kWh")
        expect(page.locator(".digits .place")).to_have_count(0)
        expect(page.locator(".reading .pairs dd")).to_have_text("34\u202f889 kWh")
        expect(page.locator(".big")).to_contain_text("sends no power")
        expect(page.locator(".hour")).to_be_hidden()
        page.goto(f"{url}/#/registers")
        expect(page.locator("th", has_text="energy_import")).to_contain_text("in steps of 1\u00a0kWh")


def test_meters_are_added_while_all_of_them_have_a_power(browser: Browser) -> None:
    other = "1 ISK 00 12345679"
    samples = arrived(power(1243)), arrived(power(-300), meter_id=other)
    with site_of(METER_ID, *samples) as url, page_of(browser, f"{url}/#/now") as page:
        page.locator(".meters a").click()
        total = page.locator(".power-sum")
        expect(total.locator(".middle")).to_have_text("943 W")
        expect(total.locator("dd")).to_have_text(["1\u202f243 W", "−300 W"])
        page.get_by_label(other).uncheck()
        expect(total).to_contain_text("Choose two or more meters.")
        page.get_by_label(other).check()
        expect(total.locator(".middle")).to_have_text("943 W")
        # a meter leads back to its own page
        page.locator(".meters button").first.click()
        expect(page.locator(".big .number")).to_have_text("1\u202f243")


def test_a_meter_can_be_chosen_as_soon_as_the_sum_is_shown(browser: Browser) -> None:
    samples = arrived(power(1243)), arrived(power(-300), meter_id="1 ISK 00 12345679")
    with site_of(METER_ID, *samples) as url, page_of(browser) as page:
        page.clock.install()
        page.goto(f"{url}/#/now")
        expect(page.locator(".meters button")).to_have_count(2)
        # nothing that is repeated runs between two clicks
        page.clock.pause_at(datetime.now(UTC) + timedelta(minutes=1))
        # that of the meter that was shown before, and one that looks the same in both views
        for place in (0, 0, 1):
            page.locator(".meters a").click()
            expect(page.locator("main")).to_have_class("sum")
            page.locator(".meters button").nth(place).click()
            expect(page.locator("main")).to_have_class("now")


def test_without_one_of_the_powers_there_is_no_sum_of_meters(browser: Browser) -> None:
    other = "1 ISK 00 12345679"
    with (
        site_of(METER_ID, arrived(power(1243)), arrived(energy(5), meter_id=other)) as url,
        page_of(browser, f"{url}/#/sum", locale="de-DE") as page,
    ):
        expect(page.locator(".power-sum")).to_contain_text(f"Keine aktuelle Leistung: {other}.")
        expect(page.locator(".power-sum .middle")).to_have_count(0)


@pytest.mark.slow
def test_the_elements_of_an_unknown_list_stay_open(browser: Browser) -> None:
    unreadable = UnreadableTelegram("layout", "unknown list of 2 elements", METER_ID, ("u1 7", "array of 0"))
    site = Site()
    facts = {"telegrams": 0, "meter_id": None, "protocol": "dlms", "line": "2400 8E1", "last_unreadable": unreadable}
    site.statuses = [status(**facts, unreadable={"layout": 5})]
    with served_by_thread(site) as url, page_of(browser, f"{url}/#/setup", locale="de-DE") as page:
        expect(page.locator(".pairs")).to_contain_text("2400 Baud, 8E1")
        page.locator("summary").click()
        site.statuses = [status(**facts, unreadable={"layout": 54321})]
        expect(page.locator(".pairs")).to_contain_text("unbekannte Liste 54\u202f321")
        expect(page.locator("pre")).to_have_text("u1 7\narray of 0")
        expect(page.locator("pre")).to_be_visible()


def test_history_says_that_it_begins_with_the_first_reading(browser: Browser) -> None:
    site = Site()
    site.statuses = [status(meter_id=None, telegrams=0, age_s=None)]
    with served_by_thread(site) as url, page_of(browser, f"{url}/#/now") as page:
        for view, place in (
            ("now", ".today"),
            ("day", "main"),
            ("heat", "main"),
            ("compare", "main"),
            ("cost", "main"),
        ):
            page.goto(f"{url}/#/{view}")
            expect(page.locator(place)).to_contain_text("History is shown with the first reading.")


def test_a_total_of_another_list_says_when_it_was_read(browser: Browser) -> None:
    counters, powers = submeters.list_sample(energy(74078573), age_s=600), submeters.list_sample(power(321), age_s=0)
    with site_of(METER_ID, counters, powers) as url, page_of(browser, f"{url}/#/now") as page:
        expect(page.locator(".big .number")).to_have_text("321")
        expect(page.locator(".digits")).to_have_attribute("aria-label", "7\u202f407.8573 kWh")
        expect(page.locator(".reading .note")).to_contain_text("read ")


def test_a_cable_is_not_told_to_move(browser: Browser) -> None:
    """P1 has no head: what its telegrams need is another cable."""
    for protocol, valid, sentence in (
        ("p1", 10, "Die Übertragung ist gut."),
        ("p1", 5, "Verwenden Sie ein kürzeres oder geschirmtes Kabel"),
        ("sml", 5, "Verschieben Sie den Lesekopf"),
    ):
        site = Site()
        quality = StreamQuality(10, valid, 10 - valid, 0, 4000, valid / 10)
        site.statuses = [status(source="test", protocol=protocol, last_10s=quality)]
        with served_by_thread(site) as url, page_of(browser, f"{url}/#/setup/head", locale="de-DE") as page:
            expect(page.locator(".align .direction")).to_contain_text(sentence)


def test_outputs_say_in_german_what_fails_where_they_can(browser: Browser) -> None:
    outputs = [
        OutputState("ecotracker", ok=False, sentence="TCP port 80 is in use.", sentence_de="TCP-Port 80 ist belegt."),
        OutputState("mqtt", ok=False, sentence="The broker is away."),
    ]
    site = Site(output_states=lambda: outputs)
    with served_by_thread(site) as url, page_of(browser, f"{url}/#/setup", locale="de-DE") as page:
        expect(page.get_by_text("TCP-Port 80 ist belegt.")).to_be_visible()
        expect(page.get_by_text("The broker is away.")).to_be_visible()
        expect(page.get_by_text("TCP port 80 is in use.")).to_have_count(0)


@pytest.mark.parametrize(
    ("locale", "sentence"),
    [
        ("en-GB", "1-0:1.8.0 is held back: it shows 2.8136e+13, more than the connection can carry in 50 years."),
        (
            "de-DE",
            "1-0:1.8.0 wird zurückgehalten: 2.8136e+13 ist mehr, als der Hausanschluss in 50 Jahren liefern kann.",
        ),
    ],
)
def test_a_total_that_is_held_back_leaves_the_power_and_says_why(browser: Browser, locale: str, sentence: str) -> None:
    absurd = CounterViolation("1-0:1.8.0", "0", "2.8136e+13", 0, is_decrease=False, is_beyond_rating=True)
    site = Site(arrived(power(321)), stale_after_s=3600)
    site.statuses = [status(source="test", counter_violation=absurd)]
    with served_by_thread(site) as url, page_of(browser, f"{url}/#/now", locale=locale) as page:
        expect(page.locator(".big .number")).to_have_text("321")
        expect(page.locator(".reading .note")).to_have_text(sentence)
        expect(page.locator(".warning strong")).to_have_text(sentence)
