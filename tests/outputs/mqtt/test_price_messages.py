"""Prices as they are published, from prices that a real history holds."""

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
from iskra_server.cost.tariffs import PriceWindow, SpotShare, Tariff, Terms
from iskra_server.history.model.spot_price import Price, quarters_of_days
from iskra_server.history.store.spot_prices import store_prices
from iskra_server.history.store.store import Store
from iskra_server.outputs.mqtt.price_messages import PriceMessages
from samples import METER_ID

BERLIN, TODAY = ZoneInfo("Europe/Berlin"), date(2026, 11, 22)
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=BERLIN)
QUARTERS = quarters_of_days(TODAY, date(2026, 11, 24))
FIXED = Contract(begins=date(2020, 1, 1), energy_price=Decimal("0.3265"), feed_in=Decimal("0.0811"))
SPOT = Contract(
    begins=date(2020, 1, 1),
    terms=Terms(
        energy=Tariff(price=Decimal("0.02"), spot=SpotShare(zone="DE-LU")),
        feed_in=Tariff(price=Decimal("0.08")),
        vat_percent=Decimal(19),
    ),
)


@pytest.fixture
def history(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path}/iskra.sqlite")
    yield store
    store.close()


def publish(store: Store, quarters: range, eur_mwh: int = 100) -> None:
    """The price falls by a euro each quarter of the two days."""
    prices = {quarter: Price((eur_mwh - (quarter - QUARTERS.start)) * 10**6) for quarter in quarters}
    store_prices(store, "DE-LU", "file", 1_795_000_000, prices)


def now(messages: PriceMessages, contract: Contract = SPOT, moment: datetime = NOON) -> dict[str, Any]:
    fields = asyncio.run(messages.now(METER_ID, [contract], moment))
    return {key: value if isinstance(value, str) else Decimal(bytes(value).decode()) for key, value in fields.items()}  # type: ignore[call-overload]


def ahead(messages: PriceMessages, contract: Contract = SPOT, moment: datetime = NOON) -> Any:
    payload = asyncio.run(messages.ahead(METER_ID, [contract], moment))
    return payload and json.loads(payload, parse_float=Decimal)


def test_a_fixed_price_needs_no_history_and_has_no_rates() -> None:
    messages = PriceMessages(BERLIN, lambda: None)
    fixed = {"currency": "EUR", "price_import": Decimal("0.3265"), "price_export": Decimal("0.0811")}
    assert now(messages, FIXED) == fixed
    assert ahead(messages, FIXED) is None


def test_a_price_that_is_unknown_is_absent(history: Store) -> None:
    messages = PriceMessages(BERLIN, lambda: history)
    assert now(messages) == {"currency": "EUR", "price_export": Decimal("0.08")}
    assert ahead(messages) == {"id": METER_ID, "currency": "EUR", "rates": []}


def test_the_price_of_the_quarter_and_those_ahead_and_the_cheapest_hours(history: Store) -> None:
    publish(history, range(QUARTERS.start, QUARTERS.start + 96))
    messages = PriceMessages(BERLIN, lambda: history)
    # the 49th quarter of the day: 100 - 48 EUR/MWh
    assert now(messages)["price_import"] == Decimal("0.08568")
    message = ahead(messages)
    assert message["rates"][0] == {
        "start": "2026-11-22T11:00:00Z",
        "end": "2026-11-22T11:15:00Z",
        "value": Decimal("0.08568"),
    }
    assert (len(message["rates"]), message["rates"][-1]["end"]) == (48, "2026-11-22T23:00:00Z")
    assert message["cheapest_2h"] == "2026-11-22T22:00:00+01:00"
    assert message["cheapest_2h_ends"] == "2026-11-23T00:00:00+01:00"
    assert message["cheapest_2h_price"] == Decimal("0.033915")


def test_prices_of_tomorrow_are_noticed_within_a_minute(history: Store) -> None:
    publish(history, range(QUARTERS.start, QUARTERS.start + 96))
    messages = PriceMessages(BERLIN, lambda: history)
    assert len(ahead(messages)["rates"]) == 48
    publish(history, QUARTERS)
    assert len(ahead(messages, moment=NOON + timedelta(seconds=59))["rates"]) == 48
    assert len(ahead(messages, moment=NOON + timedelta(seconds=61))["rates"]) == 144
    assert now(messages, moment=NOON + timedelta(hours=5))["price_import"] == Decimal("0.06188")


def test_the_price_of_the_quarter_takes_the_place_of_that_of_the_hour(history: Store) -> None:
    hours = {quarter: Price(50_000_000, 60) for quarter in QUARTERS}
    store_prices(history, "DE-LU", "awattar", 1_795_000_000, hours)
    messages = PriceMessages(BERLIN, lambda: history)
    assert now(messages)["price_import"] == Decimal("0.0833")
    publish(history, QUARTERS)
    assert now(messages, moment=NOON + timedelta(minutes=14))["price_import"] == Decimal("0.0833")
    assert now(messages, moment=NOON + timedelta(minutes=15))["price_import"] == Decimal("0.08449")


def test_attributes_fit_into_the_recorder_of_home_assistant(history: Store) -> None:
    """It keeps 16 kB; the longest list is that of the afternoon, when tomorrow's prices come."""
    publish(history, QUARTERS, eur_mwh=543)
    afternoon = datetime(2026, 11, 22, 12, 50, tzinfo=BERLIN)
    payload = asyncio.run(PriceMessages(BERLIN, lambda: history).ahead(METER_ID, [SPOT], afternoon))
    assert payload and len(payload) < 15_000


def test_windows_are_prices_that_change(history: Store) -> None:
    night = PriceWindow("NT", frozenset(range(1, 13)), frozenset(range(7)), 88, 96 + 20, Decimal("0.20"))
    contract = Contract(begins=date(2020, 1, 1), terms=Terms(energy=Tariff(Decimal("0.30"), windows=(night,))))
    messages = PriceMessages(BERLIN, lambda: None)
    assert now(messages, contract)["price_import"] == Decimal("0.3")
    message = ahead(messages, contract)
    assert (message["cheapest_4h"], message["cheapest_4h_price"]) == ("2026-11-22T22:00:00+01:00", Decimal("0.2"))
