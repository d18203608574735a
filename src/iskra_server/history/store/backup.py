"""Copies of an SQLite history: made while it is written, checked before they replace it.

A copy is one file without a WAL, and gets its name only when it is complete and on the disk.
"""

import errno
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from sqlalchemy.engine import URL

from iskra_server.base.spool import sync
from iskra_server.history.store import StoreError
from iskra_server.history.store.database_errors import store_error
from iskra_server.history.store.schema import VERSION_TABLE, VERSIONS

# what SQLite keeps beside a file in WAL mode
WAL_SUFFIXES = ("-wal", "-shm")


def back_up(store: Path, to: Path) -> None:
    """Copy a history, which may be in use, to a file; an older backup there is replaced. Raises StoreError."""
    if not store.exists():
        raise StoreError(f"There is no history at {store}. Set history.data_dir to where it is.")
    if not to.parent.is_dir():
        raise StoreError(f"The directory {to.parent} does not exist. Create it, or name a file elsewhere.")
    if to.is_dir():
        raise StoreError(f"{to} is a directory. Name a file in it, such as {to / store.name}.")
    if to.exists():
        if to.samefile(store):
            raise StoreError(f"{to} is the history itself. Name another file for the backup.")
        check_backup(to)
    copy_history(store, to)


def restore(file: Path, to: Path) -> None:
    """Replace a history that no program uses by a checked backup; the old one is kept as *.replaced.

    It gets a new id for its uplink. Raises StoreError, and then nothing has changed.
    """
    check_backup(file)
    if to.exists():
        _refuse_in_use(to)
    fresh = to.with_name(f"{to.name}.restored")
    copy_history(file, fresh)
    _forget_ledger(fresh)
    # a WAL left behind would be replayed into the restored file
    for suffix in ("", *WAL_SUFFIXES):
        old = to.with_name(to.name + suffix)
        if old.exists():
            old.replace(to.with_name(f"{to.name}.replaced{suffix}"))
    fresh.replace(to)
    sync(to.parent)


def _forget_ledger(history: Path) -> None:
    """What is recorded from now on may give numbers to epochs that others had after the backup."""
    try:
        with closing(sqlite3.connect(history)) as connection, connection:
            columns = [row[1] for row in connection.execute("PRAGMA table_info(uplink)")]
            # schemas before 0006 have no column for it
            if "ledger" in columns:
                connection.execute("UPDATE uplink SET ledger = NULL")
    except sqlite3.Error as error:
        history.unlink()
        raise store_error(_url(history), error) from error


def check_backup(file: Path) -> None:
    """Raises StoreError unless a file is a complete history that this program can read."""
    if file.is_dir():
        raise StoreError(f"{file} is a directory. Name a file in it that iskra-server backup wrote.")
    if not file.is_file():
        raise StoreError(f"There is no backup at {file}. Name a file that iskra-server backup wrote.")
    try:
        with closing(_connect(file)) as connection:
            damage = [row[0] for row in connection.execute("PRAGMA integrity_check(1)")]
            tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            version = (
                connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()
                if VERSION_TABLE in tables
                else None
            )
    except sqlite3.Error as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
            raise StoreError(
                f"{file} is not a database, so it is no backup; iskra-server import reads readings from a table."
            ) from error
        raise store_error(_url(file), error) from error
    if damage != ["ok"]:
        raise StoreError(f"{file} is damaged ({damage[0]}). Use an older backup.")
    if version is None:
        raise StoreError(f"{file} is no history of iskra-server. Name a file that iskra-server backup wrote.")
    if version[0] not in VERSIONS:
        raise StoreError(f"{file} was written by a newer iskra-server (schema {version[0]}). Install that version.")


def copy_history(file: Path, to: Path) -> None:
    """Copy a history, which may be in use, over whatever is there. Raises StoreError, and then nothing has changed."""
    part = to.with_name(f"{to.name}.part")
    try:
        part.unlink(missing_ok=True)
        with closing(_connect(file)) as source, closing(sqlite3.connect(part)) as copy:
            # in one step: in WAL mode that is a snapshot, and blocks no writer
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
        sync(part)
        part.replace(to)
        sync(to.parent)
    except (sqlite3.Error, OSError) as error:
        part.unlink(missing_ok=True)
        if _is_full(error):
            raise StoreError(f"The disk that holds {to} is full. Make room, then try again.") from error
        raise store_error(_url(file if _is_source(error) else to), error) from error


def _is_source(error: Exception) -> bool:
    damaged = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
    return getattr(error, "sqlite_errorcode", 0) in damaged


def _is_full(error: Exception) -> bool:
    return getattr(error, "errno", 0) == errno.ENOSPC or getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL


def _refuse_in_use(history: Path) -> None:
    """Leaving WAL mode needs the file for itself; a damaged file cannot, and may be replaced."""
    try:
        with closing(sqlite3.connect(history, timeout=1)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise StoreError(f"{history} is in use. Stop iskra-server, then restore again.") from error
    except sqlite3.DatabaseError:
        return


def _connect(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)


def _url(file: Path) -> URL:
    return URL.create("sqlite", database=str(file))
