"""Bills of every kind of contract against a sum over quarters in integers: 0.1 Wh x 10^-15 EUR/kWh."""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace
from sqlalchemy import Row, Select

from iskra_server.cost.amounts import Amount
from iskra_server.cost.bill import Bill
from iskra_server.cost.contracts import Contract
from iskra_server.cost.price_columns import Spot, no_spot_prices, price_columns_of
from iskra_server.cost.tariffs import PriceWindow, SpotShare, Tariff, Terms
from iskra_server.history.model.records import Record
from iskra_server.history.store.reads import Reads
from iskra_server.history.store.recorded_meter import RecordedMeter
from iskra_server.history.store.store import Store
from iskra_server.meter.obis import IMPORT, Obis
from samples import EXPORT
from web.past import INFO, anew, counted, quarter

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2027, 1, 1, tzinfo=UTC)
ALL_MONTHS, ALL_DAYS = frozenset(range(1, 13)), frozenset(range(7))
WINTER = frozenset({1, 2, 3, 10, 11, 12})
HIGH = PriceWindow("HT", WINTER, ALL_DAYS, 68, 85, Decimal("0.1520"))
LOW = PriceWindow("NT", WINTER, ALL_DAYS, 92, 116, Decimal("0.0274"))
LEVIES = (
    (2025, (("tax", Decimal("0.0205")), ("kwkg", Decimal("0.00277")))),
    (2026, (("tax", Decimal("0.0205")), ("kwkg", Decimal("0.00446")))),
)
GRID = Tariff(Decimal("0.0912"), (HIGH, LOW))
FIXED = Contract(begins=date(2025, 1, 1), energy_price=Decimal("0.3265"), feed_in=Decimal("0.0811"))
WINDOWS = Contract(
    begins=date(2025, 1, 1),
    terms=Terms(energy=Tariff(Decimal("0.115")), grid=GRID, levies=LEVIES, vat_percent=Decimal(19)),
)
SHARE = SpotShare("DE-LU", Decimal("1.03"), Decimal("0.97"))
UNPAID = SpotShare("DE-LU", Decimal(0), Decimal(0), unpaid_when_negative=True)
DYNAMIC = Contract(
    begins=date(2026, 1, 1),
    terms=Terms(
        energy=Tariff(Decimal("0.0215"), spot=SHARE),
        grid=GRID,
        levies=LEVIES,
        vat_percent=Decimal(19),
        feed_in=Tariff(Decimal("0.0778"), spot=UNPAID),
    ),
)
HOURLY = Contract(
    begins=date(2025, 1, 1),
    terms=Terms(energy=Tariff(Decimal(0), spot=SpotShare("DE-LU", is_hourly=True)), vat_percent=Decimal("8.1")),
)


def bill(store: Store, *contracts: Contract, spot: Spot = no_spot_prices) -> Bill:
    meters = store.meters()
    return Bill(RecordedMeter(store, meters[0], meters), contracts, NOW, BERLIN, spot)


def spot_of(prices: Mapping[int, int]) -> Spot:
    return lambda _zone, begin, end: {at: price for at, price in prices.items() if begin <= at < end}


def write(store: Store, first: int, energies: Sequence[int], obis: Obis = IMPORT) -> None:
    """The energy of each quarter from `first` on, in 0.1 Wh."""
    store.write(counted(running(energies), first=first, obis=obis), [INFO])


def running(energies: Sequence[int]) -> Iterator[int]:
    total = 1000
    yield total
    for energy in energies:
        total += energy
        yield total


def expected_cost(
    contracts: Sequence[Contract], first: int, energies: Sequence[int], spot: Spot, *, exported: bool = False
) -> Decimal:
    columns = price_columns_of(contracts, first, first + len(energies), spot, BERLIN)
    prices = columns.exports if exported else columns.imports
    total = sum(energy * (price or 0) for energy, price in zip(energies, prices, strict=True))
    return Decimal(f"{total}E{columns.scaler - 4}")


DAYS = [("2026-03-28", 3), ("2025-10-25", 3), ("2025-12-30", 4), ("2025-09-29", 4)]


@pytest.mark.parametrize(("day", "days"), DAYS)
def test_a_bill_is_the_sum_of_its_quarters(store: Store, day: str, days: int) -> None:
    """Over clock changes, the turn of the year with two contracts, and the change from hours to quarters."""
    chance = random.Random(day)
    ordinal = date.fromisoformat(day).toordinal()
    edges = [
        int(datetime.fromordinal(ordinal + place).replace(tzinfo=BERLIN).timestamp()) // 900
        for place in range(days + 1)
    ]
    first, length = edges[0], edges[-1] - edges[0]
    imported, exported = ([chance.randrange(0, 9000) for _ in range(length)] for _ in range(2))
    write(store, first, imported)
    write(store, first, exported, EXPORT)
    spot = spot_of({at: chance.randrange(-90_000_000, 400_000_000, 10_000) for at in range(first - 4, edges[-1] + 4)})
    cuts = [first, *sorted(chance.sample(range(first + 1, edges[-1]), 5)), edges[-1]]
    for contracts in ((FIXED,), (WINDOWS,), (WINDOWS, DYNAMIC), (HOURLY,)):
        meter_bill = bill(store, *contracts, spot=spot)
        total = meter_bill.total(first, edges[-1])
        assert total.imported == total.parts.total == expected_cost(contracts, first, imported, spot)
        assert total.exported == expected_cost(contracts, first, exported, spot, exported=True)
        assert [total.unpriced_import_wh, total.estimated_import_wh, total.estimated] == [0, 0, 0]
        buckets = [amount for amount in meter_bill.buckets(edges) if amount]
        assert len(buckets) == days and sum(buckets, Amount()) == total
        # any cut of a period
        assert sum((meter_bill.total(*cut) for cut in pairwise(cuts)), Amount()) == total


def test_96_known_prices_and_100_wh_a_quarter_cost_the_mean_price(store: Store) -> None:
    first = quarter("2026-06-01T00:00:00+02:00")
    write(store, first, [1000] * 96)
    prices = {first + place: (place - 10) * 1_000_000 for place in range(96)}
    plain = Contract(begins=date(2025, 1, 1), terms=Terms(energy=Tariff(spot=SpotShare("DE-LU"))))
    mean = sum(prices.values()) / Decimal(96) / 10**9
    assert bill(store, plain, spot=spot_of(prices)).total(first, first + 96).imported == mean * Decimal("9.6")


def test_energy_without_a_known_spot_price_is_reported_apart(store: Store) -> None:
    first = quarter("2026-06-01T00:00:00+02:00")
    write(store, first, [1000, 2000, 3000])
    write(store, first, [500, 600, 700], EXPORT)
    meter_bill = bill(store, DYNAMIC, spot=spot_of({first: 0, first + 1: -1}))
    first_bucket, second, third = meter_bill.buckets((first, first + 1, first + 2, first + 3))
    assert first_bucket and second and third
    assert [third.imported, third.unpriced_import_wh, third.unpriced_export_wh] == [0, 300, 70]
    assert [first_bucket.exported, second.exported] == [Decimal("0.05") * Decimal("0.0778"), 0]
    assert meter_bill.total(first, first + 3).unpriced_import_wh == 300


def test_a_gap_over_one_price_is_exact_and_over_several_an_estimate(store: Store) -> None:
    day = quarter("2026-01-15T00:00:00+01:00")
    # a gap from 15:00 to 21:00: two hours at ST, four at HT
    store.write(counted([0], first=day + 60), [INFO])
    store.write(counted([60_000], first=day + 84), [INFO])
    parts = {
        "gap inside": bill(store, FIXED).total(day, day + 96),
        "windows": bill(store, WINDOWS).total(day, day + 96),
    }
    assert parts["gap inside"].imported == 6 * Decimal("0.3265") and parts["gap inside"].estimated_import_wh == 0
    amount = parts["windows"]
    other = Decimal("0.115") + Decimal("0.0205") + Decimal("0.00446")
    expected = (6 * other + 2 * Decimal("0.0912") + 4 * Decimal("0.1520")) * Decimal("1.19")
    assert amount.imported == amount.estimated == expected
    assert [amount.estimated_import_wh, amount.parts.total] == [6000, expected]
    # a bucket that holds the gap has it, too; one that cuts it has not
    (whole,) = bill(store, WINDOWS).buckets((day, day + 96))
    assert whole and whole.imported == expected
    assert bill(store, WINDOWS).buckets((day, day + 70, day + 96)) == [None, None]


def test_a_gap_at_spot_prices_is_spread_evenly_and_what_is_unknown_has_no_price(store: Store) -> None:
    day = quarter("2026-01-15T10:00:00+01:00")
    store.write(counted([0, None, None, 10_000, 10_400], first=day), [INFO])
    spot = {day: 100_000_000, day + 1: -50_000_000, day + 3: 200_000_000}
    plain = Contract(begins=date(2025, 1, 1), terms=Terms(energy=Tariff(spot=SpotShare("DE-LU"))))
    amount = bill(store, plain, spot=spot_of(spot)).total(day, day + 4)
    third = Decimal("333.3333")
    measured = Decimal("0.04") * Decimal("0.2")
    assert amount.estimated == (third * Decimal("0.1") - third * Decimal("0.05")) / 1000
    assert amount.imported == measured + amount.estimated
    assert [amount.estimated_import_wh, amount.unpriced_import_wh] == [1000, Decimal("333.3334")]


def test_of_a_gap_in_which_the_first_contract_begins_its_own_part_counts(store: Store) -> None:
    midnight = quarter("2026-01-15T00:00:00+01:00")
    # two hours before the contract, and two hours in it; measured before and after
    store.write(counted([0, 1000], first=midnight - 9), [INFO])
    store.write(counted([17_000, 18_000], first=midnight + 8), [INFO])
    for contract in FIXED, WINDOWS, DYNAMIC:
        begun = replace(contract, begins=date(2026, 1, 15))
        meter_bill = bill(store, begun, spot=lambda _zone, begin, end: dict.fromkeys(range(begin, end), 0))
        amounts, total = meter_bill.costs((midnight - 20, midnight - 4, midnight + 8, midnight + 20))
        assert total.imported == total.parts.total
        assert total.estimated_import_wh == 800 and total.imported > total.estimated > 0
        assert amounts[:2] == [None, None] and amounts[2] and amounts[2].imported == total.imported - total.estimated
    assert bill(store, replace(FIXED, begins=date(2026, 1, 15))).total(
        midnight - 20, midnight + 20
    ).imported == Decimal("0.9") * Decimal("0.3265")


def test_a_contract_by_registers_counts_them_and_not_their_sum(store: Store) -> None:
    first = quarter("2026-06-01T00:00:00+02:00")
    day_register, night_register = Obis.parse("1.8.1"), Obis.parse("1.8.2")
    for obis, energies in ((IMPORT, [3000, 5000]), (day_register, [3000, 0]), (night_register, [0, 5000])):
        write(store, first, energies, obis)
    energy = Tariff(registers=((day_register, Decimal("0.22")), (night_register, Decimal("0.18"))))
    terms = Terms(energy=energy, grid=Tariff(Decimal("0.09")), vat_percent=Decimal(19))
    contract = Contract(begins=date(2025, 1, 1), terms=terms)
    amount = bill(store, contract).total(first, first + 2)
    assert amount.imported == (Decimal("0.3") * Decimal("0.31") + Decimal("0.5") * Decimal("0.27")) * Decimal("1.19")
    assert amount.unpriced_import_wh == 0


def test_energy_of_a_register_that_the_meter_does_not_have_is_not_lost(store: Store) -> None:
    first = quarter("2026-06-01T00:00:00+02:00")
    write(store, first, [3000, 5000])
    write(store, first, [3000, 0], Obis.parse("1.8.1"))
    registers = tuple((Obis.parse(name), Decimal("0.2")) for name in ("1.8.1", "1.8.2"))
    contract = Contract(begins=date(2025, 1, 1), terms=Terms(energy=Tariff(registers=registers)))
    amount = bill(store, contract).total(first, first + 2)
    assert [amount.imported, amount.unpriced_import_wh] == [Decimal("0.06"), 500]


class Asked:
    """Counts the queries of a bill and their rows, and the spans whose spot prices it asks for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.queries = self.rows = 0
        self.spans: list[tuple[int, int]] = []
        query = Reads.query

        def counted_query(reads: Reads, statement: Select[Any]) -> Sequence[Row[Any]]:
            rows = query(reads, statement)
            self.queries, self.rows = self.queries + 1, self.rows + len(rows)
            return rows

        monkeypatch.setattr(Reads, "query", counted_query)

    def spot(self, _zone: str, begin: int, end: int) -> Mapping[int, int]:
        self.spans.append((begin, end))
        return dict.fromkeys(range(begin, end), 100_000_000)


CREDITED = replace(WINDOWS, grid_credit=Decimal(110))
# 7 for each total, one more for the weeks before the first gap of each counter, and 4 in each year with a credit
MAX_QUERIES = [(FIXED, 7), (WINDOWS, 9), (DYNAMIC, 9), (HOURLY, 9), (CREDITED, 22)]


@pytest.mark.parametrize(("contract", "most"), MAX_QUERIES)
def test_days_with_one_reading_take_no_query_each(
    store: Store, monkeypatch: pytest.MonkeyPatch, contract: Contract, most: int
) -> None:
    """With a restart of the counter, in a period that begins in 1970."""
    contract = replace(contract, begins=date(1970, 1, 1))
    begin = datetime(2025, 10, 1, tzinfo=BERLIN)
    days = [int((begin + timedelta(days=day)).timestamp()) // 900 for day in range(180)]
    records: list[Record] = [anew(days[80] * 900 - 60, 800_000, 0)]
    for place, day in enumerate(days):
        raw, epoch = (place * 10_000, 0) if place < 80 else ((place - 80) * 10_000, 1)
        records += counted([raw], first=day, epoch=epoch) + counted([place * 5_000], first=day, obis=EXPORT)
    store.write(records, [INFO])
    asked = Asked(monkeypatch)
    meter_bill = bill(store, contract, spot=asked.spot)
    asked.queries = asked.rows = 0
    total = meter_bill.total(0, days[-1] + 96)
    assert asked.queries <= most and asked.rows <= 2 * most
    assert all(days[0] <= first and end <= days[-1] for first, end in asked.spans)
    assert total.imported == total.parts.total > 0
    # by the day, too, and days that are gaps have their fees
    asked.queries = 0
    amounts = [amount for amount in meter_bill.buckets((0, *days)) if amount]
    assert asked.queries <= most and len(amounts) == len(days) - 1
    assert sum(amounts, Amount()) == meter_bill.total(0, days[-1])


@pytest.mark.slow
def test_ten_years_with_three_contracts_cost_what_plain_integers_say(tmp_path: Path) -> None:
    """Over twenty clock changes, windows over midnight, and prices of hours that become prices of quarters."""
    chance = random.Random(10)
    first, end = quarter("2017-01-01T00:00:00+01:00"), quarter("2027-01-01T00:00:00+01:00")
    by_time, by_spot = date(2020, 1, 1), date(2023, 7, 1)
    energies = [chance.randrange(0, 9000) for _ in range(end - first)]
    quarterly = quarter("2025-10-01T00:00:00+02:00")
    prices: dict[int, int] = {}
    for at in range(first, end):
        is_own = at >= quarterly or at % 4 == 0
        prices[at] = chance.randrange(-90_000_000, 400_000_000, 10_000) if is_own else prices[at - 1]
    contracts = (FIXED, WINDOWS, DYNAMIC)
    ordered = [
        replace(one, begins=day) for one, day in zip(contracts, (date(2015, 1, 1), by_time, by_spot), strict=True)
    ]
    expected: Counter[int] = Counter()
    for at, energy in enumerate(energies, first):
        clock = datetime.fromtimestamp(at * 900, BERLIN)
        day, hour, winter = clock.date(), clock.hour + clock.minute / 60, WINTER
        if day < by_time:
            price = 3265 * 10**9
        else:
            # in 10^-13 of the currency: 10^-11 x 119 %
            before = date.fromordinal(day.toordinal() - 1)
            is_night = (hour >= 23 and day.month in winter) or (hour < 5 and before.month in winter)
            is_high = 17 <= hour < 21.25 and day.month in winter
            grid = 2740_000_000 if is_night else 15200_000_000 if is_high else 9120_000_000
            kwkg = 446_000_000 if day.year >= 2026 else 277_000_000
            spot = prices[at] * (97 if prices[at] < 0 else 103)
            energy_price = 11500_000_000 if day < by_spot else 2150_000_000 + spot
            price = (energy_price + grid + 2050_000_000 + kwkg) * 119
        expected[clock.year] += energy * price
    store = Store(f"sqlite:///{tmp_path}/iskra.sqlite")
    write(store, first, energies)
    edges = [quarter(f"{year}-01-01T00:00:00+01:00") for year in range(2017, 2028)]
    meter_bill = bill(store, *ordered, spot=spot_of(prices))
    found = [amount.imported for amount in meter_bill.buckets(edges) if amount]
    total = meter_bill.total(first, end).imported
    store.close()
    assert found == [Decimal(f"{cost}E-17") for _, cost in sorted(expected.items())]
    assert total == Decimal(f"{sum(expected.values())}E-17")
