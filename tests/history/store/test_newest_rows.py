"""The last reading and the last epoch start of every counter, by the statement of SQLite and by those of PostgreSQL."""

from history.entries import AT_S, METER, OTHER, QUARTER, epoch, quarter_reading
from iskra_server.history.model.records import Exact, LastCounter
from iskra_server.history.store.store import Store
from samples import EXPORT, IMPORT, METER_ID

LATER = QUARTER + 20 * 365 * 96


def test_a_counter_without_any_row_has_no_last_value(store: Store) -> None:
    store.write([quarter_reading(), epoch()], [METER, OTHER])
    assert store.last_counters() == [
        LastCounter(METER_ID, IMPORT, quarter_reading().value, AT_S, 0),
        LastCounter(METER_ID, EXPORT, Exact(7167, 3), AT_S + 1, 1),
    ]
    assert store.last_counters(AT_S - 900) == []


def test_rows_that_are_later_than_the_meter_was_heard_count_as_well(store: Store) -> None:
    """Of a clock that ran ahead, or earlier than it was first heard."""
    rows = [quarter_reading(LATER), quarter_reading(QUARTER + 1), quarter_reading(5, obis=EXPORT)]
    store.write(rows, [METER])
    assert {last.obis: last.at_s for last in store.last_counters()} == {IMPORT: LATER * 900, EXPORT: 5 * 900}
    assert {last.obis: last.at_s for last in store.last_counters((LATER - 1) * 900)}[IMPORT] == AT_S + 900
    before, after = store.nearest_before(METER_ID, EXPORT, LATER), store.nearest_after(METER_ID, EXPORT, -1)
    assert before
    assert before == after
    assert store.nearest_after(METER_ID, EXPORT, 5) is None
