import subprocess
import sys
from pathlib import Path
from threading import Event, Thread

import pytest
from msgspec.structs import replace
from sqlalchemy import event, text

from history.entries import AT_S, METER, OTHER, QUARTER, SIMULATED, block, epoch, power, quarter_reading
from iskra_server.history.model.records import Exact, MeterInfo, Record
from iskra_server.history.store import StoreError
from iskra_server.history.store.store import Store, fits_columns
from samples import EXPORT, IMPORT, METER_ID


def test_written_records_are_read_back_unchanged(store: Store) -> None:
    records: list[Record] = [
        quarter_reading(),
        quarter_reading(obis=EXPORT),
        power(),
        epoch(before=Exact(-5, -4)),
        block(data=bytes(range(256))),
    ]
    store.write(records, [METER])
    found: list[Record] = [
        *store.quarter_readings_between(METER_ID, IMPORT, 0, QUARTER + 1),
        *store.quarter_readings_between(METER_ID, EXPORT, 0, QUARTER + 1),
        *store.power_between(METER_ID, 0, QUARTER + 1),
        *store.epochs(METER_ID, EXPORT),
        *store.points_between(METER_ID, 0, AT_S + 1),
    ]
    assert found == records
    assert store.meters() == [METER]


def test_a_recorded_reading_never_changes(store: Store) -> None:
    store.write([quarter_reading(raw=1), power(mean_mw=1), epoch(), block(data=b"first")], [METER])
    again: list[Record] = [quarter_reading(raw=2), power(mean_mw=2), epoch(before=Exact(2, 0)), block(data=b"first")]
    store.write([*again, quarter_reading(QUARTER + 1)], [METER])
    assert store.quarter_readings_between(METER_ID, IMPORT, 0, QUARTER + 2) == [
        quarter_reading(raw=1),
        quarter_reading(QUARTER + 1),
    ]
    assert store.power_between(METER_ID, 0, QUARTER + 1) == [power(mean_mw=1)]
    assert store.epochs(METER_ID, EXPORT) == [epoch()]
    assert store.points_between(METER_ID, 0, AT_S + 1) == [block(data=b"first")]


def test_a_meter_was_first_and_last_seen_at_the_ends(store: Store) -> None:
    for at_s in (50, 90, 20, 70):
        store.write([], [replace(METER, first_s=at_s, last_s=at_s)])
    assert store.meters() == [replace(METER, first_s=20, last_s=90)]


def test_a_batch_is_written_whole_or_not_at_all(store: Store) -> None:
    with pytest.raises(LookupError, match=OTHER.meter_id):
        store.write([quarter_reading(), quarter_reading(meter=OTHER)], [METER])
    assert store.meters() == []
    # the numbers that the meter and its series had in the lost transaction are not used again
    store.write([quarter_reading(meter=OTHER)], [OTHER])
    store.write([quarter_reading()], [METER])
    assert store.quarter_readings(METER_ID, IMPORT, [QUARTER]) == {QUARTER: quarter_reading()}


@pytest.mark.parametrize(("first", "second"), [(METER, SIMULATED), (SIMULATED, METER)])
def test_simulated_and_real_readings_never_mix(address: str, first: MeterInfo, second: MeterInfo) -> None:
    store = Store(address)
    store.write([], [first])
    for _ in range(2):
        with pytest.raises(
            StoreError, match=r"never written beside them\. Set history.data_dir or history.database_url"
        ):
            store.write([], [second])
    store.close()
    store = Store(address)
    with pytest.raises(StoreError, match="a simulated" if second.simulated else "a real"):
        store.write([], [second])
    assert store.meters() == [first]
    store.close()


def test_simulated_meters_have_a_database_of_their_own(store: Store) -> None:
    store.write([quarter_reading(meter=SIMULATED)], [SIMULATED])
    assert store.meters() == [SIMULATED]


def test_a_meter_replaces_another(store: Store) -> None:
    store.write([], [METER, OTHER])
    store.replace_meter(METER_ID, OTHER.meter_id)
    assert store.meters() == [replace(METER, replaced_by=OTHER.meter_id), OTHER]
    store.replace_meter(METER_ID, None)
    assert store.meters() == [METER, OTHER]


def test_a_replacement_that_makes_no_sense_is_refused(store: Store) -> None:
    store.write([], [METER, OTHER])
    store.replace_meter(METER_ID, OTHER.meter_id)
    with pytest.raises(StoreError, match="knows no meter 0815"):
        store.replace_meter("0815", METER_ID)
    for old, new, why in (
        (OTHER.meter_id, METER_ID, f"cannot replace {OTHER.meter_id}: it was itself replaced by it"),
        (METER_ID, METER_ID, "cannot replace itself. Name the old meter, then the new one"),
    ):
        with pytest.raises(StoreError, match=why):
            store.replace_meter(old, new)


def test_reading_does_not_wait_for_writing(store: Store) -> None:
    """A transaction stands still in the middle; readers see what was before it."""
    store.write([quarter_reading()], [METER])
    inside, go_on = Event(), Event()

    def stand_still(*_: object) -> None:
        inside.set()
        go_on.wait(60)

    event.listen(store._database.write, "commit", stand_still)
    writing = Thread(target=store.write, args=([quarter_reading(QUARTER + 1)],))
    writing.start()
    assert inside.wait(60)
    seen = store.quarter_readings_between(METER_ID, IMPORT, 0, QUARTER + 2)
    go_on.set()
    writing.join()
    assert seen == [quarter_reading()]
    assert len(store.quarter_readings_between(METER_ID, IMPORT, 0, QUARTER + 2)) == 2


def test_many_threads_read_at_once(store: Store) -> None:
    store.write([quarter_reading(QUARTER + number) for number in range(100)], [METER])
    found: list[int] = []
    threads = [
        Thread(target=lambda: found.append(len(store.quarter_readings_between(METER_ID, IMPORT, 0, QUARTER + 100))))
        for _ in range(36)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [100] * 36


def test_a_database_that_lost_its_tables_is_a_sentence(store: Store) -> None:
    store.write([quarter_reading()], [METER])
    with store._database.write.begin() as connection:
        connection.execute(text("DROP TABLE boundary"))
    with pytest.raises(StoreError, match="cannot be used as history"):
        store.write([quarter_reading()], [METER])
    with pytest.raises(StoreError, match="cannot be used as history"):
        store.quarter_readings(METER_ID, IMPORT, [QUARTER])


def test_a_number_that_fits_no_column_is_recognised() -> None:
    assert fits_columns(quarter_reading(raw=2**63 - 1))
    assert not fits_columns(quarter_reading(raw=2**63))
    assert not fits_columns(epoch(before=Exact(-(2**64), 0)))
    assert not fits_columns(power(mean_mw=2**70))
    assert fits_columns(block())


def test_of_a_quarter_that_a_restart_cut_in_two_the_half_with_more_telegrams_stays(store: Store) -> None:
    less, more = (replace(power(mean_mw=mean), count=count) for mean, count in ((1, 400), (2, 500)))
    for written in (less, more, less):
        store.write([written], [METER])
    assert store.power_between(METER_ID, 0, QUARTER + 1) == [more]


def test_an_hour_that_the_clock_lived_twice_has_both_of_its_blocks(store: Store) -> None:
    for data in (b"first", b"second", b"first"):
        store.write([block(data=data)], [METER])
    assert sorted(found.data for found in store.points_between(METER_ID, 0, AT_S + 1)) == [b"first", b"second"]


def test_a_server_without_history_imports_no_database_library() -> None:
    program = "import sys, iskra_server.runtime.server; sys.exit('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0


def test_a_new_sqlite_history_imports_neither_alembic_nor_anything_of_postgresql(file: Path) -> None:
    program = f"""
import sys
from iskra_server.history.store.store import Store
Store("sqlite:///{file}").close()
unwanted = "alembic", "mako", "psycopg", "sqlalchemy.dialects.postgresql", "iskra_server.history.store.postgresql"
print(*(name for name in unwanted if name in sys.modules))
"""
    ended = subprocess.run([sys.executable, "-c", program], check=False, timeout=60, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "\n", "")
