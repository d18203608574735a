"""Values that differ are kept beside those that count, each once; an administrator may take them instead."""

from decimal import Decimal

import pytest
from msgspec.structs import replace
from sqlalchemy import insert, select

from fleet.batches import batch_of
from history.entries import METER, QUARTER, quarter_reading
from iskra_server.fleet.central.conflict_choice import take_values
from iskra_server.fleet.central.conflicts import Conflict, count_conflicts, list_conflicts
from iskra_server.fleet.central.tables import LastContact, Outcome, write_batch
from iskra_server.history.model.records import EpochStart, Exact, Record
from iskra_server.history.store import StoreError
from iskra_server.history.store.schema import epoch_origin, rollup_due, rollup_state
from iskra_server.history.store.store import Store
from samples import EXPORT, IMPORT, METER_ID

NOW_S = 1_795_000_000


def send(store: Store, name: str, raws: list[int], *, first: int = QUARTER, ledger: str = "") -> Outcome:
    rows = [quarter_reading(first + place, raw) for place, raw in enumerate(raws)]
    return write_batch(store, batch_of([*rows], [METER], [LastContact(METER_ID, name, 0)], ledger=ledger), NOW_S)


def raws(store: Store) -> list[int]:
    return [row.value.raw for row in store.quarter_readings_between(METER_ID, IMPORT, 0, 2**31 - 1)]


def test_values_of_another_reader_that_differ_are_kept_once(store: Store) -> None:
    send(store, "cellar", [10, 20, 30])
    for count in (2, 0):
        assert send(store, "attic", [10, 21, 31, 41]).conflicts == count
    page, following = list_conflicts(store, limit=1)
    assert page == [
        Conflict(METER_ID, IMPORT, QUARTER + 1, "attic", Decimal("2.1"), Decimal("2.0"), "cellar", NOW_S),
    ]
    (other,), end = list_conflicts(store, limit=1, after=following, meters=[METER_ID], first=QUARTER, end=QUARTER + 3)
    assert (other.value, end, count_conflicts(store)) == (Decimal("3.1"), None, 2)
    assert list_conflicts(store, limit=9, end=QUARTER)[0] == list_conflicts(store, limit=9, meters=["x"])[0] == []
    assert raws(store) == [10, 20, 30]


def test_the_same_reader_may_contradict_itself_but_the_first_value_counts(store: Store) -> None:
    send(store, "cellar", [10, 20])
    outcome = send(store, "cellar", [10, 25, 30])
    assert (outcome.receipts, outcome.conflicts, raws(store)) == ({}, 1, [10, 20, 30])


def test_a_value_with_which_the_counter_would_go_back_is_a_conflict(store: Store) -> None:
    send(store, "cellar", [10, 20], ledger="a")
    send(store, "cellar", [40, 50], first=QUARTER + 4, ledger="b")
    # restarted before the new card came
    assert send(store, "cellar", [15], first=QUARTER + 2, ledger="b").conflicts == 0
    assert send(store, "cellar", [45], first=QUARTER + 3, ledger="b").conflicts == 1
    assert raws(store) == [10, 20, 15, 40, 50]
    ((conflict,), _) = list_conflicts(store, limit=9)
    assert (conflict.quarter, conflict.value, conflict.kept) == (QUARTER + 3, Decimal("4.5"), None)


def test_an_administrator_takes_the_values_of_another_reader(store: Store) -> None:
    send(store, "cellar", [10, 20, 30, 40])
    send(store, "attic", [10, 24, 34, 44])
    send(store, "third", [10, 25])
    assert take_values(store, METER_ID, "attic", (QUARTER + 1, QUARTER + 3), NOW_S + 1) == 2
    assert raws(store) == [10, 24, 34, 40]
    listed = [
        (row.quarter - QUARTER, row.reader, row.value, row.kept, row.kept_reader)
        for row in list_conflicts(store, limit=9)[0]
    ]
    assert listed == [
        (1, "cellar", Decimal("2.0"), Decimal("2.4"), "attic"),
        (1, "third", Decimal("2.5"), Decimal("2.4"), "attic"),
        (2, "cellar", Decimal("3.0"), Decimal("3.4"), "attic"),
        (3, "attic", Decimal("4.4"), Decimal("4.0"), "cellar"),
    ]
    # and back again
    assert take_values(store, METER_ID, "cellar", (QUARTER, QUARTER + 9), NOW_S + 2) == 2
    assert raws(store) == [10, 20, 30, 40]
    assert count_conflicts(store) == 4


def test_a_value_that_was_a_conflict_first_becomes_one_again(store: Store) -> None:
    """What stood in its way was exchanged, and its reader sent it again; then another one is taken instead."""
    send(store, "cellar", [10], ledger="a")
    send(store, "cellar", [40], first=QUARTER + 4, ledger="b")
    send(store, "cellar", [5], first=QUARTER + 2, ledger="b")
    assert send(store, "cellar", [45], first=QUARTER + 3, ledger="b").conflicts == 1
    send(store, "attic", [46], first=QUARTER + 4)
    take_values(store, METER_ID, "attic", (QUARTER + 4, QUARTER + 5), NOW_S)
    send(store, "cellar", [45], first=QUARTER + 3, ledger="b")
    assert raws(store) == [10, 5, 45, 46]
    send(store, "third", [44], first=QUARTER + 3)
    assert take_values(store, METER_ID, "third", (QUARTER + 3, QUARTER + 4), NOW_S) == 1
    assert raws(store) == [10, 5, 44, 46]
    (conflict, _), _ = list_conflicts(store, limit=9)
    assert (conflict.reader, conflict.value, conflict.kept) == ("cellar", Decimal("4.5"), Decimal("4.4"))


def test_what_comes_after_values_that_were_taken_does_not_let_the_counter_go_back(store: Store) -> None:
    send(store, "cellar", [10, 20])
    send(store, "attic", [10, 500])
    take_values(store, METER_ID, "attic", (QUARTER + 1, QUARTER + 2), NOW_S)
    assert send(store, "cellar", [30], first=QUARTER + 2).conflicts == 1
    assert raws(store) == [10, 500]
    # back again: nothing of it is lost
    assert take_values(store, METER_ID, "cellar", (QUARTER + 1, QUARTER + 3), NOW_S) == 2
    send(store, "cellar", [40], first=QUARTER + 3)
    assert raws(store) == [10, 20, 30, 40]


def test_a_restart_that_counts_differently_then_is_summed_again(store: Store) -> None:
    """What the counter showed before it says something again, as the counter had not restarted meanwhile."""
    send(store, "cellar", [1000], ledger="a")
    send(store, "cellar", [500], first=QUARTER + 1, ledger="b")
    restart = EpochStart(METER_ID, IMPORT, 1, (QUARTER + 200) * 900 + 450, Exact(1200, -1), Exact(0, -1))
    rows: list[Record] = [restart, replace(quarter_reading(QUARTER + 201, 50), epoch=1)]
    write_batch(store, batch_of(rows, [METER], [LastContact(METER_ID, "cellar", 0)], ledger="a"), NOW_S)
    send(store, "attic", [1100], first=QUARTER + 1)
    assert [start.before for start in store.epochs(METER_ID, IMPORT) if start.after.raw == 0] == [Exact(500, -1)]
    state = {"zone": "Europe/Berlin", "since_quarter": 0, "open_quarter": QUARTER + 300}
    with store.transaction() as connection:
        connection.execute(insert(rollup_state), state)
    take_values(store, METER_ID, "attic", (QUARTER + 1, QUARTER + 2), NOW_S)
    assert store.epochs(METER_ID, IMPORT) == [replace(restart, epoch=2)]
    due = [range(row.begin_quarter, row.end_quarter + 1) for row in store.query(select(rollup_due))]
    assert all(any(quarter in span and len(span) < 100 for span in due) for quarter in (QUARTER + 1, QUARTER + 201))


def test_nothing_is_taken_with_which_the_counter_would_go_back(store: Store) -> None:
    send(store, "cellar", [10, 20, 30, 40])
    send(store, "attic", [10, 35, 36, 37])
    with pytest.raises(StoreError, match=r"back at 2025-11-22T10:30:00Z, from 3.5 to 3.0 Wh. Nothing was changed"):
        take_values(store, METER_ID, "attic", (QUARTER + 1, QUARTER + 2), NOW_S)
    with pytest.raises(StoreError, match="nobody has sent no other values of"):
        take_values(store, METER_ID, "nobody", (QUARTER, QUARTER + 2), NOW_S)
    assert raws(store) == [10, 20, 30, 40]
    assert take_values(store, METER_ID, "attic", (QUARTER + 1, QUARTER + 4), NOW_S) == 3


def test_a_known_counter_is_settled_and_a_foreign_one_is_not_created(store: Store) -> None:
    send(store, "cellar", [10], ledger="a")
    rows = [quarter_reading(QUARTER, 5, EXPORT)]
    write_batch(store, batch_of([*rows], [METER], [LastContact(METER_ID, "attic", 0)]), NOW_S)
    assert store.series(METER_ID) == [IMPORT]
    (origin,) = store.query(select(epoch_origin))
    assert (origin.ledger, origin.ledger_epoch, origin.epoch, origin.from_quarter) == ("a@cellar", 0, 0, 0)
