"""An SQLite file is removed, replaced or cut off while it is in use: what can be read is saved, and it is said."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from history.entries import METER, QUARTER, block, quarter_reading, wait_until
from iskra_server.history.recording import writer as writing
from iskra_server.history.recording.writer import Writer
from iskra_server.history.store import StoreError
from iskra_server.history.store.store import Store
from samples import IMPORT, METER_ID


@pytest.fixture
def writer(file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Writer]:
    """It has written one quarter."""
    monkeypatch.setattr(writing, "CHECK_FILE_S", 0.05)
    made = Writer(lambda: Store(f"sqlite:///{file}"), together_s=0.01, first_retry_s=0.02)
    made.start()
    made.enqueue([quarter_reading(), block()], METER)
    wait_until(lambda: made.state.last_flush is not None)
    yield made
    made.close()


def write_on(writer: Writer, quarter: int = QUARTER + 1) -> None:
    before = writer.state.last_flush
    writer.enqueue([quarter_reading(quarter)], METER)
    wait_until(lambda: writer.state.ok and writer.state.last_flush != before)


def quarters(file: Path) -> list[int]:
    with closing(Store(f"sqlite:///{file}")) as store:
        return [known.quarter - QUARTER for known in store.quarter_readings_between(METER_ID, IMPORT, 0, 2**31 - 1)]


def remove(*suffixes: str) -> Callable[[Path], None]:
    def act(file: Path) -> None:
        for suffix in suffixes:
            Path(f"{file}{suffix}").unlink()

    return act


@pytest.mark.parametrize("suffixes", [("", "-wal", "-shm"), ("",), ("-wal",), ("-shm",)])
def test_what_was_removed_is_saved_to_a_new_file_within_a_minute(
    writer: Writer, file: Path, suffixes: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    """Also while nothing is written, and while somebody reads."""
    assert writer.store
    with writer.store._database.read.connect() as reading:
        reading.exec_driver_sql("SELECT count(*) FROM boundary").scalar()
        remove(*suffixes)(file)
        wait_until(lambda: "was removed while it was in use" in caplog.text)
        write_on(writer)
    assert "All of history was saved to a new file" in caplog.text
    write_on(writer, QUARTER + 2)
    writer.close()
    assert quarters(file) == [0, 1, 2]
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT sum(telegrams) FROM points").fetchone() == (60,)
    assert not list(file.parent.glob("*.part"))


def test_a_folder_that_was_moved_away_is_made_anew(
    writer: Writer, file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    writer.close()
    inner = tmp_path / "data" / "iskra.sqlite"
    moved = Writer(lambda: Store(f"sqlite:///{inner}"), together_s=0.01)
    moved.start()
    write_on(moved)
    inner.parent.rename(tmp_path / "away")
    wait_until(lambda: "was removed while it was in use" in caplog.text)
    write_on(moved, QUARTER + 2)
    moved.close()
    assert quarters(inner) == [1, 2]


def test_where_another_file_was_put_history_goes_on_there_and_the_old_one_is_kept(
    writer: Writer, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = file.with_name("other.sqlite")
    with closing(Store(f"sqlite:///{other}")) as store:
        store.write([quarter_reading(QUARTER + 9)], [METER])
    other.replace(file)
    wait_until(lambda: "was replaced while it was in use" in caplog.text)
    write_on(writer)
    writer.close()
    assert quarters(file) == [1, 9]
    (kept,) = file.parent.glob("iskra.sqlite.replaced-*")
    assert str(kept) in caplog.text
    assert quarters(kept) == [0]


def test_a_file_that_was_cut_off_is_moved_away_and_a_new_one_begins(
    writer: Writer, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert writer.store
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    # what is cut off must have been looked at once: a file only grows
    wait_until(lambda: writer.store is not None and not writer.store.file_change())
    with file.open("r+b") as opened:
        opened.truncate(4096)
    wait_until(lambda: "while it was in use" in caplog.text)
    write_on(writer)
    writer.close()
    assert 1 in quarters(file)
    assert "restore a backup" in caplog.text or quarters(file) == [0, 1]


def test_a_file_that_shrinks_by_itself_is_no_trouble(writer: Writer, file: Path) -> None:
    for number in range(40):
        writer.enqueue([block(number * 60, bytes(range(256)) * 40)], METER)
    wait_until(lambda: not writer.state.pending_points)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        before = file.stat().st_size
        assert writer.store
        assert writer.store.file_change() == ""
        connection.execute("DELETE FROM points")
        connection.commit()
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert file.stat().st_size < before
    assert writer.store.file_change() == ""
    write_on(writer)
    assert not list(file.parent.glob("*.damaged-*"))


def test_what_cannot_be_saved_now_is_tried_again(writer: Writer, file: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The folder itself is a file for a while: the old file is held until it can be saved."""
    folder = file.parent
    away = folder.with_name("away")
    folder.rename(away)
    folder.touch()
    writer.enqueue([quarter_reading(QUARTER + 1)], METER)
    wait_until(lambda: not writer.state.ok)
    assert "still to be written" in writer.state.sentence
    folder.unlink()
    wait_until(lambda: writer.state.ok and not writer.state.pending_ledger)
    writer.close()
    assert quarters(file) == [0, 1]
    shutil.rmtree(away)


def test_a_file_that_is_in_its_place_is_left_alone(sqlite: Store, file: Path) -> None:
    sqlite.write([quarter_reading()], [METER])
    before = sorted(file.parent.iterdir())
    sqlite.rescue()
    assert sqlite.file_change() == ""
    assert sorted(file.parent.iterdir()) == before


def test_a_place_that_cannot_be_written_is_named(sqlite: Store, file: Path) -> None:
    sqlite.write([quarter_reading()], [METER])
    file.unlink()
    file.with_name("iskra.sqlite.part").mkdir()
    with pytest.raises(StoreError, match=r"iskra\.sqlite"):
        sqlite.rescue()
