from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from history.entries import METER, OTHER, QUARTER, SIMULATED, quarter_reading
from iskra_server.history.model.energy import BucketLength
from iskra_server.history.model.records import EpochStart, Exact
from iskra_server.history.store.store import Store
from iskra_server.history.transfer import export_table as module
from iskra_server.history.transfer.export_table import (
    bucket_table,
    quarters_of_period,
    recorded_quarters,
    register_table,
)
from samples import EXPORT, IMPORT, METER_ID

BERLIN = ZoneInfo("Europe/Berlin")
# 2025-11-23 00:00 in Berlin
FIRST = datetime(2025, 11, 22, 23, tzinfo=UTC)
LENGTHS: tuple[BucketLength, ...] = ("15min", "hour", "day")
Q = int(FIRST.timestamp()) // 900


def test_the_extent_is_that_of_all_registers(store: Store) -> None:
    store.write([quarter_reading(Q + 2), quarter_reading(Q, obis=EXPORT), quarter_reading(Q + 1, obis=EXPORT)], [METER])
    assert recorded_quarters(store, [METER_ID]) == (Q, Q + 2)


def test_a_meter_without_a_counter_has_no_extent(store: Store) -> None:
    store.write([], [METER])
    assert recorded_quarters(store, [METER_ID]) is None


def test_a_period_has_the_boundaries_inside_it_and_that_of_its_end() -> None:
    begin, end = FIRST, datetime(2025, 11, 22, 23, 30, tzinfo=UTC)
    assert quarters_of_period(begin, end) == (Q, Q + 2)
    assert quarters_of_period(begin.replace(second=1), end.replace(second=1)) == (Q + 1, Q + 2)


def test_registers_come_in_order_of_time_with_their_epochs_first(store: Store) -> None:
    start = EpochStart(METER_ID, IMPORT, 1, Q * 900 + 450, Exact(99, 0), Exact(2, 0))
    second = replace(quarter_reading(Q + 1, 30), epoch=1, quality="interpolated")
    later = EpochStart(METER_ID, IMPORT, 2, (Q + 1) * 900 + 1, Exact(99, 0), Exact(2, 0))
    store.write(
        [quarter_reading(Q, 990), second, start, later, quarter_reading(Q, 5, EXPORT), quarter_reading(Q + 2, 40)],
        [METER],
    )
    found = register_table(store, METER, (Q, Q + 1), BERLIN)
    assert list(found.columns) == ["time", "register", "value_wh", "quality", "epoch"]
    rows = [(cells[0].isoformat(), *map(str, cells[1:])) for cells in found.rows if isinstance(cells[0], datetime)]
    assert rows == [
        ("2025-11-23T00:07:30+01:00", "1-0:1.8.0*255", "99", "before", "1"),
        ("2025-11-23T00:07:30+01:00", "1-0:1.8.0*255", "2", "after", "1"),
        ("2025-11-23T00:00:00+01:00", "1-0:1.8.0*255", "99.0", "measured", "0"),
        ("2025-11-23T00:00:00+01:00", "1-0:2.8.0*255", "0.5", "measured", "0"),
        ("2025-11-23T00:15:00+01:00", "1-0:1.8.0*255", "3.0", "interpolated", "1"),
    ]


def test_a_long_history_is_read_in_parts(sqlite: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BATCH", 3)
    sqlite.write([quarter_reading(Q + number, number) for number in range(10)], [METER])
    rows = list(register_table(sqlite, METER, (Q, Q + 9), BERLIN).rows)
    assert [row[2] for row in rows] == [Decimal(number).scaleb(-1) for number in range(10)]


def test_energy_has_a_column_for_each_register_and_a_row_for_each_day(store: Store) -> None:
    imported = [quarter_reading(Q + 96 * day, 1_000_000 + 123_456 * day) for day in range(3)]
    exported = [quarter_reading(Q + 96 * day, 7 * day, EXPORT) for day in range(3)]
    store.write([*imported, *exported], [METER])
    found = bucket_table(store, METER, [METER_ID], period=(Q, Q + 192), length="day", tz=BERLIN)
    assert list(found.columns) == ["begin", "end", "import_kwh", "export_kwh", "quality"]
    assert [(str(row[0]), str(row[1]), *map(str, row[2:])) for row in found.rows] == [
        ("2025-11-23 00:00:00+01:00", "2025-11-24 00:00:00+01:00", "12.3456", "0.0007", "measured"),
        ("2025-11-24 00:00:00+01:00", "2025-11-25 00:00:00+01:00", "12.3456", "0.0007", "measured"),
    ]


def test_a_gap_is_a_row_of_its_own(store: Store) -> None:
    store.write([quarter_reading(Q + quarter, 10 * quarter) for quarter in (0, 1, 2, 9, 10, 12)], [METER])
    rows = [
        row[2:] for row in bucket_table(store, METER, [METER_ID], period=(Q, Q + 12), length="hour", tz=BERLIN).rows
    ]
    assert rows == [
        (Decimal("0.002"), "partial"),
        (Decimal("0.007"), "gap"),
        (None, "absent"),
        (Decimal("0.0030"), "partial"),
    ]


def test_a_register_that_begins_later_makes_a_bucket_partial(store: Store) -> None:
    store.write([quarter_reading(Q, 10), quarter_reading(Q + 4, 20), quarter_reading(Q + 8, 30)], [METER])
    store.write([quarter_reading(Q + 4, 1, EXPORT), quarter_reading(Q + 8, 2, EXPORT)])
    rows = [row[2:] for row in bucket_table(store, METER, [METER_ID], period=(Q, Q + 8), length="hour", tz=BERLIN).rows]
    assert rows == [(Decimal("0.001"), None, "partial"), (Decimal("0.001"), Decimal("0.0001"), "measured")]


def test_a_meter_carries_on_those_that_it_replaced(store: Store) -> None:
    store.write([quarter_reading(Q, 10), quarter_reading(Q + 4, 20)], [METER])
    store.write([quarter_reading(Q + quarter, 5000 + quarter, meter=OTHER) for quarter in (5, 8, 12)], [OTHER])
    line = [METER_ID, OTHER.meter_id]
    assert recorded_quarters(store, line) == (Q, Q + 12)
    rows = bucket_table(store, OTHER, line, period=(Q, Q + 12), length="hour", tz=BERLIN).rows
    expected = [(Decimal("0.0010"), "measured"), (Decimal("0.0003"), "measured"), (Decimal("0.0004"), "measured")]
    assert [row[2:] for row in rows] == expected


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(known=st.sets(st.integers(0, 40), min_size=2), length=st.sampled_from(LENGTHS))
def test_a_column_adds_up_to_the_difference_of_its_ends(
    known: set[int], length: BucketLength, tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('x')}/iskra.sqlite")
    store.write([quarter_reading(Q + quarter, 7 * quarter * quarter) for quarter in known], [METER])
    period = recorded_quarters(store, [METER_ID])
    assert period is not None
    rows = bucket_table(store, METER, [METER_ID], period=period, length=length, tz=BERLIN).rows
    total = sum(row[2] for row in rows if isinstance(row[2], Decimal))
    store.close()
    assert total == Decimal(7 * (max(known) ** 2 - min(known) ** 2)) / 10_000


def test_a_simulated_meter_says_so_in_every_row(store: Store) -> None:
    store.write([quarter_reading(QUARTER, meter=SIMULATED), quarter_reading(QUARTER + 1, meter=SIMULATED)], [SIMULATED])
    for found in (
        register_table(store, SIMULATED, (QUARTER, QUARTER + 1), BERLIN),
        bucket_table(store, SIMULATED, [SIMULATED.meter_id], period=(QUARTER, QUARTER + 1), length="day", tz=BERLIN),
    ):
        rows = list(found.rows)
        assert list(found.columns)[-1] == "simulated"
        assert rows
        assert all(row[-1] is True for row in rows)
