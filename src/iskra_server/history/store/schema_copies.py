"""Copies of an SQLite history that are made before its schema changes: the way back to an older iskra-server.

iskra.sqlite.schema-0005    history as it was when its schema was 0005; the two newest copies are kept
"""

import logging
import os
from pathlib import Path

from iskra_server.history.store import StoreError, schema
from iskra_server.history.store.backup import copy_history

KEPT_COPIES = 2
# beside the copy, a migration may write every table again before the old pages are free
_TIMES_SIZE = 2
_MB = 1_000_000

log = logging.getLogger(__name__)


def copy_before_migration(file: Path, version: str) -> Path:
    """Copy a history of schema `version` beside itself. Raises StoreError, also where the disk has too little room."""
    copy = _copy_of(file, version)
    # a migration that failed is tried again every minute: one copy of the same content is enough for a memory card
    written_ns = max(status.st_mtime_ns for status in _written(file))
    if copy.exists() and copy.stat().st_mtime_ns == written_ns:
        return copy
    _check_room(file)
    copy_history(file, copy)
    os.utime(copy, ns=(written_ns, written_ns))
    log.info("%s is copied to %s, and brought up from schema %s to %s.", file, copy, version, schema.VERSIONS[-1])
    return copy


def remove_old_copies(file: Path) -> None:
    """Keep the newest copies; what older ones hold is in these too."""
    for _, copy in sorted(_copies(file).items())[:-KEPT_COPIES]:
        copy.unlink(missing_ok=True)


def newest_copy(file: Path) -> Path | None:
    """The newest copy that this program can read; None where there is none."""
    readable = {version: copy for version, copy in _copies(file).items() if version in schema.VERSIONS}
    return readable[max(readable)] if readable else None


def _check_room(file: Path) -> None:
    needed = _TIMES_SIZE * sum(status.st_size for status in _written(file))
    disk = os.statvfs(file.parent)
    free = disk.f_bavail * disk.f_frsize
    if free < needed:
        raise StoreError(
            f"{file} needs {_format_mb(needed)} to be copied and brought up to date, but its disk has "
            f"{_format_mb(free)} free. Make room; history then catches up by itself."
        )


def _written(file: Path) -> list[os.stat_result]:
    """The file, and its WAL where that holds something: opening a file makes an empty one."""
    wal = Path(f"{file}-wal")
    return [path.stat() for path in (file, wal) if path == file or (wal.exists() and wal.stat().st_size)]


def _copies(file: Path) -> dict[str, Path]:
    """Every copy, by its schema."""
    begin = _copy_of(file, "").name
    names = (path for path in file.parent.iterdir() if path.name.startswith(begin))
    return {version: path for path in names if (version := path.name.removeprefix(begin)).isdecimal()}


def _copy_of(file: Path, version: str) -> Path:
    return file.with_name(f"{file.name}.schema-{version}")


def _format_mb(size: int) -> str:
    return f"{size / _MB:,.1f} MB"
