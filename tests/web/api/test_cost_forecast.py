from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from iskra_server.cost.contracts import Contract
from iskra_server.cost.tariffs import SpotShare, Tariff, Terms
from iskra_server.history.model.records import quarter_of
from iskra_server.history.model.spot_price import Price
from iskra_server.history.store.spot_prices import store_prices
from iskra_server.history.store.store import Store
from running import wait_over_midnight
from web.past import Past, counted, info
from web.serving import Site

DAYS = 100


def contract(**prices: Any) -> Contract:
    """Most of its second year is over, whatever day it is."""
    return Contract(begins=(datetime.now(UTC) - timedelta(days=365 + 330)).date(), **prices)


def fixed() -> Contract:
    return contract(energy_price=Decimal("0.30"))


@pytest.fixture
def last(store: Store) -> int:
    """The last quarter of a meter that has been read until now."""
    wait_over_midnight()
    last = quarter_of(datetime.now(UTC).timestamp())
    first = last - DAYS * 96
    store.write(counted((1000 * place for place in range(DAYS * 96 + 1)), first=first), [info(first=first)])
    return last


def past(store: Store, *contracts: Contract) -> Past:
    past = Past(store)
    past.site = Site(history=store, contracts=contracts)
    return past


@pytest.mark.usefixtures("last")
def test_month_and_year_have_a_total_and_a_band(store: Store) -> None:
    answer = past(store, fixed()).ask("forecast")
    month = answer["month"]
    days = (datetime.fromisoformat(month["end"]) - datetime.fromisoformat(month["begin"])) / timedelta(days=1)
    # 9.6 kWh a day
    assert month["total_amount"] == round(Decimal("2.88") * round(days), 2)
    assert month["low_amount"] <= month["total_amount"] <= month["high_amount"] and month["windows"] >= 8
    assert (month["basis"], answer["year"]["basis"], answer["currency"]) == ("weekday", "mean", "EUR")


def test_spot_prices_come_from_the_database(store: Store, last: int) -> None:
    # 0.28 + 0.02 EUR/kWh, as the fixed price above
    prices = {at: Price(280_000_000, 15) for at in range(last - DAYS * 96, last + 1)}
    store_prices(store, "DE-LU", "test", last * 900, prices)
    terms = Terms(energy=Tariff(Decimal("0.02"), spot=SpotShare("DE-LU")))
    answer = past(store, contract(terms=terms)).ask("forecast")
    expected = past(store, fixed()).ask("forecast")
    assert (answer["month"], answer["year"]) == (expected["month"], expected["year"])


@pytest.mark.usefixtures("last")
def test_without_a_contract_nothing_is_forecast(store: Store) -> None:
    answer = past(store).ask("forecast")
    assert answer.keys() == {"meter", "simulated", "tz"}
