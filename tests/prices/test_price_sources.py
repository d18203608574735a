"""Real requests to a stand-in: what each source is asked, and every way in which one can fail."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import trustme

import pricing
from iskra_server.base import http_request
from iskra_server.base.address import Address
from iskra_server.history.model.spot_price import FIRST_QUARTERLY, eur_mwh, quarters_of_days
from iskra_server.prices import price_sources as module
from iskra_server.prices.licences import LICENCES
from iskra_server.prices.price_sources import PriceSource, PriceSourceError, SourceAddresses, price_sources
from pricing import StandIn, stand_in

DAY = date(2026, 11, 22)
QUARTERS = quarters_of_days(DAY, DAY.replace(day=23))


@pytest.fixture
def source() -> Iterator[StandIn]:
    with stand_in() as source:
        source.prices = pricing.priced(date(2026, 11, 20), date(2026, 11, 25))
        yield source


def named(source: StandIn, name: str) -> PriceSource:
    return next(found for found in price_sources(source.addresses) if found.name == name)


@pytest.mark.parametrize("name", ["energy-charts", "smard"])
def test_the_prices_of_the_period_alone(source: StandIn, name: str) -> None:
    found = named(source, name).prices("DE-LU", QUARTERS)
    assert {quarter: eur_mwh(price.raw) for quarter, price in found.items()} == pricing.priced(DAY)


def test_awattar_has_hours_of_germany_and_austria(source: StandIn) -> None:
    for zone, country in ("DE-LU", "de"), ("AT", "at"):
        found = named(source, "awattar").prices(zone, QUARTERS)
        assert len(found) == 96 and {price.minutes for price in found.values()} == {60}
        assert source.requests[-1].startswith(f"/awattar-{country}/v1/marketdata?start=")
    assert not named(source, "awattar").has("FR") and named(source, "energy-charts").has("FR")


def test_a_request_names_the_zone_and_the_period_and_nothing_of_the_house(source: StandIn) -> None:
    named(source, "energy-charts").prices("DE-LU", QUARTERS)
    assert source.requests == [
        f"/energy-charts/price?bzn=DE-LU&start={QUARTERS.start * 900}&end={QUARTERS.stop * 900 - 1}"
    ]
    assert set(source.headers[0]) == {"Host", "Accept-Encoding", "Connection"}


def test_smard_has_hours_before_the_market_had_quarters(source: StandIn) -> None:
    quarters = range(FIRST_QUARTERLY - 8, FIRST_QUARTERLY + 8)
    source.prices = {quarter: pricing.price_of(quarter) for quarter in quarters}
    found = named(source, "smard").prices("DE-LU", quarters)
    assert sorted(found) == list(quarters)
    assert [price.minutes for _, price in sorted(found.items())] == [60] * 8 + [15] * 8


def test_an_index_of_too_many_weeks_is_not_asked_for_each(source: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    week_ms = QUARTERS.start * 900_000
    weeks = {"timestamps": [week_ms] * 1000}
    answer = source.body
    monkeypatch.setattr(source, "body", lambda path: json.dumps(weeks).encode() if "index_" in path else answer(path))
    named(source, "smard").prices("DE-LU", QUARTERS)
    assert len(source.requests) == 2
    weeks["timestamps"] = [week_ms - place for place in range(1000)]
    with pytest.raises(PriceSourceError, match="it names 1,000 weeks for one period"):
        named(source, "smard").prices("DE-LU", QUARTERS)
    assert len(source.requests) == 3


def test_nothing_at_an_address_is_no_price(source: StandIn) -> None:
    source.fault = "404"
    assert [found.prices("DE-LU", QUARTERS) for found in price_sources(source.addresses)] == [{}, {}, {}]


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("500", "it answers 500"),
        ("redirect", "it answers 302"),
        ("huge", "its answer is larger than 1000 kB"),
        ("html", "its answer cannot be used: it is not in the documented form: JSON is malformed"),
        ("text", "its answer cannot be used: it is not in the documented form: Expected `int`, got `str`"),
        ("wrong", "its answer cannot be used: it has 1 times and 2 prices"),
        ("closed", "it cannot be reached, or does not speak HTTP"),
    ],
)
def test_a_source_that_fails_says_why_in_one_clause(source: StandIn, fault: pricing.Fault, sentence: str) -> None:
    source.fault = fault
    with pytest.raises(PriceSourceError) as failed:
        named(source, "energy-charts").prices("DE-LU", QUARTERS)
    assert str(failed.value).startswith(sentence) and "\n" not in str(failed.value)
    # a redirect is not followed
    assert len(source.requests) == 1


@pytest.mark.parametrize("fault", ["slow head", "slow body"])
def test_an_answer_that_never_ends_is_given_up(
    source: StandIn, fault: pricing.Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_request, "TIMEOUT_S", 0.3)
    monkeypatch.setattr(module, "ANSWER_WITHIN_S", 0.3)
    source.fault = fault
    with pytest.raises(PriceSourceError):
        named(source, "energy-charts").prices("DE-LU", QUARTERS)


def test_nobody_listens() -> None:
    source = price_sources(SourceAddresses(energy_charts=Address("http://127.0.0.1:1")))[0]
    with pytest.raises(PriceSourceError, match=r"^it cannot be reached: Connection refused$"):
        source.prices("DE-LU", QUARTERS)


def test_a_certificate_that_nobody_trusts(source: StandIn) -> None:
    """The stand-in again, behind TLS with a certificate of its own."""
    context = trustme.CA().issue_cert("127.0.0.1")
    with stand_in(context) as secured:
        found = price_sources(SourceAddresses(energy_charts=Address(secured.url.replace("http:", "https:"))))[0]
        with pytest.raises(PriceSourceError, match=r"^its certificate is not trusted: "):
            found.prices("DE-LU", QUARTERS)
        assert secured.requests == []


def test_a_file_or_a_url_in_the_form_of_evcc_is_the_only_source(source: StandIn, tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    file.write_bytes(pricing.evcc(source.prices))
    for place in str(file), f"file:{file}", f"{source.url}/evcc":
        addresses = SourceAddresses(Address(source.url), Address(source.url), Address(source.url), Address(place))
        (only,) = price_sources(addresses)
        found = only.prices("XX", QUARTERS)
        assert {quarter: eur_mwh(price.raw) for quarter, price in found.items()} == pricing.priced(DAY)
    assert len(source.requests) == 1


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (only,) = price_sources(SourceAddresses(file=Address(str(tmp_path / "none.json"))))
    with pytest.raises(PriceSourceError, match=r"^it cannot be read: No such file or directory$"):
        only.prices("DE-LU", QUARTERS)
    (tmp_path / "half.json").write_text('[{"start":')
    (only,) = price_sources(SourceAddresses(file=Address(str(tmp_path / "half.json"))))
    with pytest.raises(PriceSourceError, match=r"^its answer cannot be used: it is not in the documented form"):
        only.prices("DE-LU", QUARTERS)


def test_a_source_without_an_address_is_not_asked() -> None:
    assert price_sources(SourceAddresses()) == ()


def test_each_source_has_its_licence(source: StandIn) -> None:
    assert {found.name for found in price_sources(source.addresses)} == LICENCES.keys()
