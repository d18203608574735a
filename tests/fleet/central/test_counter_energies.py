"""The energy of counters in a period; fleet/central/test_rollups.py compares it with the single-meter routes."""

import pytest
from msgspec.structs import replace

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
