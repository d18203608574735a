"""Virtual meters in history: the balance of a cascade over random data, gaps, and replaced parts.

grid --- Z1 --- heat pump --- Z2 --- household, solar
"""

from collections.abc import Iterator
from decimal import Decimal
from itertools import count, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from history.entries import QUARTER, quarter_reading
from iskra_server.history.model.energy import Energies, energy_in_buckets
from iskra_server.history.model.records import EpochStart, Exact, MeterInfo, QuarterReading, Record
from iskra_server.history.store.counter_history import CounterHistory
from iskra_server.history.store.recorded_meter import RecordedMeter, recorded_meter, virtual_infos
from iskra_server.history.store.store import Store
from iskra_server.meter.obis import Obis
from iskra_server.meter.virtual_meter import MeterPart, VirtualMeter
from samples import EXPORT, IMPORT
from trying import tries

NUMBERS = count(10_000_000)


def new_meter(**changes: object) -> MeterInfo:
    number = next(NUMBERS)
    meter_id, server_id = f"1 ISK 00 {number}", f"090149534b00{number:08x}"
    info = MeterInfo(meter_id, server_id, simulated=False, first_s=QUARTER * 900, last_s=QUARTER * 900 + 90_000)
    return replace(info, **changes)


def difference(first: MeterInfo, second: MeterInfo) -> VirtualMeter:
    return VirtualMeter("Heat pump", (MeterPart(first.meter_id, 1), MeterPart(second.meter_id, -1)))


def opened(store: Store, *virtual: VirtualMeter) -> RecordedMeter:
    """The first virtual meter."""
    store.virtual = lambda: virtual
    meter = recorded_meter(store, [virtual[0].id])
    assert meter is not None
    return meter


def readings(
    meter: MeterInfo, obis: Obis, raws: dict[int, int], epochs: dict[int, int] | None = None
) -> list[QuarterReading]:
    return [
        replace(quarter_reading(QUARTER + at, raw, obis, meter), epoch=(epochs or {}).get(at, 0))
        for at, raw in raws.items()
    ]


def energies(counter: CounterHistory, edges: range) -> Energies:
    return energy_in_buckets(edges, counter.look_up, counter.nearest_before, counter.nearest_after, counter.epochs)


class House(Struct):
    """Each quarter, in 0.1 Wh: the household draws, then its solar delivers; the pump runs in both halves."""

    pump: list[int]
    household: list[int]
    solar: list[int]
    # of both meters, the quarters without a reading; and when the counter of the first one restarted
    missing: tuple[set[int], set[int]]
    restart: int

    def energies(self) -> list[tuple[int, int, int, int]]:
        """Of each quarter Z1.in, Z1.out, Z2.in, Z2.out."""
        shares = []
        for pump, household, solar in zip(self.pump, self.household, self.solar, strict=True):
            during_sun = pump - solar
            shares.append((pump + household + max(during_sun, 0), max(-during_sun, 0), household, solar))
        return shares

    def counters(self, place: int) -> list[int]:
        shown = [1000]
        for energy in self.energies():
            shown.append(shown[-1] + energy[place])
        return shown

    def records(self, first: MeterInfo, second: MeterInfo) -> Iterator[Record]:
        for place, (meter, obis) in enumerate([(first, IMPORT), (first, EXPORT), (second, IMPORT), (second, EXPORT)]):
            shown = self.counters(place)
            missing = self.missing[place // 2]
            at = self.restart if meter is first else len(shown)
            old = {quarter: shown[quarter] for quarter in range(at) if quarter not in missing}
            new = {quarter: shown[quarter] - shown[at] for quarter in range(at, len(shown)) if quarter not in missing}
            yield from readings(meter, obis, old)
            yield from readings(meter, obis, new, dict.fromkeys(new, 1))
            if meter is first and at < len(shown):
                at_s = (QUARTER + at) * 900
                yield EpochStart(meter.meter_id, obis, 1, at_s, Exact(shown[at], -1), Exact(0, -1))


@st.composite
def houses(draw: st.DrawFn) -> House:
    length = draw(st.integers(2, 24))
    wh = st.lists(st.integers(0, 20_000), min_size=length, max_size=length)
    missing = st.sets(st.integers(0, length), max_size=length // 2)
    return House(draw(wh), draw(wh), draw(wh), (draw(missing), draw(missing)), draw(st.integers(1, length + 1)))


# one database for all examples: its meters are others each time
@pytest.fixture(scope="module")
def one_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('virtual')}/iskra.sqlite")
    yield store
    store.close()


@given(house=houses())
@tries(0.1)
def test_a_cascade_is_balanced_in_every_quarter(one_store: Store, house: House) -> None:
    first, second = new_meter(), new_meter()
    one_store.write(list(house.records(first, second)), [first, second])
    meter = opened(one_store, difference(first, second))
    length = len(house.pump)
    both = [at for at in range(length + 1) if not any(at in missing for missing in house.missing)]
    edges = range(QUARTER, QUARTER + length + 1)
    bought, exported = energies(meter.counter(IMPORT), edges), energies(meter.counter(EXPORT), edges)
    for at, (into, out) in enumerate(zip(bought.buckets, exported.buckets, strict=True)):
        if at not in both or at + 1 not in both:
            assert (into.energy_wh, out.energy_wh) == (None, None)
            continue
        if at + 1 == house.restart:
            # the first meter has not measured all of it
            assert into.energy_wh == out.energy_wh == 0
            continue
        first_in, first_out, second_in, second_out = house.energies()[at]
        assert into.energy_wh is not None
        assert out.energy_wh is not None
        # bought at the price of heat; own solar used by the pump is an export below 0
        assert into.energy_wh * 10 == first_in - second_in >= 0
        assert -out.energy_wh * 10 == second_out - first_out >= 0
        assert (into.energy_wh - out.energy_wh) * 10 == 2 * house.pump[at]
    known = sum(bucket.energy_wh or 0 for bucket in bought.buckets) + sum(gap.energy_wh for gap in bought.gaps)
    assert known == (bought.total_wh or 0)
    if len(both) > 1:
        spans = [(one, other) for one, other in pairwise(both) if not one < house.restart <= other]
        counted = [house.energies()[at] for one, other in spans for at in range(one, other)]
        assert bought.total_wh == Decimal(sum(energy[0] - energy[2] for energy in counted)) / 10


@given(house=houses())
@tries(0.06)
def test_all_ways_to_read_it_agree(one_store: Store, house: House) -> None:
    first, second = new_meter(), new_meter()
    one_store.write(list(house.records(first, second)), [first, second])
    counter = opened(one_store, difference(first, second)).counter(EXPORT)
    quarters = range(QUARTER - 2, QUARTER + len(house.pump) + 3)
    shown = counter.look_up(quarters)
    assert list(shown.values()) == list(counter.between(quarters[0], quarters[-1] + 1))
    for quarter in quarters:
        before, after = counter.nearest_before(quarter), counter.nearest_after(quarter)
        assert before == next(
            (shown[other] for other in reversed(quarters) if other < quarter and other in shown), None
        )
        assert after == next((shown[other] for other in quarters if other > quarter and other in shown), None)
    column = counter.column(quarters[0], quarters[-1])
    assert (column is None) is (not shown)
    if column:
        pairs = [(one, other) for one, other in pairwise(shown.values()) if other.quarter == one.quarter + 1]
        assert [at for at, is_known in enumerate(column.measured()) if is_known] == [
            one.quarter - quarters[0] for one, _ in pairs
        ]
        for one, other in pairs:
            # over an epoch start nothing is counted
            if one.epoch != other.epoch:
                assert column.raws[one.quarter - quarters[0]] == 0
                continue
            energy = Decimal(column.raws[one.quarter - quarters[0]]).scaleb(column.scaler)
            assert energy == other.value.decimal - one.value.decimal


def test_a_quarter_without_one_part_is_absent_and_its_gap_has_the_sum(store: Store) -> None:
    first, second = new_meter(), new_meter()
    store.write(
        [
            *readings(first, IMPORT, {at: 100 * at for at in range(6)}),
            *readings(second, IMPORT, {0: 0, 1: 10, 4: 40, 5: 50}),
        ],
        [first, second],
    )
    found = energies(opened(store, difference(first, second)).counter(IMPORT), range(QUARTER, QUARTER + 6))
    assert [bucket.energy_wh for bucket in found.buckets] == [9, None, None, None, 9]
    assert [(gap.begin - QUARTER, gap.end - QUARTER, int(gap.energy_wh)) for gap in found.gaps] == [(1, 4, 27)]


def test_a_replaced_part_is_carried_on(sqlite: Store) -> None:
    first, old, new = new_meter(), new_meter(), new_meter()
    sqlite.write(
        [
            *readings(first, IMPORT, {at: 100 * at for at in range(8)}),
            *readings(old, IMPORT, {at: 5000 + 10 * at for at in range(5)}),
            *readings(new, IMPORT, {at: 10 * (at - 4) for at in range(4, 8)}),
        ],
        [first, old, new],
    )
    sqlite.replace_meter(old.meter_id, new.meter_id)
    found = energies(opened(sqlite, difference(first, new)).counter(IMPORT), range(QUARTER, QUARTER + 8))
    # the old one has not measured until the new one began: nothing is counted meanwhile
    assert [bucket.energy_wh for bucket in found.buckets] == [9, 9, 9, 0, 9, 9, 9]
    assert [mark.at_s for mark in found.epochs] == [(QUARTER + 4) * 900]


def test_a_small_negative_result_stays(sqlite: Store) -> None:
    first, second = new_meter(), new_meter()
    sqlite.write([*readings(first, IMPORT, {0: 0, 1: 10}), *readings(second, IMPORT, {0: 0, 1: 12})], [first, second])
    found = energies(opened(sqlite, difference(first, second)).counter(IMPORT), range(QUARTER, QUARTER + 2))
    assert found.total_wh == Decimal("-0.2")


@pytest.mark.parametrize(
    ("signs", "exporting", "expected"),
    [
        # a meter without 2.8.0 exports nothing
        ((1, -1), (0,), True),
        # nobody knows what flows past the first one
        ((1, -1), (1,), False),
        ((1, 1), (1,), True),
        ((1, -1), (0, 1), True),
        ((1, -1), (), False),
    ],
)
def test_export_counts_where_it_is_clear(
    sqlite: Store, signs: tuple[int, int], exporting: tuple[int, ...], expected: bool
) -> None:
    meters = new_meter(), new_meter()
    for place, meter in enumerate(meters):
        sqlite.write(readings(meter, IMPORT, {0: 0, 1: 10}), [meter])
        if place in exporting:
            sqlite.write(readings(meter, EXPORT, {0: 0, 1: 10}), [meter])
    parts = tuple(MeterPart(meter.meter_id, sign) for meter, sign in zip(meters, signs, strict=True))
    found = opened(sqlite, VirtualMeter("Both", parts))
    assert (EXPORT in found.series()) is expected
    assert (found.counter(EXPORT).nearest_before(QUARTER + 9) is not None) is expected


def test_its_power_is_that_of_its_energy(sqlite: Store) -> None:
    first, second = new_meter(), new_meter()
    sqlite.write(
        [
            *readings(first, IMPORT, {0: 0, 1: 1000, 2: 1000}),
            *readings(first, EXPORT, {0: 0, 1: 0, 2: 40}),
            *readings(second, IMPORT, {0: 0, 1: 200, 2: 200}),
            *readings(second, EXPORT, {0: 0, 1: 0, 2: 100}),
        ],
        [first, second],
    )
    powers = opened(sqlite, difference(first, second)).power_between(QUARTER, QUARTER + 5)
    assert [(power.quarter - QUARTER, power.min_mw, power.mean_mw, power.max_mw) for power in powers] == [
        (0, 320_000, 320_000, 320_000),
        (1, 24_000, 24_000, 24_000),
    ]


def test_it_has_no_power_while_its_export_is_unknown(sqlite: Store) -> None:
    first, second = new_meter(), new_meter()
    sqlite.write(readings(first, IMPORT, {0: 0, 1: 1000}), [first])
    sqlite.write([*readings(second, IMPORT, {0: 0, 1: 200}), *readings(second, EXPORT, {0: 0, 1: 900})], [second])
    assert opened(sqlite, difference(first, second)).power_between(QUARTER, QUARTER + 5) == []


def test_no_meter_counts_twice_under_two_names(sqlite: Store) -> None:
    old, new, other = new_meter(), new_meter(port="/dev/ttyUSB0"), new_meter()
    sqlite.write([], [old, new, other])
    sqlite.replace_meter(old.meter_id, new.meter_id)
    named = MeterPart("Z1", 1, "", "/dev/ttyUSB0")
    numbered, before = MeterPart(new.meter_id, 1), MeterPart(old.meter_id, 1)
    sqlite.virtual = lambda: [VirtualMeter("Both", parts) for parts in ((named, numbered), (named, before))]
    assert virtual_infos(sqlite) == []
    assert opened(sqlite, VirtualMeter("Both", (named, MeterPart(other.meter_id, 1))))


def test_it_is_known_while_all_its_parts_are(sqlite: Store) -> None:
    first, second = new_meter(), new_meter(first_s=QUARTER * 900 + 60, last_s=QUARTER * 900 + 70)
    sqlite.write([], [first])
    sqlite.virtual = lambda: [difference(first, second)]
    assert recorded_meter(sqlite, ["Heat pump"]) is None
    assert virtual_infos(sqlite) == []
    sqlite.write([], [second])
    meter = recorded_meter(sqlite, ["nobody", "heatpump"])
    assert meter
    assert (meter.id, meter.simulated, meter.first_s, meter.series()) == ("Heat pump", False, second.first_s, [])
    assert meter.chain == [first.meter_id, second.meter_id]
    assert [(info.meter_id, info.first_s, info.last_s) for info in virtual_infos(sqlite)] == [
        ("Heat pump", second.first_s, second.last_s)
    ]
    with sqlite.snapshot() as reads:
        assert recorded_meter(reads, ["Heat pump"]) is not None


def test_a_part_is_found_where_it_was_read_last(sqlite: Store) -> None:
    first, second, old = (
        new_meter(port="/dev/ttyUSB0"),
        new_meter(),
        new_meter(port="/dev/ttyUSB0", last_s=QUARTER * 900),
    )
    sqlite.write([], [old, first, second])
    parts = MeterPart("Z1", 1, "", "/dev/ttyUSB0"), MeterPart("Z2", -1, second.meter_id, "/dev/ttyUSB1")
    assert opened(sqlite, VirtualMeter("Heat pump", parts)).chain == [first.meter_id, second.meter_id]
    sqlite.virtual = lambda: [VirtualMeter("Heat pump", (MeterPart("Z1", 1, "", "/dev/ttyUSB7"),))]
    assert recorded_meter(sqlite, ["Heat pump"]) is None


def test_a_real_meter_of_this_name_is_never_hidden(sqlite: Store) -> None:
    first, second, real = new_meter(), new_meter(), replace(new_meter(), meter_id="Heat pump")
    sqlite.write([], [first, second, real])
    sqlite.virtual = lambda: [difference(first, second)]
    found = recorded_meter(sqlite, ["Heat pump"])
    assert found
    assert found.chain == ["Heat pump"]
