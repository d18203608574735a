"""Prices of a meter and of a zone, from prices that a real history holds of today and tomorrow."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from iskra_server.cost.contracts import Contract
from iskra_server.cost.tariffs import SpotShare, Tariff, Terms
from iskra_server.history.model.spot_price import Price
from iskra_server.history.store.spot_prices import store_prices
from iskra_server.history.store.store import Store
from running import wait_over_midnight
from samples import METER_ID
from web.past import INFO, NAME
from web.serving import Site

ZONE, AT_S = "DE-LU", 1_795_000_000
SPOT = Tariff(price=Decimal("0.02"), spot=SpotShare(zone=ZONE))
TERMS = Terms(energy=SPOT, feed_in=Tariff(price=Decimal("0.08")), vat_percent=Decimal(19))
CONTRACT = Contract(begins=date(2020, 1, 1), terms=TERMS)
FIXED = Contract(begins=date(2020, 1, 1), energy_price=Decimal("0.3265"), feed_in=Decimal("0.0811"))


def midnight(days: int = 0) -> int:
    """The first quarter of today in UTC, or of a day after it."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return int((today + timedelta(days=days)).timestamp()) // 900


def price(quarter: int) -> int:
    """In cents per MWh: another one each quarter, cheapest at the end of tomorrow."""
    return 10_000 - 20 * (quarter - midnight())


@pytest.fixture
def priced(store: Store) -> Store:
    """Today and tomorrow but for its last hour."""
    wait_over_midnight()
    store.write([], [INFO])
    prices = {quarter: Price(price(quarter) * 10_000) for quarter in range(midnight(), midnight(2) - 4)}
    store_prices(store, ZONE, "energy-charts", AT_S, prices)
    return store


def ask(store: Store, path: str, contracts: Sequence[Contract] = (CONTRACT,), zone: str = "") -> Any:
    answer = Site(history=store, contracts=tuple(contracts), price_zone=zone).get(path)
    assert answer.status_code == 200, answer.text
    return json.loads(answer.content, parse_float=Decimal)


def gross(quarter: int) -> Decimal:
    """(spot + 2 ct) + 19 %, in EUR/kWh."""
    return (Decimal(price(quarter)).scaleb(-5) + Decimal("0.02")) * Decimal("1.19")


def test_each_quarter_has_its_gross_price_and_the_spot_price_behind_it(priced: Store) -> None:
    answer = ask(priced, f"/api/v1/meters/{NAME}/prices?to={datetime.now(UTC).date() + timedelta(days=1)}")
    first, last = midnight(), midnight(2)
    assert answer["import_amount"] == [*map(gross, range(first, last - 4)), *[None] * 4]
    assert set(answer["export_amount"]) == {Decimal("0.08")}
    assert answer["spot"] == [*(Decimal(price(quarter)) / 100 for quarter in range(first, last - 4)), *[None] * 4]
    assert (answer["meter"], answer["currency"], answer["zone"]) == (METER_ID, "EUR", ZONE)
    assert datetime.fromisoformat(answer["known_until"]).timestamp() == (last - 4) * 900
    (origin,) = answer["origins"]
    assert origin["source"] == "energy-charts" and origin["licence"].startswith("CC BY 4.0")
    assert datetime.fromisoformat(origin["retrieved_at"]).timestamp() == AT_S


def test_the_cheapest_hours_ahead_are_the_last_ones_that_are_known(priced: Store) -> None:
    answer = ask(priced, f"/api/v1/meters/{NAME}/prices?from=2020-01-01")
    assert answer["import_amount"] == [None] * 96
    end = midnight(2) - 4
    for hours, found in zip((1, 2, 3, 4), answer["cheapest"], strict=True):
        begins, ends = (datetime.fromisoformat(found[edge]).timestamp() // 900 for edge in ("begin", "end"))
        assert (found["hours"], begins, ends) == (hours, end - 4 * hours, end)
        mean = sum(map(gross, range(end - 4 * hours, end))) / (4 * hours)
        assert found["price"] == round(mean, 6)


def test_a_fixed_price_has_no_cheapest_hours(priced: Store) -> None:
    answer = ask(priced, f"/api/v1/meters/{NAME}/prices", [FIXED])
    assert (set(answer["import_amount"]), set(answer["export_amount"])) == ({Decimal("0.3265")}, {Decimal("0.0811")})
    assert answer["cheapest"] == [] and "zone" not in answer
    assert datetime.fromisoformat(answer["known_until"]).timestamp() == midnight(2) * 900


def test_without_a_contract_there_are_the_spot_prices_of_the_configured_zone(priced: Store) -> None:
    answer = ask(priced, f"/api/v1/meters/{NAME}/prices", [], ZONE)
    assert answer["import_amount"] == [None] * 96 and answer["spot"][0] == Decimal(price(midnight())) / 100
    assert "currency" not in answer and "known_until" not in answer
    assert "spot" not in ask(priced, f"/api/v1/meters/{NAME}/prices", [])


def test_the_feed_for_evcc_has_today_and_tomorrow_without_what_is_unknown(priced: Store) -> None:
    rates = ask(priced, f"/api/v1/meters/{NAME}/evcc")
    assert [rate["value"] for rate in rates] == list(map(gross, range(midnight(), midnight(2) - 4)))
    assert rates[0]["start"] == f"{datetime.now(UTC).date()}T00:00:00Z"
    assert all(rate["end"] == following["start"] for rate, following in pairwise(rates))
    exported = ask(priced, f"/api/v1/meters/{NAME}/evcc?direction=export")
    assert len(exported) == 192 and {rate["value"] for rate in exported} == {Decimal("0.08")}


def test_the_feed_needs_a_contract_and_a_direction(priced: Store) -> None:
    answer = Site(history=priced).get(f"/api/v1/meters/{NAME}/evcc")
    assert (answer.status_code, answer.json()["reason"]) == (404, "no_contract")
    answer = Site(history=priced, contracts=(FIXED,)).get(f"/api/v1/meters/{NAME}/evcc?direction=up")
    assert (answer.status_code, "allowed are import, export" in answer.json()["detail"]) == (400, True)


def test_the_spot_prices_of_a_zone_alone(priced: Store) -> None:
    answer = ask(priced, "/api/v1/prices")
    assert (answer["zone"], answer["unit"], len(answer["prices"]), answer["stand_ins"]) == (ZONE, "EUR/MWh", 96, 0)
    assert answer["prices"][0] == Decimal(price(midnight())) / 100
    assert [found["hours"] for found in answer["cheapest"]] == [1, 2, 3, 4]
    assert answer["origins"][0]["licence"].startswith("CC BY 4.0")


def test_hours_that_stand_in_are_counted(priced: Store) -> None:
    store_prices(priced, "AT", "awattar", AT_S, {midnight() + place: Price(1, 60) for place in range(4)})
    answer = ask(priced, "/api/v1/prices?zone=AT")
    assert (answer["stand_ins"], answer["prices"][:5]) == (4, [Decimal("0.000001")] * 4 + [None])


def test_prices_that_were_published_again_with_another_value_are_counted(priced: Store) -> None:
    store_prices(priced, ZONE, "smard", AT_S, {midnight(): Price(1), midnight() + 1: Price(2)})
    answer = ask(priced, "/api/v1/prices")
    assert (answer["differing"], answer["prices"][0]) == (2, Decimal(price(midnight())) / 100)


def test_a_zone_without_prices(priced: Store) -> None:
    answer = Site(history=priced).get("/api/v1/prices?zone=FR")
    assert (answer.status_code, answer.json()["reason"]) == (404, "no_prices")
    assert answer.json()["detail"] == "There are no spot prices of 'FR'; history has those of DE-LU."


def test_no_prices_at_all(store: Store) -> None:
    answer = Site(history=store).get("/api/v1/prices")
    assert answer.json()["detail"] == "There are no spot prices of ''; history has none; set prices.zone."
