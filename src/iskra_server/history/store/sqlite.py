"""History in an SQLite file.

The file is in WAL mode: a reader sees the last commit and never waits for the one that is being written. With
synchronous=NORMAL SQLite syncs at checkpoints only, so that a memory card sees few writes.
"""

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TextIO
from urllib.parse import quote

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects.sqlite import Insert, insert
from sqlalchemy.engine import URL
from sqlalchemy.pool import QueuePool

from iskra_server.history.model.records import Record
from iskra_server.history.store import StoreError, schema
from iskra_server.history.store.database import KEPT_OPEN, MAX_READERS, Database
from iskra_server.history.store.database_errors import access_error
from iskra_server.history.store.file_watch import FileWatch
from iskra_server.history.store.schema import DatabaseProfile, metadata
from iskra_server.history.store.schema_copies import copy_before_migration, remove_old_copies

# how long a locked file is waited for; shorter than what a shutdown waits for the last flush
BUSY_S = 2
# smaller than the default of 4096: a flush touches a few pages, and each goes to the disk whole (docs/performance.md)
PAGE_BYTES = 2048


class SqliteDatabase(Database):
    def __init__(self, url: URL) -> None:
        self._file = Path(url.database or "").absolute()
        self._watch: FileWatch | None = None
        super().__init__(url, self._engine(url, "rw"), self._engine(url, "ro"))
        # a deferred transaction that turns into a writing one can fail at any statement instead of waiting at its first
        event.listen(self.write, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        event.listen(self.read, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))

    def open(self, profile: DatabaseProfile) -> None:
        self._create_file()
        version = self.version()
        self._set_up_file()
        if version is None:
            self.migrate(profile)
        elif version != schema.VERSIONS[-1]:
            with _migration_lock(self._file):
                # another program may have done it since
                version = self.version()
                if version and version != schema.VERSIONS[-1]:
                    copy_before_migration(self._file, version)
                    self.migrate(profile)
                    remove_old_copies(self._file)
        self._watch = FileWatch(self._file, self._connect("rw"))

    def close(self) -> None:
        super().close()
        if self._watch:
            self._watch.close()

    def lock_schema(self, connection: Connection) -> None:
        """BEGIN IMMEDIATE has locked the file, and no statement has a time limit."""

    def hold_schema(self, connection: Connection) -> None:
        """One program writes at a time."""

    def create_tables(self, connection: Connection, profile: DatabaseProfile) -> None:
        metadata.create_all(connection)

    def insert(self, table: Table) -> Insert:
        return insert(table)

    def make_room(self, records: Sequence[Record], since: date) -> None:
        """There are no partitions."""

    def make_partitions(self, ahead: int | None = None, since_s: float | None = None) -> int:
        return 0

    def drop_partitions_before(self, moment_s: float, tables: Iterable[str]) -> int:
        return 0

    def file_change(self) -> str:
        return self._watch.file_change() if self._watch else ""

    def rescue(self) -> None:
        if self._watch:
            self._watch.rescue()

    def _engine(self, url: URL, mode: str) -> Engine:
        return create_engine(
            url,
            creator=lambda: self._connect(mode),
            poolclass=QueuePool,
            pool_size=KEPT_OPEN,
            max_overflow=MAX_READERS - KEPT_OPEN,
        )

    def _connect(self, mode: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{quote(str(self._file))}?mode={mode}",
            uri=True,
            timeout=BUSY_S,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")
        return connection

    def _create_file(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        if error := access_error(self._file):
            raise error
        if not self._file.exists():
            self._connect("rwc").close()

    def _set_up_file(self) -> None:
        """What SQLite keeps in the file itself; both statements do nothing where it was done before."""
        connection = self._connect("rw")
        try:
            connection.execute(f"PRAGMA page_size={PAGE_BYTES}")
            _use_wal(connection)
        finally:
            connection.close()


@contextmanager
def _migration_lock(file: Path) -> Iterator[None]:
    """Copies and migrates a file as the only program. Raises StoreError while another one does.

    The lock is on a file beside it: to close a file drops the locks that SQLite has on it in this process.
    """
    path = file.with_name(f"{file.name}.migrating")
    until_s = time.monotonic() + BUSY_S
    while True:
        # opened again each time: the program before may have removed the file that it had locked
        with path.open("w") as lock:
            if _locks(lock, path):
                try:
                    yield
                finally:
                    path.unlink(missing_ok=True)
                return
        if time.monotonic() > until_s:
            raise StoreError(
                f"{file} is being brought up to date by another iskra-server. Wait until that has finished; "
                "do not stop it."
            )
        time.sleep(0.05)


def _locks(lock: TextIO, path: Path) -> bool:
    """Whether the open file is locked now, and is still the one at its path."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(lock.fileno()), path.stat())
    except (BlockingIOError, FileNotFoundError):
        return False


def _use_wal(connection: sqlite3.Connection) -> None:
    """Where several programs do this at once, SQLite refuses some without waiting, to avoid a deadlock: retry."""
    until_s = time.monotonic() + BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until_s:
                raise
        time.sleep(0.01)
