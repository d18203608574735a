"""Comparisons against an independent computation in integers (oracle.py), before and after rounding."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import date
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


def test_a_day_of_96_prices_with_equal_energy_costs_their_mean(store: Store) -> None:
    first = quarter("2026-01-15T00:00:00+01:00")
    prices = {first + place: 1000 + 37 * place for place in range(96)}
    store.write(counted(range(0, 97_000, 1000), first=first), [INFO])
    only_spot = Contract(begins=EVER, terms=Terms(energy=Tariff(spot=SpotShare("DE-LU"))))
    (cost,) = comparison(store, [only_spot], prices).contracts
    mean = Fraction(sum(prices.values()), 96) / 100_000
    assert cost.total.imported == mean * Fraction(96, 10)
    assert cost.total.import_price == cost.even_price == mean


def test_negative_quarters_are_counted_with_their_energy(store: Store) -> None:
    store.write([*counted([0, 10, 30, 60]), *counted([0, 100, 300, 600], obis=EXPORT)], [INFO])
    (cost,) = comparison(store, [SPOT], {Q: 100, Q + 1: -500, Q + 2: -1}).contracts
    negative = cost.negative
    assert negative is not None
    assert (negative.count, int(negative.import_wh), int(negative.export_wh)) == (2, 5, 50)
    # 10 Wh at 1 EUR/MWh less 4 EUR/MWh; nothing is paid in the others
    assert cost.total.exported == Fraction(10 * (1 - 4), 10**6)


def test_a_gap_is_priced_by_the_usual_day_and_summed_apart(store: Store) -> None:
    """Three days; from 00:00 to 06:00 of the second one only the sum is known."""
    first = quarter("2026-01-15T00:00:00+01:00")
    usual = [100 + 10 * slot for slot in range(96)]
    counts: list[int | None] = list(accumulate(usual * 3, initial=0))
    counts[96 + 1 : 96 + 24] = [None] * 23
    store.write(counted(counts, first=first), [INFO])
    prices = {first + place: 1000 + 100 * (place % 7) for place in range(96 * 3)}
    fixed, spot = comparison(
        store, [FIXED, Contract(begins=EVER, terms=Terms(energy=Tariff(spot=SHARE)))], prices
    ).contracts
    # what was measured and the gap, at the same price, are the whole
    assert fixed.total.imported + fixed.total.estimated == Fraction("0.3265") * sum(usual) * 3 / 10_000
    gap = sum(usual[:24])
    assert fixed.total.estimated == Fraction("0.3265") * gap / 10_000
    # the other days have used in each quarter of the gap what this day would have
    by_quarter = sum(usual[slot] * prices[first + 96 + slot] for slot in range(24))
    assert spot.total.estimated == Fraction("1.03") * by_quarter / 10_000 / 100_000


def test_a_gap_whose_hours_are_unknown_otherwise_is_priced_evenly(store: Store) -> None:
    store.write(counted([0, *[None] * 3, 400], first=Q), [INFO])
    answer = comparison(store, [SPOT], {Q + place: 100 * place for place in range(4)}, ZoneInfo("UTC"))
    even = sum(Fraction(100 * place, 100_000) for place in range(4)) / 4
    net = even * Fraction("1.03") + Fraction("0.0215") + Fraction("0.0912") + Fraction("0.02327")
    assert answer.contracts[0].total.estimated == net * Fraction("1.19") * Fraction(40, 1000)
    assert answer.contracts[0].total.imported == 0 and answer.estimated_share == 1


def test_a_gap_over_new_year_counts_in_both_months_and_years(store: Store) -> None:
    """From 22:00 on New Year's Eve to 02:00, in a window of the night; pieces are cut at years of twelve months."""
    midnight = quarter("2026-01-01T00:00:00+01:00")
    before = range(96 * 370)
    store.write(counted(before, first=midnight - 8 - before.stop + 1), [INFO])
    store.write(counted([before.stop - 1 + 160, before.stop - 1 + 170], first=midnight + 8), [INFO])
    answer = comparison(store, [WINDOWS])
    december, january = answer.months[-2:]
    assert december.estimated_import_wh == january.estimated_import_wh == 8
    grid = {-2: (4 * Fraction("0.0912") + 4 * Fraction("0.0274")) / 8, -1: Fraction("0.0274")}
    levies = {-2: Fraction("0.02327"), -1: Fraction("0.02496")}
    for month, price in grid.items():
        net = price + Fraction("0.1234") + levies[month]
        assert answer.contracts[0].months[month].estimated == net * Fraction("1.19") * 8 / 1000


def test_energy_without_a_price_is_left_out_of_the_difference(store: Store) -> None:
    store.write(counted([0, 1000, 3000, None, 9000], first=Q), [INFO])
    # of the second quarter and of one in the gap no price is known
    fixed, spot = (answer := comparison(store, [FIXED, SPOT], {Q: 500, Q + 2: 500}, ZoneInfo("UTC"))).contracts
    assert spot.total.unpriced_import_wh == 500 and spot.total.priced_import_wh == 100
    assert spot.left_out == Fraction("0.3265") * Fraction(500, 1000)
    same_energy = Fraction("0.3265") * Fraction(400, 1000) + fixed.total.fees
    assert answer.difference(spot) == spot.total.total - same_energy
    assert answer.difference(fixed) == 0
    # a reference without a price for it says nothing
    assert (reversed_ := comparison(store, [SPOT, FIXED], {Q: 500})).difference(reversed_.contracts[1]) is None


def test_shifting_saves_what_the_cheapest_quarter_of_the_day_is_below_the_use_of_the_day(store: Store) -> None:
    first = quarter("2026-01-15T00:00:00+01:00")
    store.write(counted(range(0, 97 * 500, 500), first=first), [INFO])
    prices = {first + place: 2000 if place else -1000 for place in range(96)}
    fixed, spot = comparison(
        store, [FIXED, Contract(begins=EVER, terms=Terms(energy=Tariff(spot=SpotShare("DE-LU"))))], prices
    ).contracts
    assert fixed.shift is None
    mean = Fraction(95 * 2000 - 1000, 96) / 100_000
    assert spot.shift is not None and abs(spot.shift - (mean + Fraction(1000, 100_000))) < Fraction(1, 10**9)


def test_the_credit_never_exceeds_the_grid_fees_of_the_year(store: Store) -> None:
    first = quarter("2026-01-01T00:00:00+01:00")
    store.write(counted([0, 1000], first=first) + counted([2000], first=first + 96 * 31), [INFO])
    terms = Terms(energy=Tariff(), grid=Tariff(Decimal("0.10")), vat_percent=Decimal(19))
    credited = replace(WINDOWS, terms=terms, base_fee=Decimal(0), grid_credit=Decimal(365))
    cost = comparison(store, [credited, replace(credited, further_fees=(Fee("grid", Decimal(31), "month"),))])
    grid = Fraction("0.119") * Fraction(200, 1000)
    assert cost.contracts[0].total.total == 0 and cost.contracts[0].total.fees == -grid
    # 31 days of January at 1 EUR a day are less than 31 EUR and the energy
    assert cost.contracts[1].total.fees == 0


def test_tariff_registers_have_their_own_energy_and_price(store: Store) -> None:
    day, night = Obis.parse("1.8.1"), Obis.parse("1.8.2")
    store.write(
        [*counted([0, 1000, 3000]), *counted([0, 1000, 1000], obis=day), *counted([0, 0, 2000], obis=night)], [INFO]
    )
    terms = Terms(energy=Tariff(registers=((day, Decimal("0.40")), (night, Decimal("0.20")))))
    registers = Contract(begins=EVER, terms=terms)
    _, cost = comparison(store, [FIXED, registers]).contracts
    assert cost.total.imported == Fraction("0.04") + Fraction("0.04")
    assert cost.even_price is cost.shift is None and cost.total.unpriced_import_wh == 0
    other = Contract(begins=EVER, terms=Terms(energy=Tariff(registers=((day, Decimal("0.40")),))))
    answer = comparison(store, [FIXED, other])
    assert answer.contracts[1].total.unpriced_import_wh == 200
    assert answer.difference(answer.contracts[1]) is None


def test_a_period_with_fewer_than_two_readings_has_no_span(store: Store) -> None:
    store.write(counted([1000]), [INFO])
    assert measured_span(meter_of(store), Q - 10, Q + 10) is None
    assert measured_span(meter_of(store), Q + 1, Q + 10) is None


def test_the_sum_of_months_is_the_difference_of_the_counter(store: Store) -> None:
    counts: list[int | None] = list(range(0, 96 * 70 * 13, 13))
    for begin, end in (100, 130), (96 * 40, 96 * 55), (96 * 60, 96 * 60 + 1):
        counts[begin:end] = [None] * (end - begin)
    store.write(counted(counts), [INFO])
    answer = comparison(store, [FIXED])
    readings = list(meter_of(store).counter(IMPORT).between(answer.begin, answer.end + 1))
    whole = energy_between(readings[0], readings[-1], [])
    assert sum(month.import_wh + month.estimated_import_wh for month in answer.months) == whole
    assert round(answer.estimated_share, 3) == round(Fraction(30 + 96 * 15 + 1 + 3, 96 * 70 - 1), 3)
