"""Prices from the answers of the real server about a real history."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from homeassistant_integration.pure import module
from iskra_server.cost.contracts import Contract
from iskra_server.cost.tariffs import SpotShare, Tariff, Terms
from iskra_server.history.model.spot_price import Price
from iskra_server.history.store.spot_prices import store_prices
from iskra_server.history.store.store import Store
from web.past import BERLIN, INFO, NAME, counted, quarter
from web.serving import Site

prices = module("prices")
model = module("model")
BEGIN = "2025-06-03T00:00:00+02:00"
FIXED = Contract(begins=date(2025, 1, 1), energy_price=Decimal("0.3265"), feed_in=Decimal("0.08"))
SPOT = Contract(begins=date(2025, 1, 1), terms=Terms(energy=Tariff(Decimal("0.02"), spot=SpotShare("DE-LU"))))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path / 'history.sqlite'}")
    opened.write(counted([10_000, 20_000], first=quarter(BEGIN)), [INFO])
    yield opened
    opened.close()


def read(store: Store, *contracts: Contract) -> Any:
    site = Site(history=store, contracts=contracts)
    answer = site.get(f"/api/v1/meters/{NAME}/prices?from=2025-06-03&to=2025-06-04&tz={BERLIN}")
    return prices.prices_from(model.decode(answer.content))


def after(minutes: float) -> datetime:
    return datetime.fromisoformat(BEGIN) + timedelta(minutes=minutes)


def test_a_fixed_price_is_that_of_every_quarter_hour(store: Store) -> None:
    found = read(store, FIXED)
    assert (found.currency, found.changes, found.pays_for_export, found.cheapest) == ("EUR", False, True, {})
    assert {found.at(after(minutes), is_export=False) for minutes in (0, 800, 2879)} == {Decimal("0.3265")}
    assert found.at(after(0), is_export=True) == Decimal("0.08")
    assert {found.at(after(minutes), is_export=False) for minutes in (-1, 2880)} == {None}


def test_a_price_that_changes_has_those_ahead_as_far_as_they_are_known(store: Store) -> None:
    known = {quarter(BEGIN) + place: Price(10**8 * (place + 1), 15) for place in range(3)}
    store_prices(store, "DE-LU", "test", quarter(BEGIN) * 900, known)
    found = read(store, SPOT)
    assert (found.changes, found.pays_for_export) == (True, False)
    assert [found.at(after(minutes), is_export=False) for minutes in (14, 15, 45)] == [
        Decimal("0.12"),
        Decimal("0.22"),
        None,
    ]
    assert found.ahead(after(20)) == [
        {"start": "2025-06-03T00:15:00+02:00", "end": "2025-06-03T00:30:00+02:00", "value": 0.22},
        {"start": "2025-06-03T00:30:00+02:00", "end": "2025-06-03T00:45:00+02:00", "value": 0.32},
    ]


def test_the_cheapest_hours_are_those_of_the_answer() -> None:
    item = {"hours": 2, "begin": BEGIN, "end": "2025-06-03T02:00:00+02:00", "price": Decimal("0.2")}
    answer = {"begin": BEGIN, "currency": "EUR", "import_amount": [], "export_amount": [None], "cheapest": [item]}
    (found,) = prices.prices_from(answer).cheapest.items()
    assert found == (2, prices.CheapestHours(after(0), after(120), Decimal("0.2")))


def test_without_a_contract_there_are_none(store: Store) -> None:
    assert read(store) is None
