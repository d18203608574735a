import logging
import re
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from itertools import pairwise
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import event

from history.entries import AT_S, METER, QUARTER, SIMULATED, block, power, quarter_reading, wait_until
from iskra_server.history.model.records import Record
from iskra_server.history.recording import writer
from iskra_server.history.recording.history_spool import HistorySpool
from iskra_server.history.recording.pending_records import PendingBatch
from iskra_server.history.recording.writer import Writer
from iskra_server.history.store import StoreError
from iskra_server.history.store.store import Store
from running import DEADLINE_S
from samples import IMPORT, METER_ID

Start = Callable[..., Writer]


@pytest.fixture
def begin() -> Iterator[Start]:
    """Starts a writer with short times where none are given."""
    started: list[Writer] = []

    def begin(open_store: Callable[[], Store], **options: Any) -> Writer:
        new = Writer(open_store, **{"together_s": 0.01, "first_retry_s": 0.02, **options})
        new.start()
        started.append(new)
        return new

    yield begin
    for each in started:
        each.close()


@pytest.fixture
def start(begin: Start, address: str) -> Start:
    """Starts a writer into either database."""
    return partial(begin, lambda: Store(address))


def is_written(writer: Writer) -> bool:
    return not writer.state.pending_ledger and not writer.state.pending_points


def count_dropped(writer: Writer) -> int:
    writer.enqueue([], METER)
    return writer.state.dropped_points


def count_commits(writer: Writer) -> list[object]:
    wait_until(lambda: writer.store is not None)
    assert writer.store
    commits: list[object] = []
    event.listen(writer.store._database.write, "commit", commits.append)
    return commits


def test_the_store_is_opened_without_waiting_for_records(start: Start) -> None:
    writer = start()
    wait_until(lambda: writer.store is not None)
    assert writer.state.ok
    assert writer.state.last_flush is None


def test_a_closed_quarter_is_written_at_once(start: Start) -> None:
    writer = start(flush_s=3600)
    writer.enqueue([block(seconds=0)], METER)
    assert writer.state.pending_points == 1
    writer.enqueue([quarter_reading(), power()], METER)
    wait_until(lambda: is_written(writer))
    assert writer.store
    assert writer.store.quarter_readings(METER_ID, IMPORT, [QUARTER]) == {QUARTER: quarter_reading()}
    assert writer.store.points_between(METER_ID, AT_S, AT_S + 1) == [block(seconds=0)]
    assert writer.state.last_flush is not None


def test_records_within_a_moment_share_a_transaction(start: Start) -> None:
    writer = start(together_s=0.3)
    commits = count_commits(writer)
    for quarter in range(5):
        writer.enqueue([quarter_reading(quarter)], METER)
    wait_until(lambda: is_written(writer))
    # one, but for a machine that is busy for a moment
    assert len(commits) < 5


def test_no_telegram_waits_longer_than_a_flush_interval(start: Start) -> None:
    """A block that was gathered for a minute is written at once, a fresh one waits for its minute."""
    writer = start(flush_s=59)
    writer.enqueue([block(seconds=0)], METER)
    assert writer._due - time.monotonic() == pytest.approx(59, abs=5)
    writer.enqueue([block(AT_S + 1, seconds=40)], METER)
    assert writer._due - time.monotonic() == pytest.approx(19, abs=5)
    assert writer.state.pending_points == 42
    writer.enqueue([block(AT_S + 2, seconds=59)], METER)
    wait_until(lambda: is_written(writer))


def test_points_are_written_after_the_flush_interval(start: Start) -> None:
    writer = start(flush_s=0.2)
    put_at = time.monotonic()
    writer.enqueue([block(seconds=0)], METER)
    wait_until(lambda: is_written(writer))
    assert time.monotonic() - put_at > 0.19


def test_the_time_a_meter_was_seen_is_written_with_its_next_record(start: Start) -> None:
    writer = start()
    assert writer.tried.wait(DEADLINE_S)
    assert writer.store
    # a month that has to be made first is a transaction of its own
    writer.store.make_partitions(since_s=AT_S)
    commits = count_commits(writer)
    writer.enqueue([], METER)
    writer.enqueue([], replace(METER, last_s=AT_S + 60))
    writer.enqueue([quarter_reading()], replace(METER, last_s=AT_S + 61))
    wait_until(lambda: is_written(writer))
    assert writer.store
    assert (len(commits), writer.store.meters()) == (1, [replace(METER, last_s=AT_S + 61)])


def test_a_shutdown_writes_what_is_pending(start: Start, address: str) -> None:
    writer = start(flush_s=3600, together_s=3600)
    # one that is closed has some seconds, and on a busy machine the tables alone take as long
    wait_until(lambda: writer.store is not None)
    writer.enqueue([quarter_reading(), block()], METER)
    state = writer.close(DEADLINE_S)
    assert (state.ok, state.pending_ledger, state.pending_points) == (True, 0, 0)
    store = Store(address)
    assert store.quarter_readings(METER_ID, IMPORT, [QUARTER]) == {QUARTER: quarter_reading()}
    store.close()


def test_a_writer_waits_for_a_database_that_cannot_be_opened(
    begin: Start, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    calls: list[float] = []
    may_open = Event()

    def open_store() -> Store:
        calls.append(time.monotonic())
        if len(calls) < 5:
            raise StoreError("PostgreSQL at db:5432 cannot be reached.")
        may_open.wait(DEADLINE_S)
        return Store(address)

    writer = begin(open_store)
    wait_until(lambda: not writer.state.ok)
    assert writer.state.sentence.startswith(
        "PostgreSQL at db:5432 cannot be reached. History has not been written since "
    )
    assert writer.state.since is not None
    may_open.set()
    writer.enqueue([quarter_reading(), block()], METER)
    wait_until(lambda: is_written(writer))
    assert (writer.state.ok, writer.state.sentence) == (True, "")
    assert writer.state.since is None
    # 20 ms, 40 ms, 80 ms, 160 ms, of which jitter takes at most half
    waits = [later - earlier for earlier, later in pairwise(calls)]
    assert all(wait >= 0.01 * 2**number for number, wait in enumerate(waits))
    assert [
        record.levelname for record in caplog.records if record.name == "iskra_server.history.recording.writer"
    ] == [
        "WARNING",
        "INFO",
    ]


def test_while_the_database_is_away_only_old_points_are_dropped(begin: Start, address: str) -> None:
    away = True

    def open_store() -> Store:
        if away:
            raise StoreError("Away.")
        return Store(address)

    writer = begin(open_store, max_points_hours=0.3 / 3600)
    first, rest = (
        [quarter_reading(quarter) for quarter in range(50)],
        [quarter_reading(quarter) for quarter in range(50, 100)],
    )
    writer.enqueue([*first, block(AT_S)], METER)
    wait_until(lambda: count_dropped(writer) == 60)
    writer.enqueue([*rest, block(AT_S + 60)], METER)
    state = writer.state
    assert (state.pending_ledger, state.pending_points, state.dropped_points) == (100, 60, 60)
    away = False
    wait_until(lambda: is_written(writer))
    assert writer.store
    assert writer.store.quarter_readings_between(METER_ID, IMPORT, 0, 100) == [*first, *rest]
    assert writer.store.points_between(METER_ID, 0, 2**40) == [block(AT_S + 60)]


def test_a_bug_does_not_end_the_writer(begin: Start, address: str) -> None:
    calls: list[int] = []
    may_open = Event()

    def open_store() -> Store:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("a bug")
        may_open.wait(DEADLINE_S)
        return Store(address)

    writer = begin(open_store)
    wait_until(lambda: not writer.state.ok)
    assert "RuntimeError('a bug')" in writer.state.sentence
    may_open.set()
    writer.enqueue([quarter_reading()], METER)
    wait_until(lambda: is_written(writer))


def test_a_number_too_large_for_a_column_blocks_no_others(start: Start) -> None:
    writer = start()
    writer.enqueue([quarter_reading(raw=2**64 - 1), quarter_reading(QUARTER + 1)], METER)
    wait_until(lambda: is_written(writer))
    assert writer.store
    assert writer.store.quarter_readings_between(METER_ID, IMPORT, 0, QUARTER + 2) == [quarter_reading(QUARTER + 1)]
    assert writer.state.refused == 1


def test_simulated_readings_are_not_written_to_a_real_history(
    start: Start, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(address)
    store.write([], [METER])
    store.close()
    writer = start()
    writer.enqueue([quarter_reading(meter=SIMULATED)], SIMULATED)
    wait_until(lambda: not writer.state.ok)
    assert "never written beside them" in writer.state.sentence
    assert writer.store
    assert writer.store.meters() == [METER]
    monkeypatch.setattr("iskra_server.history.recording.writer.CLOSE_S", 0.1)
    assert writer.close().pending_ledger == 1


@pytest.fixture
def locked(sqlite: Store, file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sqlite3.Connection]:
    """Another program that holds the file, and a short patience with it."""
    monkeypatch.setattr("iskra_server.history.store.sqlite.BUSY_S", 0.05)
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection


def test_a_locked_file_is_written_when_it_is_free(begin: Start, file: Path, locked: sqlite3.Connection) -> None:
    writer = begin(lambda: Store(f"sqlite:///{file}"))
    writer.enqueue([quarter_reading()], METER)
    wait_until(lambda: not writer.state.ok)
    assert writer.state.sentence.startswith(f"{file} is locked by another program.")
    # reading goes on
    assert writer.store
    assert writer.store.meters() == []
    locked.execute("ROLLBACK")
    wait_until(lambda: is_written(writer) and writer.state.ok)
    assert writer.store.quarter_readings(METER_ID, IMPORT, [QUARTER]) == {QUARTER: quarter_reading()}


def spool_in(folder: Path) -> HistorySpool:
    return HistorySpool([folder])


def test_the_next_start_writes_what_a_shutdown_could_not(
    begin: Start, file: Path, locked: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "CLOSE_S", 0.5)
    folder = file.parent / "spool"
    held = begin(lambda: Store(f"sqlite:///{file}"), spool=spool_in(folder))
    held.enqueue([quarter_reading(), block()], METER)
    wait_until(lambda: not held.state.ok)
    began = time.monotonic()
    state = held.close()
    assert time.monotonic() - began < DEADLINE_S / 2
    assert (state.pending_ledger, state.pending_points, held.unwritten().ledger) == (1, 60, ())
    locked.execute("ROLLBACK")
    after = begin(lambda: Store(f"sqlite:///{file}"), spool=spool_in(folder))
    wait_until(lambda: after.caught_up)
    assert after.store
    assert after.store.quarter_readings(METER_ID, IMPORT, [QUARTER]) == {QUARTER: quarter_reading()}
    assert after.store.points_between(METER_ID, AT_S, AT_S + 1) == [block()]
    assert (after.state.ok, after.state.pending_ledger, after.state.pending_points) == (True, 0, 0)
    assert after.state.last_flush is not None


def test_without_a_disk_another_writer_can_take_what_is_unwritten(
    begin: Start, file: Path, locked: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "CLOSE_S", 0.3)
    (file.parent / "spool").touch()
    held = begin(lambda: Store(f"sqlite:///{file}"), spool=spool_in(file.parent / "spool" / "below"))
    held.enqueue([quarter_reading(), block()], METER)
    wait_until(lambda: not held.state.ok)
    assert "in memory only" in held.close().sentence
    after = Writer(lambda: Store(f"sqlite:///{file}"), together_s=0.01)
    after.enqueue_batch(held.unwritten())
    locked.execute("ROLLBACK")
    after.start()
    wait_until(lambda: is_written(after) and after.caught_up)
    after.close()
    store = Store(f"sqlite:///{file}")
    assert store.quarter_readings(METER_ID, IMPORT, [QUARTER]) == {QUARTER: quarter_reading()}
    store.close()


def test_while_the_database_is_away_records_are_spooled_and_written_later(
    start: Start, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the process is killed meanwhile: another one finds it."""
    monkeypatch.setattr(writer, "MAX_RETRY_S", 0.05)
    folder = tmp_path / "spool"
    may_open = Event()

    def open_store() -> Store:
        if may_open.is_set():
            return Store(address)
        raise StoreError("Away.")

    held = Writer(open_store, together_s=0.01, first_retry_s=0.02, spool=spool_in(folder), spool_after_s=0)
    held.start()
    for quarter in range(20):
        held.enqueue([quarter_reading(QUARTER + quarter), block(AT_S + 60 * quarter)], METER)
        wait_until(lambda: not held.unwritten().ledger)
    state = held.state
    assert (state.pending_ledger, state.pending_points) == (20, 20 * 60)
    assert "still to be written: 20 records and 1200 telegrams, nothing is lost." in state.sentence
    copied = tmp_path / "as-after-a-kill"
    shutil.copytree(folder, copied)
    may_open.set()
    wait_until(lambda: is_written(held) and held.state.ok)
    held.close()
    # what the first has written is written again, and nothing changes
    again = start(spool=spool_in(copied))
    wait_until(lambda: again.caught_up)
    assert again.store
    assert again.store.quarter_readings_between(METER_ID, IMPORT, 0, 2**31 - 1) == [
        quarter_reading(QUARTER + quarter) for quarter in range(20)
    ]
    assert len(again.store.points_between(METER_ID, 0, 2**40)) == 20


def test_a_hanging_database_is_reported_before_an_attempt_has_failed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(writer, "HANGS_AFTER_S", 0.05)
    monkeypatch.setattr(writer, "CLOSE_S", 0.1)
    answers = Event()

    def open_store() -> Store:
        answers.wait(DEADLINE_S)
        raise StoreError("Away.")

    held = Writer(open_store, name="PostgreSQL at db:5432", spool=spool_in(tmp_path))
    held.start()
    held.enqueue([quarter_reading()], METER)
    wait_until(lambda: not held.state.ok)
    assert re.match(
        r"PostgreSQL at db:5432 has not answered for \d+ s\. History has not been written since [-\d]+ [:\d]+ \w+; "
        r"still to be written: 1 record, nothing is lost\.",
        held.state.sentence,
    )
    # the end does not wait for it, and what waits is safe
    assert held.close().pending_ledger == 1
    assert held.unwritten().ledger == ()
    answers.set()


def test_an_abandoned_thread_changes_nothing_of_its_successor(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    monkeypatch.setattr(writer, "CLOSE_S", 0.1)
    folder = file.parent / "spool"
    earlier = spool_in(folder)
    earlier.append(PendingBatch((quarter_reading(),), (), (METER,)))
    earlier.close()
    writing, goes_on = Event(), Event()

    class Slow(Store):
        def write(self, *arguments: Any, **options: Any) -> None:
            writing.set()
            goes_on.wait(DEADLINE_S)
            super().write(*arguments, **options)

    held = Writer(lambda: Slow(f"sqlite:///{file}"), spool=spool_in(folder))
    held.start()
    assert writing.wait(DEADLINE_S)
    held.close()
    after = spool_in(folder)
    after.open()
    after.append(PendingBatch((quarter_reading(QUARTER + 1),), (), (METER,)))
    goes_on.set()
    held._thread.join(DEADLINE_S)
    assert after.records == 2
    found: list[Record] = []
    after.replay(lambda records, _: found.extend(records))
    assert found == [quarter_reading(), quarter_reading(QUARTER + 1)]


def test_enqueueing_never_waits_for_the_database(begin: Start, file: Path, locked: sqlite3.Connection) -> None:
    writer = begin(lambda: Store(f"sqlite:///{file}"))
    for quarter in range(2000):
        writer.enqueue([quarter_reading(quarter)], METER)
    # all of them are in the queue while the file is still locked
    assert writer.state.pending_ledger == 2000
    locked.execute("ROLLBACK")
    wait_until(lambda: is_written(writer))
