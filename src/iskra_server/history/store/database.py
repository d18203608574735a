"""Opens a database: SQLite or PostgreSQL, checked, and brought up to the newest schema. Raises StoreError.

Writing and reading have connections of their own. SQLite lies in WAL mode: a reader sees the last commit and never
waits for the one that is being written; NORMAL syncs at checkpoints only, so that a memory card sees few writes.

Everything that waits for PostgreSQL has a limit: a connection 5 s, a lock 5 s, a statement 30 s, and its answer 35 s
where the server itself has stopped or the network swallows it.
"""

import sqlite3
import time
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Column, Connection, Engine, MetaData, String, Table, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from iskra_server.base.address import Address
from iskra_server.history.store import StoreError, partitions, postgresql_layout
from iskra_server.history.store.backup import back_up
from iskra_server.history.store.database_errors import access_error, display_name, driver_missing, store_error
from iskra_server.history.store.file_watch import FileWatch
from iskra_server.history.store.location import check_address, sqlite_file
from iskra_server.history.store.postgresql_layout import PLAIN, DatabaseProfile
from iskra_server.history.store.schema import VERSION_TABLE, VERSIONS, metadata

# shorter than what a shutdown waits for the last flush
BUSY_S = 2
# as many as threads that answer requests
READERS = 40
# smaller than the default of 4096: a flush touches a few pages, and each goes to the disk whole (docs/performance.md)
PAGE_BYTES = 2048
_KEPT_OPEN = 4
_CONNECT_S = 5
# of PostgreSQL, in milliseconds: somebody else's lock, and what a statement may take at all
LOCK_MS = 5_000
STATEMENT_MS = 30_000
# a connection that nobody uses is tried after 30 s, and given up 30 s later
_KEEPALIVES = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 10_000}
# two servers that start at once do not migrate the same PostgreSQL at once
_MIGRATION_LOCK = 0x49534B5241


class Database(Struct, frozen=True):
    """A database that is open: SQLAlchemy engines for writing and for reading; `anchor` holds on to an SQLite file."""

    url: URL
    write: Engine
    read: Engine
    anchor: FileWatch | None = None

    def close(self) -> None:
        self.write.dispose()
        self.read.dispose()
        if self.anchor:
            self.anchor.close()


def open_database(address: str | Address, profile: DatabaseProfile = PLAIN) -> Database:
    """Open, create where absent (PostgreSQL: in a profile), check and migrate. Raises StoreError."""
    url = _parse(Address(address))
    database = _sqlite(url) if url.drivername == "sqlite" else _postgresql(url)
    try:
        _bring_up(database, profile)
        if url.drivername == "sqlite":
            file = Path(url.database or "").absolute()
            database = replace(database, anchor=FileWatch(file, _connect(file, "rw")))
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        database.close()
        raise store_error(url, error) from error
    except StoreError:
        database.close()
        raise
    return database


def _parse(address: Address) -> URL:
    try:
        if address.scheme == "sqlite":
            return URL.create("sqlite", database=sqlite_file(address))
        check_address(address)
        host = f"[{address.host}]" if ":" in address.host else address.host
        place = f"{host}:{address.port}" if address.port else host
        url = make_url(f"postgresql+psycopg://{place}{address.rest}")
    except (ArgumentError, ValueError) as error:
        reason = str(error) if isinstance(error, ValueError) else "database_url is not an address"
        raise StoreError(f"{reason}.") from None
    return url.set(username=address.user or None, password=address.password.reveal() or None)


def _sqlite(url: URL) -> Database:
    path = Path(url.database or "")
    engines = [
        create_engine(
            url,
            creator=lambda mode=mode: _connect(path, mode),
            poolclass=QueuePool,
            pool_size=_KEPT_OPEN,
            max_overflow=READERS - _KEPT_OPEN,
        )
        for mode in ("rw", "ro")
    ]
    # a deferred transaction that turns into a writing one can fail at any statement instead of waiting at its first
    event.listen(engines[0], "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    event.listen(engines[1], "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return Database(url, engines[0], engines[1])


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?mode={mode}", uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")
    return connection


def _postgresql(url: URL) -> Database:
    options = {
        "connect_timeout": _CONNECT_S,
        **_KEEPALIVES,
        # a database that was made in the locale C says nothing of its encoding, and text would come as bytes
        "client_encoding": "utf8",
        # a pooler in between may hand the next transaction to another server process
        "prepare_threshold": None,
    }
    try:
        engines = [
            create_engine(
                url, connect_args=options, pool_pre_ping=True, pool_size=_KEPT_OPEN, max_overflow=READERS - _KEPT_OPEN
            )
            for _ in ("write", "read")
        ]
        from iskra_server.history.store.patience import TimeLimitedConnection  # noqa: PLC0415
    except ImportError:
        raise driver_missing() from None
    for engine in engines:
        event.listen(
            engine, "do_connect", lambda _dialect, _record, _, options: TimeLimitedConnection.connect(**options)
        )
        event.listen(engine, "begin", _limit)
    return Database(url, engines[0], engines[1])


def _limit(connection: Connection) -> None:
    """For this transaction: a pooler in between would refuse the same in the options of a connection."""
    limits = f"SET LOCAL lock_timeout = {LOCK_MS}; SET LOCAL statement_timeout = {STATEMENT_MS}"
    connection.exec_driver_sql(limits)


def _bring_up(database: Database, profile: DatabaseProfile) -> None:
    file = Path(database.url.database or "") if database.url.drivername == "sqlite" else None
    if file:
        _create(file)
    # as a reader: another program may be writing
    with database.read.connect() as connection:
        found = _version(database.url, connection)
    if file:
        _set_up(file)
    if found != VERSIONS[-1]:
        if file and found:
            back_up(file, file.with_name(f"{file.name}.before-{VERSIONS[-1]}"))
        _to_newest(database, profile)
    if not file:
        make_partitions(database, partitions.months_ahead(time.time()))


def _version(url: URL, connection: Connection) -> str | None:
    """The version of the schema, or None where the database is empty."""
    tables = inspect(connection).get_table_names()
    if not tables:
        return None
    if VERSION_TABLE not in tables:
        raise StoreError(
            f"{display_name(url)} holds the tables of another program. Give history a database of its own."
        )
    version = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()
    if version not in VERSIONS:
        raise StoreError(
            f"{display_name(url)} was written by a newer iskra-server (schema {version}, this one knows "
            f"{VERSIONS[-1]}). Install the newer version again."
        )
    return str(version)


def _create(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    if denied := access_error(file):
        raise denied
    if not file.exists():
        _connect(file, "rwc").close()


def _set_up(file: Path) -> None:
    """What SQLite keeps in the file itself; both do nothing where it was done before."""
    connection = _connect(file, "rw")
    try:
        connection.execute(f"PRAGMA page_size={PAGE_BYTES}")
        _use_wal(connection)
    finally:
        connection.close()


def _use_wal(connection: sqlite3.Connection) -> None:
    """Of several programs that do this at once SQLite refuses some without waiting, lest they wait for each other."""
    until_s = time.monotonic() + BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until_s:
                raise
        time.sleep(0.01)


def _to_newest(database: Database, profile: DatabaseProfile) -> None:
    """All steps in one transaction; the version is read again where no other program can write it."""
    with database.write.begin() as connection:
        if database.url.drivername != "sqlite":
            _lift_limits(connection)
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
        found = _version(database.url, connection)
        if found is None:
            _lay_out(connection, profile)
        elif found != VERSIONS[-1]:
            # Alembic takes its time and memory to import and is seldom needed
            from iskra_server.history.store.migrations import upgrade  # noqa: PLC0415

            upgrade(connection)


def _lift_limits(connection: Connection) -> None:
    """To rewrite a large table takes its time; another program's lock is waited for as ever, and the connection closed.

    For one transaction, the last one of its connection.
    """
    connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
    if driver := connection.connection.driver_connection:
        driver.answer_s = float("inf")
    connection.detach()


def make_partitions(database: Database, months: Iterable[date]) -> int:
    """PostgreSQL: make what is missing of some months, if the user may; says how many partitions."""
    wanted, now_s = list(months), time.time()
    with database.read.connect() as connection:
        if not partitions.missing_partitions(connection, wanted, now_s):
            return 0
    with database.write.begin() as connection:
        return partitions.create_partitions(connection, wanted, now_s)


def _lay_out(connection: Connection, profile: DatabaseProfile) -> None:
    """The newest schema at once, in an empty database; a test holds it equal to what the migrations make."""
    if connection.dialect.name == "postgresql":
        postgresql_layout.create_tables(connection, profile)
    else:
        metadata.create_all(connection)
    name = Column("version_num", String(32), primary_key=True)
    versions = Table(VERSION_TABLE, MetaData(naming_convention={"pk": "%(table_name)s_pkc"}), name)
    versions.create(connection)
    connection.execute(versions.insert().values(version_num=VERSIONS[-1]))
