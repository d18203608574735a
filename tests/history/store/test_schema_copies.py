"""What is copied beside an SQLite history before its schema changes, with databases of real earlier schemas."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from history.store.freezing import FROZEN, load
from iskra_server.history.store import StoreError, schema
from iskra_server.history.store.backup import restore
from iskra_server.history.store.schema import VERSION_TABLE, VERSIONS
from iskra_server.history.store.schema_copies import KEPT_COPIES, copy_before_migration, newest_copy
from iskra_server.history.store.store import Store


def version(file: Path) -> str:
    with closing(sqlite3.connect(file)) as connection:
        return str(connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()[0])


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.name.startswith("iskra.sqlite.")}


def make(file: Path, schema_version: str) -> None:
    load(FROZEN / f"{schema_version}.sqlite.sql", f"sqlite:///{file}")


def open_and_close(file: Path) -> None:
    Store(f"sqlite:///{file}").close()


def test_the_copy_is_named_by_its_schema_and_holds_everything(file: Path) -> None:
    make(file, "0004")
    open_and_close(file)
    assert names(file.parent) == {"iskra.sqlite.schema-0004"}
    copy = file.with_name("iskra.sqlite.schema-0004")
    assert (version(copy), version(file)) == ("0004", VERSIONS[-1])
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT count(*), max(raw) FROM boundary").fetchone() == (5, 2**63 - 1)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_the_oldest_copies_are_removed_once_history_is_up_to_date(file: Path) -> None:
    for old in ("0001", "0002", "0003"):
        make(file.with_name(f"iskra.sqlite.schema-{old}"), old)
    (file.parent / "iskra.sqlite.schema-of-mine").write_text("a note")
    make(file, "0004")
    open_and_close(file)
    assert names(file.parent) == {
        "iskra.sqlite.schema-0003",
        "iskra.sqlite.schema-0004",
        "iskra.sqlite.schema-of-mine",
    }
    assert KEPT_COPIES == 2


def test_without_room_nothing_changes_and_the_sentence_says_how_much_is_missing(disk: Path) -> None:
    file = disk / "iskra.sqlite"
    make(file, "0004")
    with (disk / "other").open("wb") as other:
        free = os.statvfs(disk)
        other.write(bytes(free.f_bavail * free.f_frsize - file.stat().st_size))
    for _ in range(2):
        with pytest.raises(StoreError) as caught:
            open_and_close(file)
        assert str(caught.value) == (
            f"{file} needs 0.2 MB to be copied and brought up to date, but its disk has 0.1 MB free. "
            "Make room; history then catches up by itself."
        )
    assert (version(file), names(disk)) == ("0004", set())
    (disk / "other").unlink()
    open_and_close(file)
    assert (version(file), names(disk)) == (VERSIONS[-1], {"iskra.sqlite.schema-0004"})


def test_a_migration_that_fails_again_and_again_does_not_copy_each_time(file: Path) -> None:
    make(file, "0004")
    copy = copy_before_migration(file, "0004")
    first = copy.stat()
    assert copy_before_migration(file, "0004").stat().st_ino == first.st_ino
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DELETE FROM power")
    os.utime(file, ns=(first.st_mtime_ns, first.st_mtime_ns + 1))
    assert copy_before_migration(file, "0004").stat().st_ino != first.st_ino


def test_a_damaged_copy_of_an_earlier_attempt_is_replaced(file: Path) -> None:
    make(file, "0004")
    copy = file.with_name("iskra.sqlite.schema-0004")
    copy.write_bytes(b"cut off")
    open_and_close(file)
    assert version(copy) == "0004"


def test_an_older_program_names_the_copy_and_goes_back_to_it(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(file, "0003")
    open_and_close(file)
    monkeypatch.setattr(schema, "VERSIONS", VERSIONS[: VERSIONS.index("0003") + 1])
    copy = newest_copy(file)
    with pytest.raises(StoreError) as caught:
        Store(f"sqlite:///{file}")
    assert str(caught.value) == (
        f"{file} was written by a newer iskra-server (schema {VERSIONS[-1]}, this one knows 0003). Install the newer "
        f"version again, or go back to history as it was before its update: stop iskra-server, then iskra-server "
        f"restore {copy}."
    )
    assert copy
    restore(copy, file)
    assert version(file) == "0003"


def test_an_older_program_names_no_copy_that_it_cannot_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(file, "0004")
    open_and_close(file)
    monkeypatch.setattr(schema, "VERSIONS", VERSIONS[: VERSIONS.index("0003") + 1])
    with pytest.raises(StoreError, match=r"this one knows 0003\)\. Install the newer version again\.$"):
        Store(f"sqlite:///{file}")
