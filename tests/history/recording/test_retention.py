from math import inf

import pytest
from msgspec import structs
from sqlalchemy import event

from history.entries import AT_S, METER, OTHER, QUARTER, block, power, quarter_reading
from iskra_server.history.model.records import PointBlock
from iskra_server.history.recording.retention import thin
from iskra_server.history.store.store import Store
from samples import IMPORT, METER_ID

DAY_S = 86_400
# it is read until thirty days later
SEEN = structs.replace(METER, last_s=AT_S + 30 * DAY_S)


@pytest.fixture
def month(store: Store) -> Store:
    """A block an hour for 30 days, and what is kept for ever."""
    store.write([block(AT_S + hour * 3600) for hour in range(30 * 24)], [SEEN])
    store.write([quarter_reading(), power(), PointBlock(OTHER.meter_id, AT_S, AT_S + 59, 60, b"")], [OTHER])
    return store


def is_sqlite(store: Store) -> bool:
    return store._database.url.drivername == "sqlite"


def test_points_older_than_raw_days_are_deleted(month: Store) -> None:
    gone = thin(month, AT_S + 30 * DAY_S, 10, pause_s=0)
    # PostgreSQL has dropped November as a whole
    assert gone == 20 * 24 + 1 if is_sqlite(month) else 0 < gone < 20 * 24
    rest = month.points_between(METER_ID, 0, AT_S + 31 * DAY_S)
    assert (len(rest), rest[0].first_s) == (10 * 24, AT_S + 20 * DAY_S)
    assert month.points_between(OTHER.meter_id, 0, AT_S + DAY_S) == []


def test_the_ledger_stays(month: Store) -> None:
    thin(month, AT_S + 3000 * DAY_S, 0, pause_s=0)
    assert month.points_between(METER_ID, 0, AT_S + 31 * DAY_S) == []
    assert month.quarter_readings(METER_ID, IMPORT, [QUARTER]) == {QUARTER: quarter_reading()}
    assert month.power_between(METER_ID, QUARTER, QUARTER + 1) == [power()]


def test_with_inf_nothing_is_deleted(month: Store) -> None:
    assert thin(month, AT_S + 3000 * DAY_S, inf) == 0
    assert len(month.points_between(METER_ID, 0, AT_S + 31 * DAY_S)) == 30 * 24


def test_the_last_telegram_decides_the_age_of_a_block(store: Store) -> None:
    store.write([block(AT_S, seconds=59)], [structs.replace(METER, last_s=AT_S + 60 + DAY_S)])
    assert thin(store, AT_S + 59 + DAY_S, 1) == 0
    assert thin(store, AT_S + 60 + DAY_S, 1) == 1


def test_each_step_is_a_small_transaction(month: Store) -> None:
    sizes: list[int] = []
    event.listen(
        month._database.write,
        "after_cursor_execute",
        lambda _, cursor, statement, *__: sizes.append(cursor.rowcount) if statement.startswith("DELETE") else None,
    )
    thin(month, AT_S + 30 * DAY_S, 10, step=100, pause_s=0)
    assert sizes == [100, 100, 100, 100, 80, 1] if is_sqlite(month) else max(sizes) == 100


@pytest.mark.parametrize("ahead_days", [31, 365, 3000])
def test_a_clock_that_runs_ahead_deletes_nothing(month: Store, ahead_days: int) -> None:
    """The newest telegram is thirty days younger than the oldest, whatever the clock says."""
    assert thin(month, AT_S + (30 + ahead_days) * DAY_S, 30, pause_s=0) == 0
    assert len(month.points_between(METER_ID, 0, AT_S + 31 * DAY_S)) == 30 * 24


def test_a_meter_seen_in_the_future_does_not_count(store: Store) -> None:
    far = structs.replace(METER, last_s=AT_S + 365 * DAY_S)
    store.write([block(AT_S)], [far])
    store.write([block(AT_S)], [structs.replace(OTHER, last_s=AT_S + DAY_S)])
    assert thin(store, AT_S + 2 * DAY_S, 1, pause_s=0) == 0
