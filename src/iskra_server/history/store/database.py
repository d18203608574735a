"""An open database: what SQLite (sqlite.py) and PostgreSQL (postgresql.py) share, and what each of them must provide.

Writing and reading have connections of their own. Methods raise the errors of SQLAlchemy and of the driver, which Store
and open_database translate into StoreError (database_errors.py).
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Column, Connection, Engine, MetaData, String, Table, inspect, select, text
from sqlalchemy.engine import URL

from iskra_server.history.model.records import Record
from iskra_server.history.store import StoreError, schema
from iskra_server.history.store.batches import batches
from iskra_server.history.store.bulk import insert_all, one_of
from iskra_server.history.store.database_errors import display_name
from iskra_server.history.store.mapping import RowValues
from iskra_server.history.store.schema import VERSION_TABLE, DatabaseProfile, power, series
from iskra_server.history.store.schema_copies import newest_copy
from iskra_server.meter.obis import Obis

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

# as many reading connections as threads that answer requests
MAX_READERS = 40
KEPT_OPEN = 4


class Database(ABC):
    """Engines for writing and for reading. `url` may be shown by `display_name` only: it holds the password."""

    # whether tables are divided by time and perhaps over nodes: each counter is then asked for by itself
    is_divided = False
    # whether a question about one meter names its numbers and its periods (row_ids.py, search_windows.py)
    is_asked_in_windows = False

    def __init__(self, url: URL, write: Engine, read: Engine) -> None:
        self.url = url
        self.write = write
        self.read = read

    @abstractmethod
    def open(self, profile: DatabaseProfile) -> None:
        """Create the database where it is absent, and bring its schema up to date."""

    def close(self) -> None:
        self.write.dispose()
        self.read.dispose()

    def version(self) -> str | None:
        """The version of the schema, None for an empty database; read as a reader, as another program may be writing.

        Raises StoreError for the tables of another program, and for a newer version than this program knows.
        """
        with self.read.connect() as connection:
            return _version(self.url, connection)

    def migrate(self, profile: DatabaseProfile) -> None:
        """All steps in one transaction. The version is read again where no other program can change it."""
        with self.write.begin() as connection:
            self.lock_schema(connection)
            version = _version(self.url, connection)
            if version is None:
                # the newest schema at once, without Alembic: importing that takes 0.3 s and 13 MB, which every first
                # start would pay. A test holds this equal to what the migrations make
                self.create_tables(connection, profile)
                _write_version(connection)
            elif version != schema.VERSIONS[-1]:
                from iskra_server.history.store.migrations import upgrade  # noqa: PLC0415

                upgrade(connection)

    @abstractmethod
    def lock_schema(self, connection: Connection) -> None:
        """Keep other programs from migrating until this transaction ends; it may take longer than others may."""

    @abstractmethod
    def hold_schema(self, connection: Connection) -> None:
        """PostgreSQL: keep other programs from migrating until this transaction ends.

        Raises SchemaChanged where one has done so since this database was opened.
        """

    @abstractmethod
    def create_tables(self, connection: Connection, profile: DatabaseProfile) -> None:
        """Create every table of the newest schema in an empty database."""

    def snapshot(self) -> Connection:
        """A connection whose queries all see the same state of the database: SQLite does so in each transaction."""
        return self.read.connect()

    @abstractmethod
    def insert(self, table: Table) -> "sqlite.Insert | postgresql.Insert":
        """An INSERT that can be given ON CONFLICT."""

    def insert_rows(self, connection: Connection, table: Table, rows: Sequence[RowValues]) -> int:
        """Existing rows stay. But a restart cuts a quarter's power in two: the half with more telegrams counts.

        Returns how many rows were inserted or changed.
        """
        insert = self.insert(table)
        if table is not power:
            return connection.execute(insert.on_conflict_do_nothing(), rows).rowcount
        new = insert.excluded
        update = insert.on_conflict_do_update(
            index_elements=[column.name for column in power.primary_key],
            set_={column.name: new[column.name] for column in power.c if not column.primary_key},
            where=new.telegrams > power.c.telegrams,
        )
        return connection.execute(update, rows).rowcount

    def series_ids(
        self, connection: Connection, keys: Sequence[tuple[str, Obis]], meter_ids: Mapping[str, int]
    ) -> dict[tuple[str, Obis], int]:
        """The row ids of series, which are created where they are missing; `meter_ids` has those of their meters."""
        ids = self._find_series(connection, keys, meter_ids)
        if new := [key for key in keys if key not in ids]:
            # an INSERT of a known one would spend a number, although it changes nothing
            rows = [{"meter": meter_ids[name], "obis": str(obis)} for name, obis in new]
            insert_all(connection, self.insert(series).on_conflict_do_nothing(), rows)
            ids |= self._find_series(connection, new, meter_ids)
        return ids

    def _find_series(
        self, connection: Connection, keys: Sequence[tuple[str, Obis]], meter_ids: Mapping[str, int]
    ) -> dict[tuple[str, Obis], int]:
        wanted = {(meter_ids[name], str(obis)): (name, obis) for name, obis in keys}
        meters = sorted({number for number, _ in wanted})
        statement = select(series.c.meter, series.c.obis, series.c.id)
        ids = {}
        for batch in batches(meters):
            for row in connection.execute(statement.where(one_of(connection, series.c.meter, batch))):
                if key := wanted.get((row.meter, row.obis)):
                    ids[key] = row.id
        return ids

    @abstractmethod
    def make_room(self, records: Sequence[Record], since: date) -> None:
        """PostgreSQL: create the partitions that records need, of months from `since` on."""

    @abstractmethod
    def make_partitions(self, ahead: int | None = None, since_s: float | None = None) -> int:
        """PostgreSQL: create missing partitions from `since_s` (Unix seconds) or now on; returns how many."""

    @abstractmethod
    def drop_partitions_before(self, moment_s: float, tables: Iterable[str]) -> int:
        """PostgreSQL: drop the partitions of whole months that end before a moment; returns how many."""

    @abstractmethod
    def file_change(self) -> str:
        """SQLite: what happened to the file since it was opened, as a clause; "" where it is as it was."""

    @abstractmethod
    def rescue(self) -> None:
        """SQLite: save what a displaced file held, so that it can be opened again."""


def _version(url: URL, connection: Connection) -> str | None:
    tables = inspect(connection).get_table_names()
    if not tables:
        return None
    if VERSION_TABLE not in tables:
        raise StoreError(
            f"{display_name(url)} holds the tables of another program. Give history a database of its own."
        )
    version = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()
    if version not in schema.VERSIONS:
        raise StoreError(
            f"{display_name(url)} was written by a newer iskra-server (schema {version}, this one knows "
            f"{schema.VERSIONS[-1]}). Install the newer version again{_way_back(url)}."
        )
    return str(version)


def _way_back(url: URL) -> str:
    """How history becomes what it was before the newer program changed its schema."""
    if not url.drivername.startswith("sqlite"):
        return ", or restore the dump of before its update"
    copy = newest_copy(Path(display_name(url)))
    if copy is None:
        return ""
    return f", or go back to history as it was before its update: stop iskra-server, then iskra-server restore {copy}"


def _write_version(connection: Connection) -> None:
    """As Alembic would."""
    name = Column("version_num", String(32), primary_key=True)
    versions = Table(VERSION_TABLE, MetaData(naming_convention={"pk": "%(table_name)s_pkc"}), name)
    versions.create(connection)
    connection.execute(versions.insert().values(version_num=schema.VERSIONS[-1]))
