from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import event, text

from history.entries import AT_S, METER, OTHER, QUARTER, block, epoch, power, quarter_reading
from iskra_server.history.model.records import MAX_BLOCK_S, Exact, LastCounter, PowerBlock
from iskra_server.history.store.store import Store
from samples import EXPORT, IMPORT, METER_ID

KNOWN = [QUARTER, QUARTER + 1, QUARTER + 4]


@pytest.fixture
def filled(store: Store) -> Store:
    """The counter at three quarters, and another meter and register beside it."""
    store.write([quarter_reading(quarter, raw=quarter) for quarter in KNOWN], [METER])
    store.write([quarter_reading(QUARTER + 2, obis=EXPORT), quarter_reading(QUARTER + 2, meter=OTHER)], [OTHER])
    return store


def test_readings_are_found_at_their_quarters(filled: Store) -> None:
    found = filled.quarter_readings(METER_ID, IMPORT, [QUARTER - 1, *KNOWN, QUARTER + 2])
    assert found == {quarter: quarter_reading(quarter, raw=quarter) for quarter in KNOWN}
    assert filled.quarter_readings(METER_ID, IMPORT, []) == {}
    assert filled.quarter_readings("0815", IMPORT, KNOWN) == {}


def test_more_readings_than_a_statement_has_parameters(filled: Store) -> None:
    assert sorted(filled.quarter_readings(METER_ID, IMPORT, range(QUARTER - 40_000, QUARTER + 2))) == KNOWN[:2]


@pytest.mark.parametrize(
    ("quarter", "before", "after"),
    [
        (QUARTER, None, QUARTER + 1),
        (QUARTER + 2, QUARTER + 1, QUARTER + 4),
        (QUARTER + 4, QUARTER + 1, None),
        (QUARTER + 9, QUARTER + 4, None),
    ],
)
def test_the_nearest_reading_on_either_side(filled: Store, quarter: int, before: int | None, after: int | None) -> None:
    found = filled.nearest_before(METER_ID, IMPORT, quarter), filled.nearest_after(METER_ID, IMPORT, quarter)
    assert [near and near.quarter for near in found] == [before, after]


def test_periods_are_half_open(filled: Store) -> None:
    filled.write([power(quarter) for quarter in KNOWN])
    between = filled.quarter_readings_between(METER_ID, IMPORT, KNOWN[0], KNOWN[2])
    assert [known.quarter for known in between] == KNOWN[:2]
    assert [quarter.quarter for quarter in filled.power_between(METER_ID, KNOWN[1], KNOWN[2])] == [KNOWN[1]]


def test_a_block_is_found_for_every_telegram_in_it(store: Store) -> None:
    blocks = [block(AT_S, seconds=MAX_BLOCK_S), block(AT_S + 4000), block(AT_S + 5000)]
    store.write(blocks, [METER])
    assert store.points_between(METER_ID, AT_S + MAX_BLOCK_S, AT_S + 4000) == blocks[:1]
    assert store.points_between(METER_ID, AT_S + MAX_BLOCK_S, AT_S + 4001) == blocks[:2]
    assert store.points_between(METER_ID, AT_S + 4059, AT_S + 9000) == blocks[1:]
    assert store.points_between(METER_ID, AT_S + 4060, AT_S + 5000) == []


def test_the_power_of_blocks_is_read_without_their_telegrams(store: Store) -> None:
    small, large = (replace(block(AT_S + 60 * n), min_mw=-n, mean_mw=0, max_mw=10**15) for n in (0, 1))
    store.write([large, small, block(AT_S + 120), replace(small, meter_id=OTHER.meter_id)], [METER, OTHER])
    told = [PowerBlock(AT_S, AT_S + 59, 0, 0, 10**15), PowerBlock(AT_S + 60, AT_S + 119, -1, 0, 10**15)]
    assert store.power_blocks_between(METER_ID, AT_S + 59, AT_S + 121) == told
    assert store.power_blocks_between(METER_ID, AT_S + 60, AT_S + 61) == told[1:]
    assert store.power_blocks_between(METER_ID, AT_S, AT_S + 60) == told[:1]
    assert store.points_between(METER_ID, AT_S, AT_S + 61) == [small, large]


def test_the_registers_of_a_meter(filled: Store) -> None:
    assert (filled.series(METER_ID), filled.series(OTHER.meter_id)) == ([IMPORT, EXPORT], [IMPORT])


def test_meters_are_listed_by_their_first_day(store: Store) -> None:
    younger = replace(METER, first_s=AT_S + 1, last_s=AT_S + 1)
    store.write([], [younger, OTHER])
    assert store.meters() == [OTHER, younger]


def test_epochs_come_in_order(store: Store) -> None:
    store.write([epoch(2, before=Exact(9, 3)), epoch(1)], [METER])
    assert store.epochs(METER_ID, EXPORT) == [epoch(1), epoch(2, before=Exact(9, 3))]


def test_the_last_counter_is_the_last_reading(filled: Store) -> None:
    last = LastCounter(METER_ID, IMPORT, Exact(QUARTER + 4, -1), AT_S + 4 * 900, 0)
    assert filled.last_counters()[0] == last
    assert len(filled.last_counters()) == 3


def test_the_last_counter_is_the_epoch_start_where_no_reading_follows(filled: Store) -> None:
    filled.write([epoch(1), epoch(2)])
    assert filled.last_counters()[1] == LastCounter(METER_ID, EXPORT, Exact(7167, 3), AT_S + 2, 2)
    filled.write([replace(quarter_reading(QUARTER + 7, obis=EXPORT), epoch=2)])
    assert filled.last_counters()[1] == LastCounter(METER_ID, EXPORT, quarter_reading().value, AT_S + 7 * 900, 2)


def test_an_empty_history_answers_with_nothing(store: Store) -> None:
    assert (store.meters(), store.last_counters(), store.series(METER_ID)) == ([], [], [])
    assert (store.points_between(METER_ID, 0, AT_S), store.power_between(METER_ID, 0, QUARTER)) == ([], [])


def test_a_snapshot_does_not_see_what_is_written_after_its_first_query(filled: Store) -> None:
    """Or an answer of several queries would be one of two moments."""
    with filled.snapshot() as reads:
        before = reads.nearest_before(METER_ID, IMPORT, QUARTER + 9)
        filled.write([quarter_reading(QUARTER + 5, raw=9), quarter_reading(QUARTER + 5, obis=EXPORT)], [METER])
        assert reads.nearest_before(METER_ID, IMPORT, QUARTER + 9) == before
        exported = reads.nearest_before(METER_ID, EXPORT, QUARTER + 9)
        assert exported and exported.quarter == QUARTER + 2
    assert filled.quarter_readings(METER_ID, IMPORT, [QUARTER + 5])
    with filled.snapshot() as reads:
        assert reads.quarter_readings(METER_ID, IMPORT, [QUARTER + 5])


def test_every_question_seeks_by_key(sqlite: Store) -> None:
    """SQLite says SEARCH where it seeks and SCAN where it reads a whole table."""
    sqlite.write([quarter_reading(), epoch(), power(), block()], [METER])
    asked: list[tuple[str, Any]] = []
    event.listen(
        sqlite._database.read,
        "before_cursor_execute",
        lambda _, __, statement, values, ___, ____: asked.append((statement, values)),
    )
    sqlite.quarter_readings(METER_ID, IMPORT, KNOWN)
    sqlite.quarter_readings_between(METER_ID, IMPORT, 0, QUARTER)
    sqlite.nearest_before(METER_ID, IMPORT, QUARTER)
    sqlite.nearest_after(METER_ID, IMPORT, QUARTER)
    sqlite.power_between(METER_ID, 0, QUARTER)
    sqlite.points_between(METER_ID, 0, AT_S)
    sqlite.epochs(METER_ID, IMPORT)
    sqlite.last_counters()
    statements = [statement for statement in asked if statement[0].startswith("SELECT")]
    assert len(statements) == 9
    with sqlite._database.read.connect() as connection:
        for statement, values in statements:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
            steps = [row[-1] for row in plan]
            # of the registers all are asked for their newest value
            assert [step for step in steps if step.startswith("SCAN") and step != "SCAN series"] == [], statement
            assert all("TEMP B-TREE" not in step for step in steps), statement
    with sqlite._database.read.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"


def test_readings_as_columns_of_one_epoch_and_one_scaler(store: Store) -> None:
    readings = [quarter_reading(QUARTER + place, raw=place) for place in range(300)]
    coarse = [replace(reading, value=Exact(reading.value.raw, 0)) for reading in readings[120:130]]
    anew = [replace(reading, epoch=1) for reading in readings[200:]]
    expected = [*readings[:120], *coarse, *readings[130:199], *anew]
    store.write(reversed(expected), [METER])
    columns = list(store.reading_columns(METER_ID, IMPORT, QUARTER, QUARTER + 299))
    found = [
        (part.epoch, part.scaler, *pair) for part in columns for pair in zip(part.quarters, part.raws, strict=True)
    ]
    assert found == [(row.epoch, row.value.scaler, row.quarter, row.value.raw) for row in expected[:-1]]
    assert list(store.reading_columns(METER_ID, EXPORT, QUARTER, QUARTER + 299)) == []
