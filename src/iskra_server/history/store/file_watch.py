"""Notices that an SQLite file was removed, replaced or truncated while it is in use, and rescues what it held.

    iskra.sqlite   missing                 the copy takes its place
                   the same, no -wal       the copy takes its place
                   another file            the copy goes beside it, as iskra.sqlite.replaced-TIME
                   truncated               it is moved to iskra.sqlite.damaged-TIME, a new one begins

SQLite itself would go on writing into the removed file. The copy is made through a connection that was opened before
and still reads that file: it holds everything that was committed.
"""

import logging
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.engine import URL

from iskra_server.base.spool import sync
from iskra_server.history.store.backup import WAL_SUFFIXES
from iskra_server.history.store.database_errors import store_error

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_PRIMARY = 0xFF

log = logging.getLogger(__name__)

Identity = tuple[int, int] | None


class FileWatch:
    """For one thread. `connection` reads the file and is closed with the watch."""

    def __init__(self, file: Path, connection: sqlite3.Connection) -> None:
        self._file = file
        self._connection = connection
        # opens -wal and -shm too
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        self._known = {path: _identity(path) for path in self._files()}
        self._size = file.stat().st_size
        self._is_rescued = False

    def close(self) -> None:
        self._connection.close()

    def file_change(self) -> str:
        """What happened to the file, as a clause; "" where it is as it was."""
        for path, identity in self._known.items():
            current = _identity(path)
            if current != identity:
                return f"{path} was {'replaced' if current else 'removed'} while it was in use"
        size = self._file.stat().st_size
        if size < self._size and not _is_sound(self._file):
            return f"{self._file} was truncated while it was in use"
        self._size = size
        return ""

    def rescue(self) -> None:
        """Save what the file held, so that a history can be opened there. Raises StoreError; may be repeated."""
        change = "" if self._is_rescued else self.file_change()
        if not change:
            return
        try:
            self._rescue(change)
        except (sqlite3.Error, OSError) as error:
            raise store_error(URL.create("sqlite", database=str(self._file)), error) from error
        self._is_rescued = True

    def _rescue(self, change: str) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        part = self._beside("part")
        is_whole = self._copy(part)
        time = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        current = _identity(self._file)
        is_other = current is not None and current != self._known[self._file]
        aside = self._beside(f"{'replaced' if is_other else 'damaged'}-{time}")
        # the old WAL must not be replayed into the new file
        for suffix in WAL_SUFFIXES:
            path = Path(f"{self._file}{suffix}")
            if current is None or _identity(path) == self._known[path]:
                _move_or_delete(path, None if is_whole else Path(f"{aside}{suffix}"))
        if is_whole:
            part.replace(aside if is_other else self._file)
        elif current is not None and not is_other:
            self._file.replace(aside)
        sync(self._file.parent)
        log.error("%s. %s", change, self._outcome(is_whole=is_whole, is_other=is_other, aside=aside))

    def _outcome(self, *, is_whole: bool, is_other: bool, aside: Path) -> str:
        if is_other:
            kept = f"The old history is kept as {aside}." if is_whole else "The old history could not be read."
            return f"{kept} History continues in the file that is there now."
        if is_whole:
            return f"All of history was saved to a new file {self._file}."
        rest = f"The rest of it is kept as {aside}." if aside.exists() else "Nothing is left of it."
        return (
            f"It could not be read any more. {rest} History continues in a new file; restore a backup if there is one."
        )

    def _copy(self, part: Path) -> bool:
        """Copy the watched file; says whether all of it could be read."""
        part.unlink(missing_ok=True)
        try:
            with closing(sqlite3.connect(part)) as copy:
                self._connection.backup(copy)
                copy.execute("PRAGMA journal_mode=DELETE")
                is_sound = bool(copy.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
        except sqlite3.DatabaseError as error:
            part.unlink(missing_ok=True)
            if getattr(error, "sqlite_errorcode", 0) & _PRIMARY not in _DAMAGED:
                raise
            return False
        if is_sound:
            sync(part)
        else:
            part.unlink()
        return is_sound

    def _files(self) -> list[Path]:
        return [self._file, *(Path(f"{self._file}{suffix}") for suffix in WAL_SUFFIXES)]

    def _beside(self, suffix: str) -> Path:
        return self._file.with_name(f"{self._file.name}.{suffix}")


def _identity(path: Path) -> Identity:
    """Device and inode; None where there is no such file, or its folder cannot be read."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _is_sound(file: Path) -> bool:
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as connection:
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.OperationalError:
        # locked: it is checked again later
        return True
    except sqlite3.DatabaseError:
        return False


def _move_or_delete(path: Path, target: Path | None) -> None:
    try:
        path.replace(target) if target else path.unlink()
    except FileNotFoundError:
        return
