"""A roll-up that differs from the quarters is found, marked and computed again."""

from sqlalchemy import insert, update

from fleet.central.test_rollup_refresh import METERS, SPANS, fill, refresh_all
from fleet.central.test_rollups import DAYS, check, name
from fleet.sums import due_count
from iskra_server.fleet.central.rollup_check import (
    RollupDifference,
    delete_roll_ups,
    differences,
    forget_roll_ups,
    mark_differences,
    rolled_up_spans,
)
from iskra_server.fleet.central.rollups import read_roll
from iskra_server.history.store.rollup_marks import QuarterSpan
from iskra_server.history.store.schema import rollup, rollup_part
from iskra_server.history.store.store import Store


def found(store: Store, since: int = 0, only: str | None = None) -> list[RollupDifference]:
    roll = read_roll(store)
    assert roll
    spans = rolled_up_spans(roll, since)
    return [each for span in spans for each in differences(store, roll, span, only)]


def test_what_differs_is_found_and_computed_again(store: Store) -> None:
    fill(store)
    refresh_all(store)
    assert found(store) == []
    with store.transaction() as connection:
        # the 22nd is the first of the days
        connection.execute(update(rollup).where(rollup.c.series == 2).values(energy_22=5))
        part = {"begin_quarter": DAYS[5], "end_quarter": DAYS[6], "series": 1, "raw": 1, "scaler": 0, "quarters": 1}
        connection.execute(insert(rollup_part).values(part | {"estimated": 0, "begin_known": True, "end_known": False}))
    wrong, invented = found(store)
    assert (wrong.meter_id, wrong.span) == (name(2), QuarterSpan(DAYS[0], DAYS[1]))
    assert wrong.stored and wrong.computed and (wrong.stored.value.raw, wrong.computed.value.raw) == (5, 192)
    assert (invented.meter_id, invented.computed) == (name(1), None)
    assert (found(store, DAYS[1]), found(store, only=name(2))) == ([invented], [wrong])
    mark_differences(store, [wrong, invented])
    # a day and its month, of two meters; sums are right from here on
    assert due_count(store)[0] == 4
    assert check(store, SPANS, DAYS[:3]) == 2
    assert found(store) == []
    refresh_all(store)
    assert found(store) == []
    assert due_count(store) == (0, None)


def test_everything_is_computed_anew(store: Store) -> None:
    fill(store)
    refresh_all(store)
    delete_roll_ups(store)
    assert read_roll(store) is None
    refresh_all(store)
    assert check(store, SPANS, DAYS[:3]) == 2
    assert len(METERS) == 3


def test_what_rested_on_forgotten_months_is_computed_from_what_is_left(store: Store) -> None:
    fill(store)
    refresh_all(store)
    forgotten = DAYS[1] + 30
    with store.transaction() as connection:
        connection.exec_driver_sql(f"DELETE FROM boundary WHERE quarter < {forgotten}")
    forget_roll_ups(store, forgotten * 900)
    roll = read_roll(store)
    assert roll and roll.since == DAYS[2]
    assert check(store, SPANS, DAYS[:4]) == 1
    refresh_all(store)
    assert check(store, SPANS, DAYS[:4]) == 3
    assert found(store) == []
