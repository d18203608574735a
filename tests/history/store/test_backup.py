import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import pytest

from history.entries import METER, QUARTER, block, quarter_reading
from iskra_server.fleet.edge.uplink_queue import UplinkQueue
from iskra_server.history.store import StoreError
from iskra_server.history.store.backup import back_up, check_backup, restore
from iskra_server.history.store.schema import VERSION_TABLE
from iskra_server.history.store.store import Store
from samples import IMPORT, METER_ID


def quarters(file: Path) -> list[int]:
    store = Store(f"sqlite:///{file}")
    found = [known.quarter for known in store.quarter_readings_between(METER_ID, IMPORT, 0, 2 * QUARTER)]
    store.close()
    return found


@pytest.fixture
def backup(sqlite: Store, file: Path, tmp_path: Path) -> Path:
    """A backup of a history that holds one quarter and some hundred pages of points."""
    sqlite.write([quarter_reading(), *(block(number * 60, bytes(1000)) for number in range(200))], [METER])
    copy = tmp_path / "backup.sqlite"
    back_up(file, copy)
    return copy


def test_a_history_in_use_is_copied_whole(sqlite: Store, file: Path, tmp_path: Path) -> None:
    sqlite.write([quarter_reading(0)], [METER])
    stop = Event()

    def keep_writing() -> None:
        quarter = 1
        while not stop.is_set():
            sqlite.write([quarter_reading(quarter)])
            quarter += 1

    writing = Thread(target=keep_writing)
    writing.start()
    copies = [tmp_path / f"{number}.sqlite" for number in range(5)]
    for copy in copies:
        back_up(file, copy)
    stop.set()
    writing.join()
    found = [quarters(copy) for copy in copies]
    assert [len(each) for each in found] == sorted(len(each) for each in found)
    assert all(each == list(range(len(each))) and each for each in found)


def test_a_backup_is_one_file(backup: Path, tmp_path: Path) -> None:
    check_backup(backup)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith("backup")) == ["backup.sqlite"]


def test_a_backup_takes_the_place_of_an_older_one(backup: Path, sqlite: Store, file: Path) -> None:
    sqlite.write([quarter_reading(QUARTER + 1)])
    back_up(file, backup)
    assert quarters(backup) == [QUARTER, QUARTER + 1]


def test_a_backup_never_overwrites_a_file_that_is_no_history(sqlite: Store, file: Path, tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear landlord")
    with pytest.raises(StoreError, match="is not a database"):
        back_up(file, letter)
    with pytest.raises(StoreError, match="is the history itself"):
        back_up(file, file)
    assert letter.read_text() == "Dear landlord"


def test_a_history_that_is_not_there_is_not_backed_up(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=f"There is no history at {tmp_path}/iskra.sqlite"):
        back_up(tmp_path / "iskra.sqlite", tmp_path / "backup.sqlite")


def test_a_backup_into_a_directory_that_is_not_there(sqlite: Store, file: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=f"The directory {tmp_path}/nowhere does not exist"):
        back_up(file, tmp_path / "nowhere" / "backup.sqlite")


def test_a_restored_history_is_that_of_the_backup(backup: Path, sqlite: Store, file: Path) -> None:
    sqlite.write([quarter_reading(QUARTER + 1)])
    sqlite.close()
    restore(backup, file)
    assert quarters(file) == [QUARTER]
    assert quarters(file.with_name("iskra.sqlite.replaced")) == [QUARTER, QUARTER + 1]


def test_a_restored_history_is_another_one_for_the_central_server(sqlite: Store, file: Path, tmp_path: Path) -> None:
    """Its next epoch may have the number of one that began after the backup."""
    sqlite.write([quarter_reading()], [METER])
    before = UplinkQueue(sqlite).enable("cellar")
    back_up(file, tmp_path / "backup.sqlite")
    sqlite.close()
    restore(tmp_path / "backup.sqlite", file)
    with closing(Store(f"sqlite:///{file}")) as restored:
        queue = UplinkQueue(restored)
        after = queue.enable()
        assert (after.reader, queue.count()) == ("cellar", 1)
        assert after.ledger not in ("", before.ledger)
        assert queue.enable() == after


def test_a_history_is_restored_where_none_was(backup: Path, tmp_path: Path) -> None:
    restore(backup, tmp_path / "new.sqlite")
    assert quarters(tmp_path / "new.sqlite") == [QUARTER]


def test_a_damaged_history_is_replaced_with_its_wal(backup: Path, sqlite: Store, file: Path) -> None:
    """A WAL that is left beside a restored file would be replayed into it."""
    sqlite.close()
    file.write_bytes(b"damaged" * 1000)
    wal = file.with_name("iskra.sqlite-wal")
    wal.write_bytes(b"left behind")
    restore(backup, file)
    assert not wal.exists()
    assert quarters(file) == [QUARTER]
    assert file.with_name("iskra.sqlite.replaced").read_bytes().startswith(b"damaged")


def test_a_history_in_use_is_not_replaced(backup: Path, sqlite: Store, file: Path) -> None:
    sqlite.write([quarter_reading(QUARTER + 1)])
    with pytest.raises(StoreError, match=r"is in use. Stop iskra-server, then restore again\."):
        restore(backup, file)
    sqlite.write([quarter_reading(QUARTER + 2)])
    assert len(sqlite.quarter_readings_between(METER_ID, IMPORT, 0, QUARTER + 3)) == 3


def damage(file: Path) -> None:
    content = bytearray(file.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 4096] = b"\xff" * 4096
    file.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "is a directory. Name a file in it, such as .*/iskra.sqlite"),
        ("usb/x.sqlite", "The directory .*usb does not exist. Create it, or name a file elsewhere"),
    ],
)
@pytest.mark.usefixtures("sqlite")
def test_a_place_for_a_backup_that_is_none_is_named(file: Path, tmp_path: Path, name: str, sentence: str) -> None:
    with pytest.raises(StoreError, match=sentence):
        back_up(file, tmp_path / name)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:10_000])


def make_directory(file: Path) -> None:
    file.unlink()
    file.mkdir()


def make_newer(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = '0815'")


def make_foreign(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(f"DROP TABLE {VERSION_TABLE}")


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (damage, "is damaged"),
        (cut, "is damaged"),
        (make_newer, r"was written by a newer iskra-server \(schema 0815\)"),
        (make_foreign, "is no history of iskra-server"),
        (Path.unlink, "There is no backup at"),
        (make_directory, "is a directory. Name a file in it that iskra-server backup wrote"),
    ],
)
def test_a_spoilt_backup_is_refused_and_nothing_changed(
    backup: Path, sqlite: Store, file: Path, spoil: Callable[[Path], None], sentence: str
) -> None:
    sqlite.write([quarter_reading(QUARTER + 1)])
    sqlite.close()
    spoil(backup)
    with pytest.raises(StoreError, match=sentence):
        restore(backup, file)
    assert quarters(file) == [QUARTER, QUARTER + 1]
