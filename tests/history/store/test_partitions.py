"""Months in a real PostgreSQL: made ahead, made for what is imported, dropped whole."""

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from fleet.batches import batch_of
from history.entries import METER, QUARTER, block, power, quarter_reading
from history.postgres import Postgres
from iskra_server.fleet.central.tables import write_batch
from iskra_server.history.model.records import QUARTER_S
from iskra_server.history.store import postgresql
from iskra_server.history.store.partitions import (
    MONTHS_AHEAD,
    existing_partitions,
    months_between,
    months_left,
    partition_name,
    rest_rows,
)
from iskra_server.history.store.store import Store
from running import wait_over_midnight
from samples import IMPORT, METER_ID

DAY_S = 86_400
NOVEMBER = "boundary_2025_11"


@pytest.fixture
def centre(postgres: Postgres) -> Iterator[Store]:
    # a month may end there, too
    wait_over_midnight()
    store = Store(postgres.migrated())
    yield store
    store.close()


def partitions(store: Store) -> set[str]:
    with store._database.read.connect() as connection:
        return existing_partitions(connection)


def counted(store: Store, table: str) -> int:
    with store._database.read.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def at(year: int, month: int, day: int = 1) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp())


def test_the_months_of_a_period() -> None:
    assert list(months_between(at(2026, 11, 30), at(2027, 1))) == [
        date(2026, 11, 1),
        date(2026, 12, 1),
        date(2027, 1, 1),
    ]
    assert list(months_between(at(2026, 12), at(2026, 11))) == []
    assert partition_name("power", date(2027, 1, 1)) == "power_2027_01"


def test_months_are_made_ahead_and_once(centre: Store) -> None:
    found = {name for name in partitions(centre) if name.startswith("power_2")}
    assert len(found) == MONTHS_AHEAD + 1
    assert partition_name("power", datetime.now(UTC).date().replace(day=1)) in found
    assert centre.make_partitions() == 0
    assert centre.make_partitions(ahead=MONTHS_AHEAD + 2) == 2 * 3


def test_two_years_ahead_are_two_years_and_a_gap_ends_what_is_left(centre: Store) -> None:
    def left(now_s: float) -> int | None:
        with centre.transaction(write=False) as connection:
            return months_left(connection, now_s)

    now = datetime.now(UTC)
    assert left(now.timestamp()) == MONTHS_AHEAD
    centre.make_partitions(ahead=24)
    assert left(now.timestamp()) == 24
    assert left(at(now.year + 1, now.month)) == 12
    assert left(at(now.year + 3, now.month)) == 0
    with centre.transaction() as connection:
        connection.execute(text(f"DROP TABLE {partition_name('power', date(now.year + 1, now.month, 1))}"))
    assert left(now.timestamp()) == 11


def test_rows_in_no_month_are_told(centre: Store) -> None:
    centre.write([quarter_reading(5), quarter_reading(at(2150, 1) // QUARTER_S)], [METER])
    with centre.transaction(write=False) as connection:
        assert rest_rows(connection) == {"boundary": 2}


def test_imported_records_get_their_partitions(centre: Store) -> None:
    """Also the last quarter of a month and the first of the next, which lie on either side."""
    first = at(2025, 12) // QUARTER_S
    rows = [quarter_reading(), quarter_reading(first - 1), quarter_reading(first)]
    centre.write([*rows, power(), block()], [METER])
    assert {NOVEMBER, "boundary_2025_12", "power_2025_11", "points_2025_11"} <= partitions(centre)
    assert (counted(centre, NOVEMBER), counted(centre, "boundary_2025_12"), counted(centre, "boundary_rest")) == (
        2,
        1,
        0,
    )
    assert centre.quarter_readings_between(METER_ID, IMPORT, 0, first + 1) == rows


def test_a_clock_that_is_wrong_makes_no_months_and_loses_nothing(centre: Store) -> None:
    wrong = [quarter_reading(5), quarter_reading(at(2150, 1) // QUARTER_S)]
    before = partitions(centre)
    centre.write(wrong, [METER])
    assert partitions(centre) == before
    assert counted(centre, "boundary_rest") == 2
    assert centre.quarter_readings_between(METER_ID, IMPORT, 0, 2**31 - 1) == wrong


def test_rows_of_the_rest_partition_move_into_their_month_once_it_is_created(centre: Store) -> None:
    with centre._database.write.begin() as connection:
        connection.execute(text(f"INSERT INTO boundary VALUES (1, {QUARTER}, 1, 0, 0, 0), (1, 7, 1, 0, 0, 0)"))
    assert counted(centre, "boundary_rest") == 2
    assert centre.make_partitions(since_s=QUARTER * QUARTER_S) > 3
    assert (counted(centre, NOVEMBER), counted(centre, "boundary_rest")) == (1, 1)


def test_months_are_forgotten_whole(centre: Store) -> None:
    later = at(2025, 12) // QUARTER_S
    centre.write([quarter_reading(), quarter_reading(later), power()], [METER])
    assert centre.drop_partitions_before(at(2025, 11, 30)) == 0
    assert centre.drop_partitions_before(at(2025, 12), ["points"]) == 1
    assert centre.quarter_readings_between(METER_ID, IMPORT, 0, later + 1) == [
        quarter_reading(),
        quarter_reading(later),
    ]
    assert centre.drop_partitions_before(at(2025, 12, 31)) == 2
    assert centre.quarter_readings_between(METER_ID, IMPORT, 0, later + 1) == [quarter_reading(later)]


def test_a_dropped_month_is_created_again_for_a_late_import(centre: Store) -> None:
    centre.write([quarter_reading()], [METER])
    assert centre.drop_partitions_before(at(2025, 12)) == 3
    centre.write([quarter_reading()], [METER])
    assert NOVEMBER in partitions(centre)
    assert (counted(centre, NOVEMBER), counted(centre, "boundary_rest")) == (1, 0)


def test_points_that_are_too_old_go_by_the_month(centre: Store) -> None:
    from iskra_server.history.recording.retention import thin  # noqa: PLC0415

    old, young = block(), replace(block(), first_s=at(2025, 12, 20), last_s=at(2025, 12, 20) + 59)
    centre.write([old, young], [replace(METER, last_s=at(2025, 12, 30))])
    thin(centre, at(2025, 12, 31), raw_days=20, pause_s=0)
    assert "points_2025_11" not in partitions(centre)
    assert [found.first_s for found in centre.points_between(METER_ID, 0, 2**40)] == [young.first_s]


def test_a_user_who_does_not_own_the_tables_creates_no_partitions(centre: Store, postgres: Postgres) -> None:
    postgres.run("DROP ROLE IF EXISTS writer")
    postgres.run("CREATE USER writer")
    postgres.run("GRANT USAGE ON SCHEMA public TO writer")
    postgres.run("GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO writer")
    postgres.run("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO writer")
    store = Store(postgres.url("postgres", "writer"))
    store.write([quarter_reading()], [METER])
    assert (store.make_partitions(), store.drop_partitions_before(time.time())) == (0, 0)
    assert (counted(centre, "boundary_rest"), NOVEMBER in partitions(centre)) == (1, False)
    store.close()
    postgres.run("DROP OWNED BY writer")


def test_sqlite_has_no_partitions(sqlite: Store) -> None:
    sqlite.write([quarter_reading()], [METER])
    with sqlite.transaction(write=False) as connection:
        assert (months_left(connection, time.time()), rest_rows(connection)) == (None, {})
    assert (sqlite.make_partitions(), sqlite.drop_partitions_before(time.time())) == (0, 0)


@pytest.mark.slow
def test_records_of_a_reader_create_few_partitions_and_are_all_stored(centre: Store) -> None:
    before = partitions(centre)
    months = months_between(at(2000, 1), time.time())
    sent = [quarter_reading(at(month.year, month.month) // QUARTER_S) for month in months]
    write_batch(centre, batch_of([*sent], [METER]))
    assert len(partitions(centre) - before) < 4 * 12 * 3
    assert counted(centre, "boundary") == len(sent)
    # by hand, or by an import, they are made
    centre.write(sent[:3])
    assert centre.make_partitions(since_s=at(2000, 1)) > 200
    assert counted(centre, "boundary") == len(sent)
    assert counted(centre, "boundary_2000_01") == 1


def test_where_there_are_many_months_the_nearest_reading_is_sought_in_windows(
    centre: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier, years = QUARTER - 400 * 96, 3 * 366 * 96
    centre.write([quarter_reading(earlier), quarter_reading()], [replace(METER, first_s=earlier * 900)])
    for few, are_many in ((postgresql.FEW_MONTHS, False), (1, True)):
        monkeypatch.setattr(postgresql, "FEW_MONTHS", few)
        centre.make_partitions()
        assert centre._database.is_asked_in_windows is are_many
        nearest = (
            centre.nearest_before(METER_ID, IMPORT, QUARTER),
            centre.nearest_before(METER_ID, IMPORT, QUARTER + years),
            centre.nearest_after(METER_ID, IMPORT, earlier),
            centre.nearest_after(METER_ID, IMPORT, earlier - years),
        )
        assert [reading and reading.quarter for reading in nearest] == [earlier, QUARTER, QUARTER, earlier]
