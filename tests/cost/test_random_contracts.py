"""Bill, buckets and comparison against a plain computation, quarter by quarter, over random households and contracts.

The computation (`Plain`) knows the rules from docs/contracts.md and shares no code with the server: fractions, one
quarter after another, with the local clock asked for each.
"""

import calendar
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import count, pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from iskra_server.cost.amounts import Amount, round_fraction
from iskra_server.cost.bill import Bill
from iskra_server.cost.comparison import compare
from iskra_server.cost.contracts import Contract
from iskra_server.cost.price_columns import Spot
from iskra_server.cost.tariffs import Fee, PriceWindow, SpotShare, Tariff, Terms
from iskra_server.history.model.records import EpochStart, Exact, MeterInfo, QuarterReading, Record
from iskra_server.history.store.recorded_meter import RecordedMeter
from iskra_server.history.store.store import Store
from iskra_server.meter.obis import Obis
from samples import EXPORT, IMPORT
from web.past import info

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2028, 1, 1, tzinfo=UTC)
HIGH, LOW = Obis.parse("1.8.1"), Obis.parse("1.8.2")
# both days on which the clocks change, a turn of the year with new levies, the change to prices of quarters, another
STARTS = [date(2026, 3, 28), date(2025, 10, 25), date(2025, 12, 30), date(2025, 9, 29), date(2026, 6, 1)]
EVERY_MONTH, EVERY_DAY = frozenset(range(1, 13)), frozenset(range(7))
NUMBERS = count(1)


def clock_of(quarter: int) -> datetime:
    return datetime.fromtimestamp(quarter * 900, BERLIN)


def begin_of(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=BERLIN).timestamp()) // 900


@dataclass
class Household:
    """Energies of each quarter in 0.1 Wh by register; at `missing` quarters there is no reading."""

    first: int
    energies: dict[Obis, list[int]]
    missing: set[int]
    spots: dict[int, int]
    # at this place the counter restarts, or the meter is replaced
    restart: int | None
    is_replaced: bool

    @property
    def end(self) -> int:
        return self.first + len(self.energies[IMPORT])

    def stored(self, store: Store) -> RecordedMeter:
        number = next(NUMBERS) * 2
        old, new = (info(f"1 ISK 00 {10_000_000 + number + place}", self.first) for place in (0, 1))
        records: list[Record] = []
        for obis, energies in self.energies.items():
            total, epoch, meter = 5_000, 0, old
            for place, energy in enumerate([0, *energies]):
                total += energy
                quarter = self.first + place
                if place == self.restart:
                    if self.is_replaced:
                        meter = new
                    else:
                        epoch = 1
                        at_s = quarter * 900 - 1
                        records.append(EpochStart(old.meter_id, obis, 1, at_s, Exact(total, -1), Exact(7, -1)))
                    total = 7
                if quarter not in self.missing:
                    records.append(reading(meter, obis, quarter, total, epoch))
        meters = [old]
        if self.restart is not None and self.is_replaced:
            old = replace(old, replaced_by=new.meter_id)
            meters = [old, new]
        store.write(records, [old, new])
        return RecordedMeter(store, meters[-1], meters)

    def spot(self, _zone: str, begin: int, end: int) -> Mapping[int, int]:
        return {quarter: self.spots[quarter] for quarter in range(begin, end) if quarter in self.spots}


def reading(meter: MeterInfo, obis: Obis, quarter: int, raw: int, epoch: int) -> QuarterReading:
    return QuarterReading(meter.meter_id, obis, quarter, Exact(raw, -1), "measured", epoch)


@dataclass
class Sum:
    imported: Fraction = Fraction(0)
    exported: Fraction = Fraction(0)
    unpriced_import: Fraction = Fraction(0)
    unpriced_export: Fraction = Fraction(0)
    fees: Fraction = Fraction(0)
    measured: set[int] = field(default_factory=set)


class Plain:
    """`contracts` in the order of their beginnings."""

    def __init__(self, house: Household, contracts: Sequence[Contract]) -> None:
        self._house, self._contracts = house, contracts
        # register -> quarter -> energy in Wh; a gap is (begin, end, quarter -> energy)
        self.measured: dict[Obis, dict[int, Fraction]] = {}
        self.gaps: dict[Obis, list[tuple[int, int, dict[int, Fraction]]]] = {}
        for obis, energies in house.energies.items():
            read = [quarter for quarter in range(house.first, house.end + 1) if quarter not in house.missing]
            self.measured[obis], self.gaps[obis] = {}, []
            for begin, end in pairwise(read):
                raw = sum(energies[begin - house.first : end - house.first])
                if end == begin + 1:
                    self.measured[obis][begin] = Fraction(raw, 10)
                else:
                    self.gaps[obis].append((begin, end, self._spread(obis, begin, end, raw)))

    def _spread(self, obis: Obis, begin: int, end: int, raw: int) -> dict[int, Fraction]:
        """By the mean of the same quarter of the day in the four weeks before, in steps of 0.1 mWh."""
        weights: list[int] | None = [1] * (end - begin)
        if end - begin > 4:
            weights = self._usual(obis, begin, end) or weights
        assert weights is not None
        spread, before, weighed, total = {}, 0, 0, sum(weights)
        for quarter, weight in enumerate(weights, begin):
            weighed += weight
            until = raw * 1000 * weighed // total
            spread[quarter] = Fraction(until - before, 10_000)
            before = until
        return spread

    def _usual(self, obis: Obis, begin: int, end: int) -> list[int] | None:
        gap_day = clock_of(begin).date()
        by_slot: dict[tuple[int, int], list[int]] = {}
        for quarter, energy in self.measured[obis].items():
            clock = clock_of(quarter)
            day = clock.date()
            is_whole = begin_of(day + timedelta(days=1)) - begin_of(day) == 96
            if is_whole and gap_day - timedelta(days=28) <= day < gap_day:
                by_slot.setdefault((clock.hour, clock.minute), []).append(int(energy * 10))
        weights = []
        for quarter in range(begin, end):
            found = by_slot.get((clock_of(quarter).hour, clock_of(quarter).minute))
            if not found:
                return None
            weights.append(1000 * sum(found) // len(found))
        return weights if sum(weights) else None

    def contract_at(self, quarter: int) -> Contract | None:
        begun = [contract for contract in self._contracts if begin_of(contract.begins) <= quarter]
        return begun[-1] if begun else None

    def registers(self, contract: Contract) -> list[Obis]:
        terms = contract.terms
        named = (terms.energy.registers or terms.grid.registers) if terms else ()
        return [obis for obis, _ in named] or [IMPORT]

    def price(self, contract: Contract, obis: Obis, quarter: int) -> Fraction | None:
        """The gross price of a kWh."""
        terms, clock = contract.terms, clock_of(quarter)
        if terms is None:
            return Fraction(contract.energy_price if obis != EXPORT else contract.feed_in)
        if obis == EXPORT:
            return self._tariff(terms.feed_in, quarter, obis)
        energy, grid = (self._tariff(tariff, quarter, obis) for tariff in (terms.energy, terms.grid))
        assert grid is not None
        levies = Fraction(0)
        if terms.levies:
            years = [year for year, _ in terms.levies if year <= clock.year] or [terms.levies[0][0]]
            levies = sum((Fraction(price) for _, price in dict(terms.levies)[years[-1]]), Fraction(0))
        tax = 1 + Fraction(terms.vat_percent) / 100
        return None if energy is None else (energy + grid + levies) * tax

    def _tariff(self, tariff: Tariff, quarter: int, obis: Obis) -> Fraction | None:
        if tariff.registers:
            return Fraction(dict(tariff.registers)[obis])
        price, clock = Fraction(tariff.price), clock_of(quarter)
        slot = clock.hour * 4 + clock.minute // 15
        for window in tariff.windows:
            yesterday = clock.date() - timedelta(days=1)
            begun_today = window.begin <= slot < window.end and holds(window, clock.date())
            if begun_today or (slot + 96 < window.end and holds(window, yesterday)):
                price = Fraction(window.price)
        share = tariff.spot
        if share is None:
            return price
        spot = self._spot(quarter, is_hourly=share.is_hourly)
        if spot is None:
            return None
        if spot < 0 and share.unpaid_when_negative:
            return Fraction(0)
        return price + spot * Fraction(share.factor_negative if spot < 0 else share.factor)

    def _spot(self, quarter: int, *, is_hourly: bool) -> Fraction | None:
        if not is_hourly:
            raw = self._house.spots.get(quarter)
            return None if raw is None else Fraction(raw, 10**9)
        hour = [self._house.spots.get(quarter - quarter % 4 + place) for place in range(4)]
        return None if None in hour else Fraction(sum(raw or 0 for raw in hour), 4 * 10**9)

    def costs(self, edges: Sequence[int]) -> tuple[list[Sum], Sum]:
        """Of each bucket, and of all together with the gaps over their edges."""
        sums, whole = [Sum() for _ in edges[:-1]], Sum()
        for place, (begin, end) in enumerate(pairwise(edges)):
            for obis, energies in self.measured.items():
                for quarter in range(begin, end):
                    if quarter in energies:
                        self._add([sums[place], whole], obis, quarter, energies[quarter])
        for obis, gaps in self.gaps.items():
            for begin, end, energies in gaps:
                inside = [
                    one for one, (low, high) in zip(sums, pairwise(edges), strict=True) if low <= begin <= end <= high
                ]
                if edges[0] <= begin and end <= edges[-1]:
                    for quarter, energy in energies.items():
                        self._add([*inside, whole], obis, quarter, energy)
        for one, (begin, end) in zip(sums, pairwise(edges), strict=True):
            one.fees = self.fees(begin, end, one.measured)
        whole.fees = self.fees(edges[0], edges[-1], None)
        return sums, whole

    def _add(self, sums: Sequence[Sum], obis: Obis, quarter: int, energy: Fraction) -> None:
        contract = self.contract_at(quarter)
        if contract is None:
            return
        needed = self.registers(contract)
        if obis == EXPORT or obis in needed:
            price = self.price(contract, obis, quarter)
            for one in sums:
                one.measured.add(id(contract))
                if obis == EXPORT:
                    one.exported += energy * (price or 0) / 1000
                    one.unpriced_export += energy if price is None else 0
                else:
                    one.imported += energy * (price or 0) / 1000
                    one.unpriced_import += energy if price is None else 0

    def fees(self, begin: int, end: int, measured: set[int] | None) -> Fraction:
        """Each quarter's share of its day, from the first reading on."""
        total = Fraction(0)
        for quarter in range(max(begin, self._house.first), end):
            contract = self.contract_at(quarter)
            if contract is not None and (measured is None or id(contract) in measured):
                total += sum((share(fee, quarter) for fee in contract.fees), Fraction(0))
        return total


def holds(window: PriceWindow, day: date) -> bool:
    return day.month in window.months and day.weekday() in window.days


def share(fee: Fee, quarter: int) -> Fraction:
    day = clock_of(quarter).date()
    quarters = begin_of(day + timedelta(days=1)) - begin_of(day)
    days = calendar.monthrange(day.year, day.month)[1] if fee.per == "month" else 365 + calendar.isleap(day.year)
    return Fraction(fee.amount) / days / quarters


prices = st.integers(-2_000, 9_999).map(lambda number: Decimal(number).scaleb(-4))
# 10^-6 EUR/MWh, in steps of 0.01 EUR/MWh
spot_prices = st.integers(-9_000, 40_000).map(lambda number: number * 10_000)


@st.composite
def households(draw: st.DrawFn) -> Household:
    days = draw(st.integers(2, 4))
    begin = draw(st.sampled_from(STARTS))
    first, end = begin_of(begin), begin_of(begin + timedelta(days=days))
    first += draw(st.integers(0, 40))
    length = end - first
    random = draw(st.randoms(use_true_random=False))
    high = [random.randrange(0, 3000) for _ in range(length)]
    low = [random.randrange(0, 3000) for _ in range(length)]
    energies = {HIGH: high, LOW: low, IMPORT: [sum(both) for both in zip(high, low, strict=True)]}
    if draw(st.booleans()):
        energies[EXPORT] = [max(0, random.randrange(-3000, 3000)) for _ in range(length)]
    missing: set[int] = set()
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(1, length - 2))
        missing |= set(range(first + at, min(first + at + draw(st.sampled_from([1, 3, 7, 30, 96, 150])), end)))
    spots = {quarter: random.randrange(-9_000, 40_000) * 10_000 for quarter in range(first - 8, end + 8)}
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(first, end))
        spots = {quarter: raw for quarter, raw in spots.items() if not at <= quarter < at + 9}
    restart = draw(st.none() | st.integers(1, length - 1))
    is_replaced = draw(st.booleans())
    if restart is not None and is_replaced:
        missing.discard(first + restart)
        # what the old meter counted after its last reading is in no difference of two readings
        last = next(place for place in range(restart - 1, -1, -1) if first + place not in missing)
        for counted in energies.values():
            counted[last:restart] = [0] * (restart - last)
    return Household(first, energies, missing, spots, restart, is_replaced)


@st.composite
def window_lists(draw: st.DrawFn) -> tuple[PriceWindow, ...]:
    """Two that do not overlap: one by day, one over midnight."""
    noon = draw(st.integers(20, 60))
    day = PriceWindow(
        "HT", EVERY_MONTH, draw(st.sampled_from([EVERY_DAY, frozenset(range(5))])), noon, noon + 17, draw(prices)
    )
    night = PriceWindow(
        "NT", draw(st.sampled_from([EVERY_MONTH, frozenset({1, 3, 10, 12})])), EVERY_DAY, 88, 108, draw(prices)
    )
    return draw(st.sampled_from([(day,), (night,), (day, night)]))


@st.composite
def contracts(
    draw: st.DrawFn, begins: date, kinds: Sequence[str] = ("gross", "fixed", "windows", "spot", "registers")
) -> Contract:
    kind = draw(st.sampled_from(kinds))
    fees: dict[str, Any] = {
        "base_fee": draw(st.sampled_from([Decimal(0), Decimal("8.90")])),
        "base_fee_per": draw(st.sampled_from(["month", "year"])),
        "further_fees": draw(st.sampled_from([(), (Fee("grid", Decimal("73.0"), "year"),)])),
    }
    if kind == "gross":
        return Contract(begins=begins, energy_price=draw(prices), feed_in=draw(prices), **fees)
    share = SpotShare("DE-LU", Decimal("1.03"), Decimal("0.97"), is_hourly=draw(st.booleans()))
    unpaid = SpotShare("DE-LU", Decimal(0), Decimal(0), unpaid_when_negative=True)
    energy = {
        "fixed": Tariff(draw(prices)),
        "windows": Tariff(draw(prices), draw(window_lists())),
        "spot": Tariff(draw(prices), spot=share),
        "registers": Tariff(registers=((HIGH, draw(prices)), (LOW, draw(prices)))),
    }[kind]
    grids = [Tariff(Decimal("0.0912"))]
    grids += [Tariff(Decimal("0.0912"), draw(window_lists()))] if kind != "registers" else []
    levies = ((2025, (("tax", Decimal("0.0205")), ("kwkg", Decimal("0.00277")))), (2026, (("tax", Decimal("0.021")),)))
    return Contract(
        begins=begins,
        terms=Terms(
            energy=energy,
            grid=draw(st.sampled_from(grids)),
            feed_in=draw(st.sampled_from([Tariff(), Tariff(Decimal("0.08")), Tariff(Decimal("0.08"), spot=unpaid)])),
            levies=draw(st.sampled_from([(), levies])),
            vat_percent=draw(st.sampled_from([Decimal(0), Decimal(19), Decimal("8.1")])),
        ),
        **fees,
    )


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Household, list[Contract], list[int]]:
    house = draw(households())
    first_day = clock_of(house.first).date()
    days = sorted(draw(st.sets(st.integers(-2, 4), min_size=1, max_size=3)))
    chosen = [draw(contracts(first_day + timedelta(days=day))) for day in days]
    cuts = draw(st.sets(st.integers(house.first - 10, house.end + 10), min_size=2, max_size=6))
    return house, chosen, sorted(cuts)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder: Path = tmp_path_factory.mktemp("random")
    store = Store(f"sqlite:///{folder}/iskra.sqlite")
    yield store
    store.close()


def bill_of(meter: RecordedMeter, chosen: Sequence[Contract], spot: Spot) -> Bill:
    return Bill(meter, chosen, NOW, BERLIN, spot)


def agrees(amount: Amount, plain: Sum) -> None:
    assert Fraction(amount.imported) == plain.imported
    assert Fraction(amount.exported) == plain.exported
    assert Fraction(amount.unpriced_import_wh) == plain.unpriced_import
    assert Fraction(amount.unpriced_export_wh) == plain.unpriced_export
    assert amount.base == plain.fees
    assert amount.imported == amount.parts.total


def check_bill(shared: Store, world: tuple[Household, list[Contract], list[int]]) -> None:
    house, chosen, edges = world
    meter = house.stored(shared)
    amounts, total = bill_of(meter, chosen, house.spot).costs(edges)
    sums, whole = Plain(house, chosen).costs(edges)
    for amount, plain in zip(amounts, sums, strict=True):
        assert (amount is not None) == bool(plain.measured)
        if amount is not None:
            agrees(amount, plain)
    agrees(total, whole)


def check_comparison(shared: Store, house: Household, one: Contract, other: Contract) -> None:
    meter = house.stored(shared)
    span = house.first, max(quarter for quarter in range(house.first, house.end + 1) if quarter not in house.missing)
    if span[0] == span[1]:
        return
    answer = compare(meter, [one, other], span, house.spot, BERLIN)
    for cost in answer.contracts:
        _, whole = Plain(house, [cost.contract]).costs(span)
        assert cost.total.total == whole.imported - whole.exported + whole.fees
        assert cost.total.unpriced_import_wh == whole.unpriced_import
        assert cost.total.unpriced_export_wh == whole.unpriced_export
        bill = bill_of(meter, [cost.contract], house.spot).total(*span)
        assert Fraction(bill.imported - bill.exported) + bill.base == cost.total.total
        assert bill.total == bill.imported - bill.exported + round_fraction(bill.base)


EVER = date(2024, 1, 1)
# shrinking one of these takes minutes; the message names all that is needed
many = settings(suppress_health_check=list(HealthCheck), deadline=None, phases=[Phase.generate])


@settings(many, max_examples=15)
@given(worlds())
def test_a_bill_is_what_its_quarters_cost(shared: Store, world: tuple[Household, list[Contract], list[int]]) -> None:
    check_bill(shared, world)


@settings(many, max_examples=15)
@given(households(), contracts(EVER), contracts(EVER))
def test_a_comparison_and_the_bill_cost_what_the_quarters_do(
    shared: Store, house: Household, one: Contract, other: Contract
) -> None:
    check_comparison(shared, house, one, other)


@pytest.mark.slow
@settings(many, max_examples=1000)
@given(worlds(), contracts(EVER), contracts(EVER))
def test_thousands_of_them(
    shared: Store, world: tuple[Household, list[Contract], list[int]], one: Contract, other: Contract
) -> None:
    check_bill(shared, world)
    check_comparison(shared, world[0], one, other)
