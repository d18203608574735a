"""The numbers of digests, from written history: exact, whole or not, over both changes of the clocks."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from iskra_server.cost.contracts import Contract
from iskra_server.cost.tariffs import SpotShare, Tariff, Terms
from iskra_server.history.model.records import QuarterReading
from iskra_server.history.model.spot_price import Price
from iskra_server.history.store.recorded_meter import RecordedMeter
from iskra_server.history.store.spot_prices import store_prices
from iskra_server.history.store.store import Store
from iskra_server.outputs.notify.digest_figures import (
    DayPeriod,
    DigestFigures,
    Kind,
    MissingSpan,
    PeriodCost,
    digest_figures,
    period_before,
    year_before,
)
from samples import EXPORT
from web.past import counted, info

BERLIN = ZoneInfo("Europe/Berlin")
WEEK = DayPeriod(date(2025, 6, 2), date(2025, 6, 9))
NOW = datetime(2025, 6, 9, 5, tzinfo=UTC)
CONTRACT = Contract(begins=date(2025, 1, 1), energy_price=Decimal("0.30"), base_fee=Decimal("30"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(f"sqlite:///{tmp_path}/iskra.sqlite")
    yield made
    made.close()


def steady(period: DayPeriod, step: int = 300, start: int = 0) -> list[QuarterReading]:
    """A counter that counts `step` x 0.1 Wh a quarter in a period."""
    begin, end = period.quarters(BERLIN)
    return counted(range(start, start + step * (end - begin) + 1, step), first=begin)


def figures(store: Store, kind: Kind = "weekly", period: DayPeriod = WEEK, *contracts: Contract) -> DigestFigures:
    meters = store.meters()
    made = digest_figures(RecordedMeter(store, meters[0], meters), kind, period, contracts, now=NOW, tz=BERLIN)
    assert made is not None
    return made


def test_periods_are_compared_with_those_of_equal_days() -> None:
    assert period_before("weekly", WEEK) == DayPeriod(date(2025, 5, 26), date(2025, 6, 2))
    assert year_before("weekly", WEEK) == DayPeriod(date(2024, 6, 3), date(2024, 6, 10))
    march = DayPeriod(date(2024, 3, 1), date(2024, 4, 1))
    assert period_before("monthly", march) == DayPeriod(date(2024, 2, 1), date(2024, 3, 1))
    assert year_before("monthly", march) == DayPeriod(date(2023, 3, 1), date(2023, 4, 1))


@pytest.mark.parametrize(
    ("begin", "end", "quarters"),
    [(date(2025, 3, 24), date(2025, 3, 31), 668), (date(2025, 10, 20), date(2025, 10, 27), 676)],
)
def test_a_week_in_which_the_clocks_change_is_an_hour_shorter_or_longer(begin: date, end: date, quarters: int) -> None:
    first, after = DayPeriod(begin, end).quarters(BERLIN)
    assert after - first == quarters


def test_a_week_has_exact_energies_cost_base_load_and_highest_quarter(store: Store) -> None:
    before = period_before("weekly", WEEK)
    first, later = steady(before), steady(WEEK, step=400, start=300 * 672)
    # Tuesday 18:15, 1,500 Wh in a quarter: 6,000 W; all later ones as much higher
    peak = 24 * 4 + 18 * 4 + 1
    begin, _ = WEEK.quarters(BERLIN)
    values = [reading.value.raw + (15_000 - 400) * (place > peak) for place, reading in enumerate(later)]
    store.write([*first, *counted(values, first=begin)], [info(first=first[0].quarter)])
    made = figures(store, "weekly", WEEK, CONTRACT)
    assert made.energies.import_wh == Decimal(40 * 671 + 1500)
    assert (made.energies.is_whole, made.before.is_whole, made.energies.export_wh) == (True, True, None)
    assert made.before.import_wh == Decimal(30 * 672)
    assert made.year_before.import_wh is None
    assert made.highest and (made.highest.quarter, made.highest.power_w) == (begin + peak, Decimal(6000))
    # four quarters of 40 Wh in the quietest hour
    assert (made.base_load_w, made.base_load_before_w) == (Decimal(160), Decimal(120))
    # seven of the thirty days of June cost a euro each
    assert made.cost == PeriodCost(Decimal("28.34") * Decimal("0.30") + 7)
    # six of the 31 days of May, and one of June
    fee = round(Decimal(30 * 6) / 31 + 1, 6)
    assert made.cost_before == PeriodCost(Decimal("20.16") * Decimal("0.30") + fee)
    assert made.missing == ()


def test_without_a_contract_there_is_no_cost(store: Store) -> None:
    store.write(steady(WEEK), [info()])
    assert figures(store).cost is None
    assert figures(store, "weekly", WEEK, Contract(begins=date(2025, 6, 3), energy_price=Decimal(1))).cost is None


def test_gaps_inside_are_counted_and_named(store: Store) -> None:
    readings = steady(WEEK)
    store.write([*readings[:100], *readings[150:]], [info()])
    made = figures(store)
    begin, _ = WEEK.quarters(BERLIN)
    assert made.energies.import_wh == Decimal(30 * 672)
    assert made.missing == (MissingSpan(begin + 99, begin + 150, Decimal(30 * 51), is_inside=True),)


def test_a_week_by_the_spot_price_costs_what_the_database_says(store: Store) -> None:
    store.write(steady(WEEK), [info()])
    begin, end = WEEK.quarters(BERLIN)
    # the last quarter has no price
    store_prices(store, "DE-LU", "test", begin * 900, {at: Price(280_000_000, 15) for at in range(begin, end - 1)})
    terms = Terms(energy=Tariff(Decimal("0.02"), spot=SpotShare("DE-LU")))
    made = figures(store, "weekly", WEEK, Contract(begins=date(2025, 1, 1), terms=terms))
    assert made.cost == PeriodCost(Decimal("0.30") * 30 * 671 / 1000, Decimal(30), is_estimated=False)


def test_a_gap_at_an_end_is_not_counted_and_named(store: Store) -> None:
    readings = steady(DayPeriod(date(2025, 6, 1), date(2025, 6, 10)))
    begin, end = WEEK.quarters(BERLIN)
    kept = [reading for reading in readings if not (-40 < reading.quarter - begin < 40 or reading.quarter == end)]
    exported = counted([100 * place for place in range(673)], first=begin, obis=EXPORT)
    store.write([*kept, *exported], [info()])
    made = figures(store, "weekly", WEEK, CONTRACT)
    assert (made.energies.is_whole, made.energies.import_wh) == (False, Decimal(30 * (671 - 40)))
    assert made.energies.export_wh == Decimal(6720)
    assert made.cost is None
    assert made.missing == (
        MissingSpan(begin - 40, begin + 40, Decimal(30 * 80), is_inside=False),
        MissingSpan(end - 1, end + 1, Decimal(60), is_inside=False),
    )


def test_a_period_without_readings_has_no_figures(store: Store) -> None:
    store.write(steady(WEEK), [info()])
    meters = store.meters()
    later = DayPeriod(date(2025, 7, 7), date(2025, 7, 14))
    meter = RecordedMeter(store, meters[0], meters)
    assert digest_figures(meter, "weekly", later, (), now=NOW, tz=BERLIN) is None
