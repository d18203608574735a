"""The page for browsers without JavaScript: the current reading with its time, or why there is none."""

import re
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from iskra_server.base.secret import Secret
from iskra_server.diagnosis.facts import CounterViolation
from iskra_server.meter.reading import Sample
from iskra_server.web.api.reading_html import MAX_METERS, preferred_language
from iskra_server.web.http.settings import ScopedToken
from samples import EXPORT, METER_ID, energy, power
from web.serving import MAKER, NEVER, Site, arrived, status

GERMAN = {"accept-language": "de-AT,de;q=0.9,en;q=0.8"}
TOKEN, TENANT = "0123456789abcdef-token", "0123456789abcdef-tenant"


def noscript(site: Site, **headers: str) -> str:
    answer = site.get("/", **headers)
    assert (answer.headers["cache-control"], answer.headers.get("etag")) == ("no-store", None)
    return answer.text.partition("<body")[2].partition("<noscript>")[2].partition("</noscript>")[0]


def values(html: str) -> dict[str, str]:
    return dict(re.findall(r"<dt>([^<]*)</dt><dd>([^<]*)</dd>", html))


def test_the_reading_has_every_digit_and_the_time_of_its_telegram() -> None:
    sample = arrived(MAKER, energy(107323090), energy(5, obis=EXPORT), power(-1243))
    html = noscript(Site(sample, tz="Europe/Berlin"))
    assert values(html) == {
        "Meter reading · 1.8.0": "10\u202f732.3090 kWh",
        "export · 2.8.0": "0.0005 kWh",
        "Power": "−1\u202f243 W ↑ to grid",
        "received": f"{sample.received_at.astimezone(ZoneInfo('Europe/Berlin')):%H:%M:%S}",
    }
    assert '<main lang="en">' in html and "Times are in Europe/Berlin." in html


def test_the_power_of_a_solar_plant_has_no_direction_of_the_grid() -> None:
    site = Site()
    site.hub.publish(arrived(MAKER, energy(5, obis=EXPORT), power(-1243)), is_production=True)
    assert values(noscript(site))["Power"] == "−1\u202f243 W"


def test_it_is_in_the_language_of_the_browser() -> None:
    html = noscript(Site(arrived(MAKER, energy(107323090), power(12))), **GERMAN)
    assert '<main lang="de">' in html
    assert values(html)["Zählerstand · 1.8.0"] == "10\u202f732,3090 kWh"
    assert values(html)["Leistung"] == "12 W ↓ Bezug aus dem Netz"


@pytest.mark.parametrize(
    ("configured", "accepted", "language"),
    [
        ("auto", "", "en"),
        ("auto", "de", "de"),
        ("auto", "de,en", "de"),
        ("auto", "en,de", "en"),
        ("auto", "fr, de-CH;q=0.7, en;q=0.3", "de"),
        ("auto", "en-US, de;q=0.9", "en"),
        ("auto", "de;q=0, fr", "en"),
        ("auto", "de;q=x, *;q=0.1", "en"),
        ("de", "en", "de"),
        ("en", "de", "en"),
    ],
)
def test_the_language_is_the_configured_one_or_the_first_that_is_known(
    configured: str, accepted: str, language: str
) -> None:
    assert preferred_language(configured, accepted) == language


def test_a_stale_reading_is_no_number_but_a_sentence_with_its_time() -> None:
    sample = arrived(age_s=61)
    site = Site(sample)
    site.statuses = [status(age_s=61.0)]
    html = noscript(site)
    assert values(html) == {}
    assert "10732" not in html.replace("\u202f", "") and " W" not in html
    assert f"<strong>{site.statuses[0].advice.en.sentence}</strong>" in html
    assert re.search(rf"last seen {sample.received_at:%Y-%m-%d %H:%M:%S}", html)


def test_before_the_first_reading_the_first_failed_check_stands_there() -> None:
    site = Site()
    site.statuses = [status(is_open=False, byte_count=0, **NEVER)]
    html = noscript(site, **GERMAN)
    advice = site.statuses[0].advice.de
    assert f"<strong>{advice.sentence}</strong></p><p>{advice.next_step}" in html
    assert values(html) == {}


def test_a_locked_meter_has_whole_kwh_and_the_reason() -> None:
    site = Site(arrived(MAKER, energy(7167, scaler=3)))
    site.statuses = [status(locked=True)]
    html = noscript(site)
    assert values(html)["Meter reading · 1.8.0"] == "7\u202f167 kWh"
    assert "because it is locked" in html and "Enter the PIN" in html


def test_a_meter_that_two_heads_read_is_there_once() -> None:
    site = Site(arrived())
    site.statuses = [status(), status(source="other")]
    assert noscript(site).count("<h2>") == 1


def test_a_meter_without_a_total_says_so_and_simulated_data_too() -> None:
    html = noscript(Site(arrived(MAKER, power(5), simulated=True)))
    assert "no current total" in html and "Simulated data" in html
    assert values(html).keys() == {"Power", "received"}


def test_a_total_that_is_held_back_is_explained_once() -> None:
    site = Site(arrived(MAKER, power(5)))
    shown = CounterViolation("1-0:1.8.0", "0", "-0.7", 0, is_decrease=True, is_negative=True)
    site.statuses = [status(counter_violation=shown)]
    html = noscript(site)
    assert "no current total" not in html and html.count("1-0:1.8.0 is held back: it shows -0.7") == 1
    assert values(html).keys() == {"Power", "received"}


def test_several_meters_are_listed_and_their_names_are_escaped() -> None:
    site = Site(arrived(), arrived(meter_id="1 ISK 00 70000001"))
    site.statuses = [status(name="<b>Flat & shop</b>")]
    html = noscript(site)
    assert re.findall(r"<h2>(.*?)</h2>", html) == ["&lt;b&gt;Flat &amp; shop&lt;/b&gt;", "1 ISK 00 70000001"]


def test_many_meters_are_not_diagnosed_for_it() -> None:
    asked: list[Any] = []
    samples: list[Sample] = [arrived(meter_id=f"1 ISK 00 7{number:07}") for number in range(MAX_METERS + 1)]
    site = Site(*samples, server_id="x")
    site.statuses = asked
    assert "<h2>" not in noscript(site)


def test_a_token_for_groups_shows_no_reading() -> None:
    scoped = (ScopedToken(Secret(TENANT), (("tenant", "1"),)),)
    site = Site(arrived(), token=TOKEN, scoped_tokens=scoped)
    assert METER_ID in noscript(site, authorization=f"Bearer {TOKEN}")
    assert METER_ID not in noscript(site, authorization=f"Bearer {TENANT}")
