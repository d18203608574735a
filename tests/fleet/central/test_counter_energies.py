"""The energy of counters in a period; fleet/central/test_rollups.py compares it with the single-meter routes."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from fleet.sums import count_statements
from history.entries import METER, OTHER, QUARTER, quarter_reading
from iskra_server.fleet.central.counter_energies import counter_energies
from iskra_server.history.model.records import EpochStart, Exact, Record
from iskra_server.history.store.rollup_marks import QuarterSpan
from iskra_server.history.store.store import Store
from samples import EXPORT, IMPORT

DAY = QuarterSpan(QUARTER, QUARTER + 96)


def ids(store: Store) -> dict[str, int]:
    with store.transaction() as connection:
        return store.meter_row_ids(connection, [METER.meter_id, OTHER.meter_id])


def test_registers_of_a_meter_with_what_is_missing(store: Store) -> None:
    records: list[Record] = [quarter_reading(quarter, 10 * quarter) for quarter in range(DAY.begin, DAY.end + 1)]
    records += [quarter_reading(DAY.begin + at, at, EXPORT) for at in (1, 2, 4)]
    # one reading alone measures nothing
    records += [quarter_reading(meter=OTHER)]
    store.write(records, [METER, OTHER])
    imported, exported = sorted(counter_energies(store, ids(store).values(), DAY), key=lambda each: each.series)
    assert (imported.value, imported.quarters, imported.is_whole) == (Exact(960, -1), 96, True)
    assert (exported.value, exported.quarters, exported.is_whole) == (Exact(3, -1), 1, False)
    assert not exported.begin_known and not exported.end_known
    assert [each.series for each in counter_energies(store, ids(store).values(), DAY, [EXPORT])] == [exported.series]


def test_nothing_is_counted_over_a_restart(store: Store) -> None:
    start = EpochStart(METER.meter_id, IMPORT, 1, (DAY.begin + 1) * 900 + 5, Exact(1050, -1), Exact(0, 0))
    after = replace(quarter_reading(DAY.begin + 2, 30), quality="interpolated", epoch=1)
    store.write([quarter_reading(DAY.begin, 1000), quarter_reading(DAY.begin + 1, 1040), start, after], [METER])
    (energy,) = counter_energies(store, ids(store).values(), DAY)
    assert energy.value.decimal == 8
    assert (energy.quarters, energy.estimated, energy.begin_known) == (2, 1, True)


def test_a_restart_counts_where_a_reader_goes_on_with_the_older_number(store: Store) -> None:
    """No reading has the number of the epoch that began: time decides, as for the meter's own route."""
    start = EpochStart(METER.meter_id, IMPORT, 1, (DAY.begin + 1) * 900 + 5, Exact(1050, -1), Exact(0, 0))
    rows = [quarter_reading(DAY.begin + at, raw) for at, raw in ((0, 1000), (1, 1040), (2, 30))]
    store.write([*rows, start], [METER])
    (energy,) = counter_energies(store, ids(store).values(), DAY)
    assert energy.value.decimal == 8


@pytest.mark.parametrize("asked", [METER, OTHER])
def test_a_chain_counts_once_for_its_newest_meter(store: Store, asked: object) -> None:
    old = [quarter_reading(DAY.begin + at, 100 + at) for at in (0, 1, 2, 90)]
    new = [quarter_reading(DAY.begin + at, at, meter=OTHER) for at in (5, 6, 96)]
    store.write([*old, *new], [METER, OTHER])
    store.replace_meter(METER.meter_id, OTHER.meter_id)
    numbers = ids(store)
    (energy,) = counter_energies(store, [numbers[asked.meter_id]], DAY)  # type: ignore[attr-defined]
    assert (energy.meter, energy.value, energy.quarters) == (numbers[OTHER.meter_id], Exact(93, -1), 3)
    assert energy.begin_known and energy.end_known
    # its first reading at the end of a period begins the next one
    (before,) = counter_energies(store, numbers.values(), QuarterSpan(DAY.begin, DAY.begin + 5))
    assert (before.meter, before.value, before.end_known) == (numbers[METER.meter_id], Exact(2, -1), True)


def test_counters_that_restarted_or_were_replaced_before_are_read_at_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many statements for eight of each as for one of each."""
    restarted = [replace(METER, meter_id=f"1 ISK 00 {place:08}") for place in range(1, 10)]
    replaced = [replace(METER, meter_id=f"2 ISK 00 {place:08}") for place in range(1, 10)]
    for place, (one, other) in enumerate(zip(restarted, replaced, strict=True)):
        old = replace(METER, meter_id=f"3 ISK 00 {place:08}")
        start = EpochStart(one.meter_id, IMPORT, 1, (DAY.begin + 1) * 900 + 5, Exact(1050, -1), Exact(0, -1))
        rows: list[Record] = [quarter_reading(DAY.begin + at, 1000 + 40 * at, meter=one) for at in range(2)]
        rows += [replace(quarter_reading(DAY.begin + 2, 30, meter=one), epoch=1), start]
        rows += [quarter_reading(DAY.begin + at, 7 * at, meter=other) for at in range(3)]
        rows.append(quarter_reading(DAY.begin - 1, 99, meter=old))
        store.write(rows, [one, other, old])
        store.replace_meter(old.meter_id, other.meter_id)
    with store.transaction() as connection:
        numbers = store.meter_row_ids(connection, [info.meter_id for info in (*restarted, *replaced)])
    asked = count_statements(monkeypatch)
    first = [numbers[info.meter_id] for info in (restarted[0], replaced[0])]
    found = list(counter_energies(store, first, DAY))
    count = len(asked)
    assert [(energy.meter, energy.value.decimal, energy.quarters) for energy in found] == [
        (first[0], 8, 2),
        (first[1], Decimal("1.4"), 2),
    ]
    others = [number for number in numbers.values() if number not in first]
    found = list(counter_energies(store, others, DAY))
    assert {energy.meter for energy in found} == set(others)
    assert sum(energy.value.decimal for energy in found) == 8 * Decimal("9.4")
    assert len(asked) == 2 * count
