"""Energy of one meter between two moments: the one rule of sums, statements and allocation."""

from collections.abc import Iterable
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from history.entries import METER, OTHER, QUARTER
from iskra_server.history.model.energy import Gap, energy_in_buckets
from iskra_server.history.model.records import EpochStart, Exact, MeterInfo, Quality, QuarterReading
from iskra_server.history.store.counter_history import CounterHistory, ordered_chain
from iskra_server.history.store.metered_energy import MeteredEnergy, metered_energy, open_gaps
from iskra_server.history.store.readings_in_memory import ReadingsInMemory
from iskra_server.history.store.store import Store
from samples import IMPORT

END = QUARTER + 10


def reading(
    quarter: int, raw: int, *, meter: MeterInfo = METER, quality: Quality = "measured", epoch: int = 0
) -> QuarterReading:
    return QuarterReading(meter.meter_id, IMPORT, quarter, Exact(raw, -1), quality, epoch)


def counter_of(store: Store, meter: MeterInfo) -> CounterHistory:
    return CounterHistory(store, ordered_chain(meter.meter_id, store.meters()), IMPORT)


def energy(store: Store, begin: int = QUARTER, end: int = END, meter: MeterInfo = METER) -> MeteredEnergy:
    return metered_energy(ReadingsInMemory(counter_of(store, meter), begin, end), begin, end)


def around(store: Store, of: MeteredEnergy) -> list[Gap]:
    return list(open_gaps(counter_of(store, METER), of))


def write(store: Store, quarters: Iterable[int]) -> None:
    """A counter that counts 1 Wh a quarter."""
    store.write([reading(quarter, 10 * (quarter - QUARTER)) for quarter in quarters], [METER])


def test_of_a_complete_period(sqlite: Store) -> None:
    write(sqlite, range(QUARTER - 5, END + 6))
    of = energy(sqlite)
    assert (of.energy_wh, of.quarters, of.covered, of.measured, of.missing) == (Decimal(10), 10, 10, 10, 0)
    assert of.first and of.last
    assert (of.first.quarter, of.last.quarter, around(sqlite, of), of.is_complete) == (QUARTER, END, [], True)


def test_of_a_gap_inside_the_sum_is_known(sqlite: Store) -> None:
    write(sqlite, [*range(QUARTER, QUARTER + 4), *range(QUARTER + 7, END + 1)])
    of = energy(sqlite)
    assert (of.energy_wh, of.covered, of.measured, of.missing, of.is_complete) == (Decimal(10), 10, 6, 4, True)


def test_what_lies_over_an_edge_is_in_no_period_and_is_told(sqlite: Store) -> None:
    write(sqlite, [QUARTER - 1, *range(QUARTER + 2, END - 2), END + 4])
    of = energy(sqlite)
    assert (of.energy_wh, of.covered, of.measured, of.missing, of.is_complete) == (Decimal(5), 5, 5, 5, False)
    assert around(sqlite, of) == [Gap(QUARTER - 1, QUARTER + 2, Decimal(3)), Gap(END - 3, END + 4, Decimal(7))]


def test_a_period_inside_one_gap_has_no_energy(sqlite: Store) -> None:
    write(sqlite, [QUARTER - 1, END + 1])
    of = energy(sqlite)
    assert (of.energy_wh, of.first, of.last, of.covered, of.measured) == (None, None, None, 0, 0)
    assert around(sqlite, of) == [Gap(QUARTER - 1, END + 1, Decimal(12))]


@pytest.mark.parametrize("quarters", [[], [QUARTER + 3], [QUARTER - 9], [END + 9]])
def test_without_two_readings_there_is_no_number(sqlite: Store, quarters: list[int]) -> None:
    write(sqlite, quarters)
    of = energy(sqlite)
    assert (of.energy_wh, of.measured, of.missing, around(sqlite, of)) == (None, 0, 10, [])


def test_quarters_beside_an_interpolated_reading_are_estimated(store: Store) -> None:
    write(store, range(QUARTER, QUARTER + 5))
    store.write([reading(QUARTER + 5, 50, quality="interpolated"), reading(QUARTER + 6, 60, quality="interpolated")])
    assert energy(store).estimated == 2
    store.write([reading(QUARTER + 7, 70)])
    assert energy(store).estimated == 3
    # the edge of a gap is not: the quarter beside it has no energy of its own
    store.write([reading(END, 100, quality="interpolated")])
    assert energy(store).estimated == 3


def test_a_replacement_and_a_restart_are_passed_over(sqlite: Store) -> None:
    """The old meter to quarter 4, the new one from 5 on, which restarts at 8: only what was measured counts."""
    sqlite.write([reading(QUARTER + at, 1000 + 10 * at) for at in range(5)], [METER])
    new = [reading(QUARTER + at, 7 + 10 * (at - 5), meter=OTHER) for at in range(5, 8)]
    restarted = [reading(QUARTER + at, 10 * (at - 8), meter=OTHER, epoch=1) for at in range(8, 11)]
    start = EpochStart(OTHER.meter_id, IMPORT, 1, (QUARTER + 8) * 900 - 60, Exact(30, -1), Exact(0, -1))
    sqlite.write([*new, *restarted, start], [OTHER])
    sqlite.replace_meter(METER.meter_id, OTHER.meter_id)
    of = energy(sqlite, meter=OTHER)
    # 4 Wh of the old meter; 2 Wh of the new one, 0.3 Wh until it restarted, 2 Wh after it
    assert (of.energy_wh, of.covered) == (Decimal("8.3"), 10)
    assert energy(sqlite).energy_wh == Decimal(4)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(known=st.sets(st.integers(-3, 13)), begin=st.integers(0, 4), length=st.integers(1, 6))
def test_it_is_what_the_routes_of_one_meter_say(sqlite: Store, known: set[int], begin: int, length: int) -> None:
    meter = replace(METER, meter_id=f"meter {sorted(known)}")
    sqlite.write([reading(QUARTER + at, 10 * at, meter=meter) for at in known], [meter])
    first, end = QUARTER + begin, QUARTER + begin + length
    counter = CounterHistory(sqlite, [meter.meter_id], IMPORT)
    route = energy_in_buckets(
        [first, end], counter.look_up, counter.nearest_before, counter.nearest_after, counter.epochs
    )
    of = energy(sqlite, first, end, meter)
    assert (of.energy_wh, set(open_gaps(counter, of))) == (route.total_wh, set(route.gaps))
    assert of.measured <= of.covered <= of.quarters
    assert of.is_complete is ({begin, begin + length} <= known)
    assert of.energy_wh is None or of.energy_wh == of.covered
    assert of.measured == sum({at, at + 1} <= known for at in range(begin, begin + length))
