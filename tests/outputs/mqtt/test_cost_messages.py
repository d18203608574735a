"""Prices and cost as they are published, from a real history."""

import asyncio
import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from iskra_server.cost.contracts import Contract
from iskra_server.cost.tariffs import SpotShare, Tariff, Terms
from iskra_server.history.model.spot_price import Price
from iskra_server.history.store.spot_prices import store_prices
from iskra_server.history.store.store import Store
from iskra_server.outputs.mqtt.cost_messages import CostMessages
from samples import METER_ID, SERVER_ID
from web.past import BERLIN, INFO, counted, quarter

ZONE = ZoneInfo(BERLIN)
MIDNIGHT = "2025-06-03T00:00:00+02:00"
CONTRACT = Contract(begins=date(2025, 1, 1), energy_price=Decimal("0.40"), feed_in=Decimal("0.08"))
CHEAPER = Contract(begins=date(2025, 6, 3), energy_price=Decimal("0.30"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path / 'history.sqlite'}")
    yield opened
    opened.close()


def messages(store: Store | None, *contracts: Contract, has_history: bool = True) -> CostMessages:
    return CostMessages(contracts, ZONE, lambda: store, has_history=has_history)


def payloads(costs: CostMessages, minutes: float) -> list[dict[str, Any]]:
    """Those of so many minutes after that midnight."""
    now = datetime.fromisoformat(MIDNIGHT) + timedelta(minutes=minutes)
    found = asyncio.run(costs.payloads([(METER_ID, SERVER_ID.hex())], now))
    assert {meter for meter, _ in found} <= {SERVER_ID.hex()}
    return [json.loads(payload, parse_float=Decimal) for _, payload in found]


def test_prices_are_there_before_history(store: Store) -> None:
    costs = messages(None, CONTRACT)
    assert payloads(costs, -10) == [
        {"id": METER_ID, "currency": "EUR", "price_import": Decimal("0.40"), "price_export": Decimal("0.08")}
    ]


def test_a_meter_without_a_contract_has_none(store: Store) -> None:
    assert payloads(messages(store, Contract(begins=date(2025, 1, 1), energy_price=Decimal(1), meter="other")), 0) == []


def test_a_meter_of_a_solar_plant_has_no_cost_of_its_own(store: Store) -> None:
    named = Contract(begins=date(2025, 1, 1), energy_price=Decimal(1), meter=METER_ID)
    for contracts, count in ((CONTRACT,), 0), ((CONTRACT, named), 1):
        costs = CostMessages(
            contracts, ZONE, lambda: store, has_history=True, is_production=lambda meter: meter == METER_ID
        )
        assert len(payloads(costs, 0)) == count


def test_the_price_changes_with_the_contract(store: Store) -> None:
    costs = messages(None, CONTRACT, CHEAPER)
    assert [payloads(costs, minutes)[0]["price_import"] for minutes in (-1, 1)] == [Decimal("0.40"), Decimal("0.30")]


def test_cost_follows_the_quarters_of_history_and_a_day_ends_complete(store: Store) -> None:
    first = quarter(MIDNIGHT) - 3
    store.write(counted([10_000, 20_000], first=first), [INFO])
    costs = messages(store, CONTRACT, CHEAPER)
    (evening,) = payloads(costs, -25)
    assert (evening["cost_today"], evening["cost_month"]) == (Decimal("0.400000"), Decimal("0.400000"))
    assert evening["today_begins"] == "2025-06-02T00:00:00+02:00"
    # the day is over, and its last reading is not there yet
    (night,) = payloads(costs, 0.2)
    assert (night["cost_today"], night["price_import"]) == (Decimal("0.400000"), Decimal("0.30"))
    store.write(counted([30_000, 40_000, 50_000], first=first + 2), [INFO])
    ended, begun = payloads(costs, 16)
    assert (ended["cost_today"], ended["today_begins"]) == (Decimal("1.200000"), "2025-06-02T00:00:00+02:00")
    assert (begun["cost_today"], begun["today_begins"]) == (Decimal("0.300000"), MIDNIGHT)
    assert (begun["cost_month"], begun["month_begins"]) == (Decimal("1.500000"), "2025-06-01T00:00:00+02:00")
    assert payloads(costs, 17) == [begun]


def test_cost_and_price_by_the_spot_price_come_from_the_database(store: Store) -> None:
    first = quarter(MIDNIGHT)
    store.write(counted([10_000, 20_000, 30_000], first=first), [INFO])
    store_prices(store, "DE-LU", "test", first * 900, {first + at: Price(10**8 * (at + 1), 15) for at in range(3)})
    terms = Terms(energy=Tariff(Decimal("0.02"), spot=SpotShare("DE-LU")))
    (message,) = payloads(messages(store, Contract(begins=date(2025, 1, 1), terms=terms)), 31)
    assert (message["cost_today"], message["price_import"]) == (Decimal("0.34"), Decimal("0.32"))


def test_the_cost_of_yesterday_is_not_shown_as_that_of_today(store: Store) -> None:
    """Of a meter that fell silent in the evening, and is read again two days later."""
    store.write(counted([10_000, 20_000], first=quarter(MIDNIGHT) - 3), [INFO])
    costs = messages(store, CONTRACT)
    assert payloads(costs, -25)[0]["cost_today"] == Decimal("0.400000")
    prices = {"id": METER_ID, "currency": "EUR", "price_import": Decimal("0.40"), "price_export": Decimal("0.08")}
    assert payloads(costs, 10) == [prices]
    store.write(counted([50_000, 60_000], first=quarter(MIDNIGHT) + 96), [INFO])
    # the day that it was last read on did not cost what two days did
    (later,) = payloads(costs, 25 * 60)
    assert later["today_begins"] == "2025-06-04T00:00:00+02:00"


def test_a_day_before_the_first_contract_costs_nothing_known(store: Store) -> None:
    store.write(counted([10_000, 20_000], first=quarter(MIDNIGHT) - 3), [INFO])
    assert payloads(messages(store, CHEAPER), -25) == [{"id": METER_ID}]


def test_a_cost_with_energy_of_unknown_price_is_null_beside_that_energy(store: Store) -> None:
    """Spot prices of the evening before are unknown, those of midnight are known."""
    spot = Contract(begins=date(2025, 1, 1), base_fee=Decimal(30), terms=Terms(energy=Tariff(spot=SpotShare("DE-LU"))))
    store.write(counted((1000 * place for place in range(9)), first=quarter(MIDNIGHT) - 4), [INFO])
    prices = {at: Price(100_000_000) for at in range(quarter(MIDNIGHT), quarter(MIDNIGHT) + 4)}
    store_prices(store, "DE-LU", "file", 0, prices)
    (found,) = payloads(messages(store, spot), 61)
    assert found["cost_today"] > 0 and "cost_today_unpriced_kwh" not in found
    assert found["cost_month"] is None and found["month_begins"].startswith("2025-06-01")
    # four quarter-hours of 0.1 kWh each
    assert found["cost_month_unpriced_kwh"] == Decimal("0.4")


def test_without_history_there_are_prices_alone(store: Store) -> None:
    store.write(counted([10_000, 20_000]), [INFO])
    assert "cost_today" not in payloads(messages(store, CONTRACT, has_history=False), 0)[0]


def test_power_costs_the_price_of_this_quarter_and_earns_that_of_feed_in(store: Store) -> None:
    costs = messages(None, CONTRACT, CHEAPER)
    before, after = (datetime.fromisoformat(MIDNIGHT) + timedelta(minutes=minutes) for minutes in (-1, 1))
    used, fed = {"power": Decimal(1500)}, {"power": Decimal(-500)}
    # prices are read with the first message of cost
    assert costs.per_hour(METER_ID, used, before) == {}
    payloads(costs, -1)
    assert costs.per_hour(METER_ID, used, before) == {"cost_per_hour": Decimal("0.60")}
    assert costs.per_hour(METER_ID, fed, before) == {"cost_per_hour": Decimal("-0.04")}
    assert costs.per_hour(METER_ID, used, after) == {"cost_per_hour": Decimal("0.45")}


def test_without_power_or_a_price_there_is_no_cost_per_hour(store: Store) -> None:
    costs = messages(None, CONTRACT)
    payloads(costs, 0)
    now = datetime.fromisoformat(MIDNIGHT)
    assert costs.per_hour(METER_ID, {}, now) == {} == costs.per_hour("other", {"power": Decimal(1)}, now)
    assert costs.per_hour(METER_ID, {"power": Decimal(1)}, now + timedelta(days=3)) == {}
