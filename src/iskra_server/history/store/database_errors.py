"""Errors of a database or its file as StoreError: one sentence that names it and says what to do."""

import errno
import os
import sqlite3
from pathlib import Path

from sqlalchemy.engine import URL
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from iskra_server.base.address import Address
from iskra_server.base.installation import how_to_add
from iskra_server.history.store import DatabaseAway, SchemaChanged, StoreError

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
_DENIED = (
    "{server} denies {user} a right ({said}). Use the owner of {database} for this. At a central server the owner runs "
    "roles.sql again after an upgrade."
)
# by SQLSTATE, or by its class
_STATES = {
    "": "{server} cannot be reached ({said}). Start it, or correct history.database_url.",
    "08": "{server} has lost a connection, or does not reach one of its nodes ({said}). See that all of them run.",
    "22": "{server} refuses a value ({said}).",
    "2200H": "{server} has no number left for a new row ({said}). Set the sequence back to the highest id in use.",
    "23": "{server} refuses a row ({said}).",
    "25006": "{server} lets {user} only read ({said}). After an upgrade run iskra-server prepare as the owner of "
    "{database}; what changes data also needs the owner.",
    "40": "{server} gave way to another program that uses the same rows ({said}). Try again.",
    "42501": _DENIED,
    # there is a schema, but the user may not look into it
    "3F000": _DENIED,
    "53": "{server} is out of room or connections ({said}). Make room; history then catches up by itself.",
    "53400": "{server} has reached a limit of its configuration ({said}). Raise it there.",
    "55P03": "{server} is locked ({said}). See in pg_stat_activity who holds its tables, and end that.",
    "57": "{server} went away ({said}). Start it again.",
    "57014": "{server} does not answer in time ({said}). See in pg_stat_activity what keeps it busy.",
    "58": "{server} cannot use its files ({said}). Check its disk, and see its log.",
    "XX": "{server} has an internal error ({said}). See its log.",
}
_OTHER = "{server} cannot be used as history: {said}."
# what the content of a row can cause: number out of range, text that cannot be stored, NULL or CHECK (Appendix A of the
# PostgreSQL manual). Every other error is trouble of the server, and passes
_CONTENT = ("22001", "22003", "22021", "22P05", "23502", "23514")
# states and classes that concern all rows alike: connection, read-only, login, no such database, transaction given way,
# right, resources, lock, operator, system, internal
_OUTAGES = ("", "08", "25", "28", "3D", "3F", "40", "42501", "53", "55P03", "57", "58", "XX")
# classes of states that end by themselves; a wrong password or name of the database does not
_AWAY = ("", "08", "53", "57", "58")


def display_name(url: URL) -> str:
    """The file of a database, or its address without the password."""
    if url.drivername.startswith("sqlite"):
        return url.database or "memory"
    return str(_address(url))


def _address(url: URL) -> Address:
    """As it is configured: without the name of the driver."""
    return Address(url.set(drivername=url.get_backend_name()).render_as_string(hide_password=False))


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
    """Whether the content of a row is wrong, so that it can never be written."""
    cause = error.__cause__
    if not isinstance(cause, DBAPIError):
        return False
    if isinstance(cause.orig, sqlite3.Error):
        # a foreign key fails for a row that somebody has deleted
        foreign_key = getattr(cause.orig, "sqlite_errorcode", 0) == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY
        return isinstance(cause, (DataError, IntegrityError)) and not foreign_key
    # psycopg refuses a NUL in text by itself, without a state
    return (_sqlstate(cause.orig) or isinstance(cause, DataError)) in (True, *_CONTENT)


def is_outage(error: StoreError) -> bool:
    """Whether the database or the connection fails for every row alike: it may be repeated until that has passed."""
    if isinstance(error, SchemaChanged):
        return True
    cause = error.__cause__
    if isinstance(cause, DBAPIError) and not isinstance(cause.orig, sqlite3.Error):
        state = _sqlstate(cause.orig)
        return not is_data_error(error) and (state in _OUTAGES or state[:2] in _OUTAGES)
    return cause is not None and not is_data_error(error)


def database_message(error: StoreError) -> str:
    """What the database itself says, without its address and user."""
    return _message(getattr(error.__cause__, "orig", None) or error.__cause__)


def _message(error: object) -> str:
    """Without the statement, and where in it the error lies."""
    diagnostics = getattr(error, "diag", None)
    parts = getattr(diagnostics, "message_primary", None), getattr(diagnostics, "message_detail", None)
    return " ".join((". ".join(filter(None, parts)) or str(error)).split())


def driver_missing() -> StoreError:
    return StoreError(f"PostgreSQL needs a driver: {how_to_add('postgres')}.")


def store_error(url: URL, error: SQLAlchemyError | sqlite3.Error | OSError) -> StoreError:
    """An error of a database or of its file as one sentence."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    if isinstance(cause, sqlite3.Error):
        return StoreError(_sqlite_error(Path(display_name(url)), cause))
    if isinstance(cause, OSError):
        return StoreError(_file_error(Path(display_name(url)), cause))
    if isinstance(cause, PoolTimeout):
        return StoreError(f"{display_name(url)} is too busy: every connection is in use. Ask for less at once.")
    return _postgresql_error(url, cause, is_data=isinstance(error, DataError))


def _file_error(path: Path, error: OSError) -> str:
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{path} may not be written. Let user {os.geteuid()} write to {path.parent}, or set history.data_dir."
    if error.errno == errno.EROFS:
        return f"{path.parent} is read-only. Mount it writable, or set history.data_dir to another directory."
    if error.errno == errno.EISDIR:
        return f"{path} is a directory. Name a file in it."
    if error.errno == errno.ENOSPC:
        return _disk_full(path)
    return f"{path} cannot be used ({error.strerror or error}). Set history.data_dir to another directory."


def _disk_full(path: Path) -> str:
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


def _postgresql_error(url: URL, error: BaseException, *, is_data: bool) -> StoreError:
    """PostgreSQL words errors in its own language, and has no SQLSTATE while a connection is made."""
    said = _message(error)
    names = {"server": _server(url), "user": url.username, "database": url.database, "said": _address(url).masked(said)}
    refusal = next((sentence for phrase, sentence in _REFUSALS.items() if phrase.format(**names) in said), None)
    state = _sqlstate(error) or ("22" if is_data else "")
    sentence = (refusal or _STATES.get(state) or _STATES.get(state[:2]) or _OTHER).format(**names)
    is_away = not refusal and state[:2] in _AWAY
    return DatabaseAway(sentence) if is_away else StoreError(sentence)


def _sqlstate(error: object) -> str:
    return str(getattr(error, "sqlstate", None) or "")


def _server(url: URL) -> str:
    return f"PostgreSQL at {url.host or 'this machine'}:{url.port or 5432}"
