"""Errors of a database or its file as StoreError: one sentence that names it and says what to do."""

import errno
import os
import sqlite3
from pathlib import Path

from sqlalchemy.engine import URL
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from iskra_server.base.address import Address
from iskra_server.history.store import StoreError

# extended result codes of SQLite carry the primary one in their low byte
_PRIMARY = 0xFF
_SQLITE = {
    sqlite3.SQLITE_NOTADB: "{path} is not a database. Move it away, or restore a backup with iskra-server restore.",
    sqlite3.SQLITE_CORRUPT: "{path} is damaged ({error}). Restore a backup with iskra-server restore.",
    sqlite3.SQLITE_FULL: "The disk that holds {path} is full. Make room; history then catches up by itself.",
    sqlite3.SQLITE_BUSY: "{path} is locked by another program. Find it with sudo fuser -v {path} and stop it.",
    sqlite3.SQLITE_LOCKED: "{path} is locked by another program. Find it with sudo fuser -v {path} and stop it.",
    sqlite3.SQLITE_IOERR: "The disk that holds {path} reports an error ({error}). Check the disk or memory card.",
}
_REFUSALS = {
    'password authentication failed for user "{user}"': "{server} refuses the password of {user}. "
    "Correct it in history.database_url.",
    "no password supplied": "{server} asks {user} for a password. Add it to history.database_url.",
    'database "{database}" does not exist': "{server} has no database {database}. "
    "Create it: createdb --owner {user} {database}.",
    'role "{user}" does not exist': "{server} knows no user {user}. Create it: createuser --pwprompt {user}.",
}
_DENIED = "{server} denies {user} a right ({said}). Make {user} the owner of {database}."
# by SQLSTATE, or by its class
_STATES = {
    "": "{server} cannot be reached ({said}). Start it, or correct history.database_url.",
    "55P03": "{server} is locked ({said}). See in pg_stat_activity who holds its tables, and end that.",
    "57014": "{server} does not answer in time ({said}). See in pg_stat_activity what keeps it busy.",
    "57": "{server} went away ({said}). Start it again.",
    "53": "{server} is out of room or connections ({said}). Make room; history then catches up by itself.",
    "42501": _DENIED,
    # there is a schema, but the user may not look into it
    "3F000": _DENIED,
}
_OTHER = "{server} cannot be used as history: {said}."
_DRIVER = "PostgreSQL needs a driver: pip install 'iskra-electricity-server[postgres]'."


def display_name(url: URL) -> str:
    """The file of a database, or its address without the password."""
    if url.drivername.startswith("sqlite"):
        return url.database or "memory"
    return str(_address(url))


def _address(url: URL) -> Address:
    return Address(url.render_as_string(hide_password=False))


def display_address(address: Address) -> str:
    """The file of a database, or its server, for a sentence."""
    if address.scheme == "sqlite":
        return str(address).removeprefix("sqlite:///")
    return f"PostgreSQL at {address.host or 'this machine'}"


def access_error(path: Path) -> OSError | None:
    """Why a file, or a new one in its directory, cannot be written; SQLite would silently open it read-only.

    The file is not opened to find out: closing it would release the locks that SQLite holds in this process.
    """
    if path.is_dir():
        return IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    may = os.access(path.parent, os.W_OK | os.X_OK, effective_ids=True)
    if may and (not path.exists() or os.access(path, os.R_OK | os.W_OK, effective_ids=True)):
        return None
    number = errno.EROFS if os.statvfs(path.parent).f_flag & os.ST_RDONLY else errno.EACCES
    return OSError(number, os.strerror(number))


def is_data_error(error: StoreError) -> bool:
    """Whether the rows are wrong and can never be written; else the database or the connection failed."""
    cause = error.__cause__
    if cause is None:
        return True
    return isinstance(cause, (DataError, IntegrityError))


def driver_missing() -> StoreError:
    return StoreError(_DRIVER)


def store_error(url: URL, error: SQLAlchemyError | sqlite3.Error | OSError) -> StoreError:
    """An error of a database or of its file as one sentence."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    if isinstance(cause, sqlite3.Error):
        return StoreError(_sqlite_error(Path(display_name(url)), cause))
    if isinstance(cause, OSError):
        return StoreError(_file_error(Path(display_name(url)), cause))
    if isinstance(cause, PoolTimeout):
        return StoreError(f"{display_name(url)} is too busy: every connection is in use. Ask for less at once.")
    return StoreError(_postgresql_error(url, cause))


def _file_error(path: Path, error: OSError) -> str:
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{path} may not be written. Let user {os.geteuid()} write to {path.parent}, or set history.data_dir."
    if error.errno == errno.EROFS:
        return f"{path.parent} is read-only. Mount it writable, or set history.data_dir to another directory."
    if error.errno == errno.EISDIR:
        return f"{path} is a directory. Name a file in it."
    if error.errno == errno.ENOSPC:
        return _full(path)
    return f"{path} cannot be used ({error.strerror or error}). Set history.data_dir to another directory."


def _full(path: Path) -> str:
    return _SQLITE[sqlite3.SQLITE_FULL].format(path=path)


def _sqlite_error(path: Path, error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return _not_writable(path, error)
    return _SQLITE.get(code, "{path} cannot be used as history: {error}.").format(path=path, error=error)


def _not_writable(path: Path, error: sqlite3.Error) -> str:
    """Why a file cannot be opened or written: SQLite does not say, but the file and its directory do."""
    if not path.parent.is_dir():
        return f"The directory {path.parent} does not exist. Create it, or set history.data_dir."
    denied = access_error(path)
    return _file_error(path, denied) if denied else f"{path} cannot be opened: {error}."


def _postgresql_error(url: URL, error: BaseException) -> str:
    """PostgreSQL words errors in its own language, and has no SQLSTATE while a connection is made."""
    said = " ".join(str(error).split())
    names = {"server": _server(url), "user": url.username, "database": url.database, "said": _address(url).masked(said)}
    refusal = next((sentence for phrase, sentence in _REFUSALS.items() if phrase.format(**names) in said), None)
    state = str(getattr(error, "sqlstate", None) or "")
    return (refusal or _STATES.get(state) or _STATES.get(state[:2]) or _OTHER).format(**names)


def _server(url: URL) -> str:
    return f"PostgreSQL at {url.host or 'this machine'}:{url.port or 5432}"
