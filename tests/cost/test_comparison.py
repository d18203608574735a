"""Comparisons against an independent computation in integers (oracle.py), before and after rounding."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from cost import oracle
from iskra_server.cost.amounts import round_fraction
from iskra_server.cost.compared_energy import measured_span
from iskra_server.cost.comparison import Comparison, compare
from iskra_server.cost.contracts import Contract
from iskra_server.cost.price_columns import Spot, no_spot_prices
from iskra_server.cost.tariffs import Fee, PriceWindow, SpotShare, Tariff, Terms
from iskra_server.history.model.energy import energy_between
from iskra_server.history.store.recorded_meter import RecordedMeter
from iskra_server.history.store.store import Store
from iskra_server.meter.obis import Obis
from samples import EXPORT, IMPORT
from web.past import INFO, Q, counted, quarter

BERLIN = ZoneInfo("Europe/Berlin")
ALWAYS, WEEK = frozenset(range(1, 13)), frozenset(range(7))
WINTER, WORKDAYS = frozenset({1, 2, 3, 10, 11, 12}), frozenset(range(5))
EVER = date(1970, 1, 1)
FIXED = Contract(
    begins=EVER, energy_price=Decimal("0.3265"), feed_in=Decimal("0.0811"), base_fee=Decimal("12.50"), name="fixed"
)
LEVIES = ((2025, (("tax", Decimal("0.0205")), ("kwkg", Decimal("0.00277")))), (2026, (("all", Decimal("0.02496")),)))
WINDOWS = Contract(
    begins=EVER,
    name="windows",
    base_fee=Decimal("96"),
    base_fee_per="year",
    terms=Terms(
        energy=Tariff(Decimal("0.1234")),
        grid=Tariff(
            Decimal("0.0912"),
            (
                PriceWindow("HT", WINTER, WORKDAYS, 17 * 4, 21 * 4 + 1, Decimal("0.1520")),
                PriceWindow("NT", WINTER, WEEK, 23 * 4, 29 * 4, Decimal("0.0274")),
            ),
        ),
        feed_in=Tariff(Decimal("0.0778")),
        levies=LEVIES,
        vat_percent=Decimal(19),
    ),
)
SHARE = SpotShare("DE-LU", factor=Decimal("1.03"), factor_negative=Decimal("0.97"))
SPOT = Contract(
    begins=EVER,
    name="spot",
    base_fee=Decimal("5.99"),
    further_fees=(Fee("metering", Decimal("30"), "year"),),
    terms=Terms(
        energy=Tariff(Decimal("0.0215"), spot=SHARE),
        grid=Tariff(Decimal("0.0912")),
        feed_in=Tariff(Decimal("-0.004"), spot=SpotShare("DE-LU", unpaid_when_negative=True)),
        levies=LEVIES,
        vat_percent=Decimal(19),
    ),
)
CONTRACTS = FIXED, WINDOWS, SPOT
_LEVIES = {2025: 232_700, 2026: 249_600}
TARIFFS = (
    oracle.Tariff(3_265_000, feed_in=811_000, monthly_cents=1250),
    oracle.Tariff(
        1_234_000,
        912_000,
        (
            oracle.Window(17 * 60, 21 * 60 + 15, WINTER, WORKDAYS, 1_520_000),
            oracle.Window(23 * 60, 29 * 60, WINTER, WEEK, 274_000),
        ),
        _LEVIES,
        vat=19,
        feed_in=778_000,
        yearly_cents=9600,
    ),
    oracle.Tariff(
        215_000,
        912_000,
        levies=_LEVIES,
        vat=19,
        spot=(103, 97),
        feed_in=-40_000,
        feed_in_spot=True,
        monthly_cents=599,
        yearly_cents=3000,
    ),
)


def meter_of(store: Store) -> RecordedMeter:
    meters = store.meters()
    return RecordedMeter(store, meters[0], meters)


def spot_of(prices: Mapping[int, int]) -> Spot:
    """Prices in 0.01 EUR/MWh."""

    def spot(_zone: str, begin: int, end: int) -> Mapping[int, int]:
        return {quarter: prices[quarter] * 10_000 for quarter in range(begin, end) if quarter in prices}

    return spot


def comparison(
    store: Store, contracts: Sequence[Contract], prices: Mapping[int, int] | None = None, tz: ZoneInfo = BERLIN
) -> Comparison:
    meter = meter_of(store)
    span = measured_span(meter, 0, 2**31 - 2)
    assert span is not None
    return compare(meter, contracts, span, spot_of(prices) if prices else no_spot_prices, tz)


class Household:
    """Random energies in 0.1 Wh and spot prices in 0.01 EUR/MWh; a price is that of an hour until October 2025."""

    def __init__(self, begin: str, end: str) -> None:
        random = Random(15)
        self.first, last = quarter(begin), quarter(end)
        self.quarters = range(self.first, last)
        change = quarter("2025-10-01T00:00:00+02:00")
        self.imports = [random.randrange(300, 9000) for _ in self.quarters]
        self.exports = [max(0, random.randrange(-9000, 9000)) for _ in self.quarters]
        hours = {hour: random.randrange(-90_00, 400_00) for hour in range(self.first // 4, last // 4 + 1)}
        self.spots = [
            random.randrange(-90_00, 400_00) if place >= change else hours[place // 4] for place in self.quarters
        ]

    def fill(self, store: Store, file: Path) -> None:
        """By SQL: 700,000 records would take 20 s."""
        store.write([*counted([0], first=self.first), *counted([0], first=self.first, obis=EXPORT)], [INFO])
        with closing(sqlite3.connect(file)) as connection, connection:
            for obis, energies in (IMPORT, self.imports), (EXPORT, self.exports):
                (series,) = connection.execute("SELECT id FROM series WHERE obis = ?", (str(obis),)).fetchone()
                counts = accumulate(energies)
                rows = ((series, quarter + 1, raw) for quarter, raw in zip(self.quarters, counts, strict=True))
                connection.executemany("INSERT INTO boundary VALUES (?, ?, ?, -1, 0, 0)", rows)


@pytest.mark.parametrize(
    "period",
    [
        # both days on which the clocks change, the change to quarters, and new levies in a night
        ("2025-09-29T00:00:00+02:00", "2026-03-31T00:00:00+02:00"),
        pytest.param(("2019-01-01T00:00:00+01:00", "2029-01-01T00:00:00+01:00"), marks=pytest.mark.slow),
    ],
)
def test_every_amount_is_that_of_an_independent_computation(tmp_path: Path, period: tuple[str, str]) -> None:
    household, file = Household(*period), tmp_path / "iskra.sqlite"
    with closing(Store(f"sqlite:///{file}")) as store:
        household.fill(store, file)
        answer = comparison(store, CONTRACTS, dict(zip(household.quarters, household.spots, strict=True)))
    assert (answer.begin, answer.end) == (household.quarters.start, household.quarters.stop)
    for cost, tariff in zip(answer.contracts, TARIFFS, strict=True):
        rows = zip(household.imports, household.exports, household.spots, strict=True)
        expected = oracle.totals(tariff, household.first, rows, BERLIN).values()
        assert [month.imported for month in cost.months] == [oracle.UNIT * month.imported for month in expected]
        assert [month.exported for month in cost.months] == [oracle.UNIT * month.exported for month in expected]
        assert [month.fees for month in cost.months] == [month.fees for month in expected]
        total = sum((month.euros for month in expected), start=Fraction(0))
        assert cost.total.total == total
        cents = round_fraction(cost.total.total).quantize(Decimal("0.01"))
        assert abs(Fraction(cents) - total) <= Fraction(1, 200)
        assert cost.total.unpriced_import_wh == cost.total.estimated == 0
