import pytest
from msgspec import structs
from sqlalchemy import insert, select

from history.entries import AT_S, METER, OTHER, QUARTER, block, epoch, power, quarter_reading
from iskra_server.history.model.records import QUARTER_S, ClockStep, EpochStart, Exact, Record
from iskra_server.history.store.checkup import (
    ImpossibleRows,
    clock_steps,
    delete_set_aside,
    find_impossible,
    list_restorable,
    list_set_aside,
    put_back,
    repair,
)
from iskra_server.history.store.schema import rollup_due, rollup_state
from iskra_server.history.store.store import Store
from samples import EXPORT, IMPORT, METER_ID

YEAR = 365 * 96
AHEAD_S = AT_S + YEAR * QUARTER_S
NOW_S = AT_S + 3600


def spoilt(store: Store) -> Store:
    """An hour that is right, a day of a clock that was a year ahead, and some minutes of 1970."""
    right: list[Record] = [*(quarter_reading(QUARTER + k, 1000 + k) for k in range(4)), power(QUARTER + 1), block(AT_S)]
    ahead: list[Record] = [
        *(quarter_reading(QUARTER + YEAR + k, 2000 + k) for k in range(96)),
        power(QUARTER + YEAR),
        block(AHEAD_S),
    ]
    before: list[Record] = [quarter_reading(1, 10), power(1), block(900)]
    seen = structs.replace(METER, first_s=900, last_s=AHEAD_S + 86_400)
    store.write([*right, *ahead, *before, epoch(1)], [seen])
    store.write([EpochStart(METER_ID, EXPORT, 2, AHEAD_S, None, Exact(1, 0))], [])
    return store


def test_rows_of_a_wrong_clock_are_found_and_counted(store: Store) -> None:
    found = find_impossible(spoilt(store), NOW_S)
    last_s = AHEAD_S + 95 * QUARTER_S
    assert found == [
        ImpossibleRows(METER_ID, "boundary", 97, 900, last_s),
        ImpossibleRows(METER_ID, "power", 2, 900, AHEAD_S),
        ImpossibleRows(METER_ID, "points", 2, 959, AHEAD_S + 59),
        ImpossibleRows(METER_ID, "epoch", 1, AHEAD_S, AHEAD_S),
    ]


def test_repair_sets_them_aside_and_leaves_the_right_rows(store: Store) -> None:
    assert repair(spoilt(store), NOW_S) == 102
    assert find_impossible(store, NOW_S) == []
    assert [each.quarter - QUARTER for each in store.quarter_readings_between(METER_ID, IMPORT, 0, 2**31 - 1)] == [
        0,
        1,
        2,
        3,
    ]
    assert store.power_between(METER_ID, 0, 2**31 - 1) == [power(QUARTER + 1)]
    assert [each.first_s for each in store.points_between(METER_ID, 0, 2**40)] == [AT_S]
    # an epoch is never lost: what follows belongs to it
    assert [(each.epoch, each.at_s) for each in store.epochs(METER_ID, EXPORT)] == [(1, AT_S + 1), (2, NOW_S)]
    (meter,) = store.meters()
    assert (meter.first_s, meter.last_s) == (AT_S, AT_S + 3 * QUARTER_S)
    assert sum(each.count for each in list_set_aside(store)) == 102
    assert repair(store, NOW_S) == 0


def test_rows_set_aside_can_be_deleted(store: Store) -> None:
    repair(spoilt(store), NOW_S)
    assert (delete_set_aside(store), list_set_aside(store), delete_set_aside(store)) == (102, [], 0)
    assert len(store.quarter_readings_between(METER_ID, IMPORT, 0, 2**31 - 1)) == 4


def test_rows_set_aside_by_a_clock_that_was_behind_come_back_unchanged(store: Store) -> None:
    begun = EpochStart(METER_ID, IMPORT, 1, AT_S + 3 * QUARTER_S, None, Exact(1, 0))
    store.write([*(quarter_reading(QUARTER + k, 1000 + k) for k in range(6)), power(QUARTER + 4), begun], [METER])
    store.write([block(AT_S + 4 * QUARTER_S)], [structs.replace(METER, last_s=AT_S + 5 * QUARTER_S)])
    before = everything(store)
    # an hour of it is in the future by this clock
    assert repair(store, AT_S) > 0
    assert everything(store) != before
    assert list_restorable(store, AT_S) == []
    assert (put_back(store, AT_S), everything(store) == before) == (0, False)
    count = sum(each.count for each in list_set_aside(store))
    later_s = NOW_S + 3600
    assert sum(each.count for each in list_restorable(store, later_s)) == count
    assert (put_back(store, later_s), list_set_aside(store), put_back(store, later_s)) == (count, [], 0)
    assert everything(store) == before


def test_rows_recorded_since_stay_when_the_others_are_put_back(store: Store) -> None:
    store.write([quarter_reading(QUARTER, 1000), quarter_reading(QUARTER + 4, 1004)], [METER])
    repair(store, AT_S)
    store.write([quarter_reading(QUARTER + 4, 1005)], [METER])
    assert put_back(store, NOW_S) == 1
    assert [each.value.raw for each in store.quarter_readings_between(METER_ID, IMPORT, 0, 2**31 - 1)] == [1000, 1005]


def test_the_days_of_rows_that_are_put_back_are_summed_anew(store: Store) -> None:
    store.write([quarter_reading(QUARTER + k, 1000 + k) for k in range(6)], [METER])
    repair(store, AT_S)
    with store.transaction() as connection:
        state = {"zone": "Europe/Berlin", "since_quarter": QUARTER - 960, "open_quarter": QUARTER + 960}
        connection.execute(insert(rollup_state).values(state))
    assert put_back(store, NOW_S + 3600)
    assert {row.begin_quarter <= QUARTER + 5 < row.end_quarter for row in store.query(select(rollup_due))} == {True}


def everything(store: Store) -> object:
    return (
        store.quarter_readings_between(METER_ID, IMPORT, 0, 2**31 - 1),
        store.power_between(METER_ID, 0, 2**31 - 1),
        store.points_between(METER_ID, 0, 2**40),
        store.epochs(METER_ID, IMPORT),
        store.meters(),
    )


def test_a_history_that_is_right_has_nothing_odd(store: Store) -> None:
    store.write([quarter_reading(), power(), block(), epoch(1)], [METER, OTHER])
    assert (find_impossible(store, AT_S + 60), repair(store, AT_S + 60), list_set_aside(store)) == ([], 0, [])


def test_a_step_of_the_clock_sets_aside_rows_recorded_before_it_only(store: Store) -> None:
    """In one batch, as after a time without a database."""
    step = ClockStep(AHEAD_S, AT_S + 900, "stepped")
    later = [quarter_reading(QUARTER + k, 3000 + k) for k in range(1, 9)]
    store.write([quarter_reading(QUARTER, 1000), quarter_reading(QUARTER + YEAR, 2000), step, *later], [METER])
    assert [each.quarter - QUARTER for each in store.quarter_readings_between(METER_ID, IMPORT, 0, 2**31 - 1)] == list(
        range(9)
    )
    assert list_set_aside(store) == [ImpossibleRows(METER_ID, "boundary", 1, AHEAD_S, AHEAD_S)]
    assert clock_steps(store) == [ClockStep(AHEAD_S, AT_S + 900, "stepped")]


def test_a_step_that_is_written_again_sets_nothing_aside(store: Store) -> None:
    """As after a commit that may not have arrived, or from a disk that does not let go of what is delivered."""
    step = ClockStep(AHEAD_S, AT_S + 900, "stepped")
    batch: list[Record] = [
        quarter_reading(QUARTER, 1000),
        quarter_reading(QUARTER + YEAR, 2000),
        step,
        quarter_reading(QUARTER + 2, 3000),
    ]
    store.write(batch, [METER])
    store.write([quarter_reading(QUARTER + k, 3000 + k) for k in range(3, 9)], [METER])
    store.write(batch, [METER])
    quarters = [each.quarter - QUARTER for each in store.quarter_readings_between(METER_ID, IMPORT, 0, 2**31 - 1)]
    assert quarters == [0, *range(2, 9)]
    assert list_set_aside(store) == [ImpossibleRows(METER_ID, "boundary", 1, AHEAD_S, AHEAD_S)]
    assert len(clock_steps(store)) == 1


def test_a_step_that_is_written_late_leaves_rows_recorded_since(store: Store) -> None:
    """It lay in a place that another process had, or on a disk that was away."""
    ran_ahead, since = (
        quarter_reading(QUARTER + 8, 2000),
        [quarter_reading(QUARTER + 96 + k, 3000 + k) for k in range(4)],
    )
    store.write([quarter_reading(QUARTER, 1000), ran_ahead, *since], [METER])
    store.write([ClockStep(AT_S + 8 * QUARTER_S + 40, AT_S + 900, "stepped")], [])
    quarters = [each.quarter - QUARTER for each in store.quarter_readings_between(METER_ID, IMPORT, 0, 2**31 - 1)]
    assert quarters == [0, *range(96, 100)]


def test_a_step_that_waited_is_written_by_a_clock_that_is_not_set(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A computer without a clock starts with what its spool holds before anybody has set it."""
    store.write([quarter_reading(QUARTER + k, 1000 + k) for k in range(4)], [METER])
    monkeypatch.setattr("time.time", lambda: 40.0)
    step, later = (
        ClockStep(AHEAD_S, AT_S + 3600, "stepped"),
        [quarter_reading(QUARTER + k, 2000 + k) for k in range(5, 9)],
    )
    store.write([step, *later, block(AT_S + 8 * QUARTER_S)], [METER])
    assert len(store.quarter_readings_between(METER_ID, IMPORT, 0, 2**31 - 1)) == 8
    assert len(store.points_between(METER_ID, 0, 2**40)) == 1
    assert list_set_aside(store) == []


def test_history_continues_from_the_last_right_row(store: Store) -> None:
    spoilt(store)
    (exported, imported) = sorted(store.last_counters(NOW_S), key=lambda last: last.obis == IMPORT)
    assert (imported.value, imported.at_s) == (Exact(1003, -1), (QUARTER + 3) * QUARTER_S)
    assert (exported.epoch, exported.at_s) == (1, AT_S + 1)
    assert [each.first_s for each in store.last_points(NOW_S)] == [AT_S]
