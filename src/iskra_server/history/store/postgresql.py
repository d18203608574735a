"""History in PostgreSQL: connections with time limits, partitions by month, many rows with one statement (bulk.py).

Everything that waits for the server has a limit: a connection 5 s, a lock 5 s, a statement 30 s, and its answer 35 s
where the server itself has stopped or the network loses it. This module alone needs psycopg.
"""

import time
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import psycopg
from psycopg.abc import RV, PQGen
from sqlalchemy import Connection, Table, create_engine, event, text
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.engine import URL

from iskra_server.history.model.records import QUARTER_S, PointBlock, PowerQuarter, QuarterReading, Record
from iskra_server.history.store import SchemaChanged, StoreError, bulk, partitions, schema
from iskra_server.history.store.database import KEPT_OPEN, MAX_READERS, Database
from iskra_server.history.store.database_errors import display_name
from iskra_server.history.store.mapping import RowValues
from iskra_server.history.store.postgresql_layout import (
    check_profile,
    create_tables,
    distribute_new_tables,
    drop_chunks,
)
from iskra_server.history.store.schema import DatabaseProfile

# what a lock of another program, and a statement, may take
LOCK_MS = 5_000
STATEMENT_MS = 30_000
# planning a question opens each month, 0.1 ms: two years take as long as the two or three statements that avoid it
FEW_MONTHS = 24
# for an answer, by our own clock; longer than what a statement may take by the server's
ANSWER_S = 35.0
# how often psycopg looks whether it was interrupted
_INTERVAL_S = 0.1
_OPTIONS = {
    "connect_timeout": 5,
    # a connection that nobody uses is tested after 30 s, and given up 30 s later
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    # a database that was made in the locale C says nothing of its encoding, and text would come as bytes
    "client_encoding": "utf8",
    # a pooler in between may hand the next transaction to another server process
    "prepare_threshold": None,
}
# the number of a lock: two servers that start at once do not migrate the same database at once
_MIGRATION_LOCK = 0x49534B5241


class TimeLimitedConnection(psycopg.Connection[Any]):
    """It closes itself when an answer takes longer than `answer_s`, and raises OperationalError."""

    answer_s = ANSWER_S

    def wait(self, gen: PQGen[RV], interval: float = _INTERVAL_S, timeout: float | None = None) -> RV:
        began = time.monotonic()
        try:
            return super().wait(gen, interval, self.answer_s if timeout is None else timeout)
        except psycopg.Error as error:
            if timeout is not None or time.monotonic() - began < self.answer_s:
                raise
            self.close()
            raise psycopg.OperationalError(f"it has not answered for {self.answer_s:.0f} s") from error


class PostgresqlDatabase(Database):
    is_divided = True

    def __init__(self, url: URL) -> None:
        write, read = (
            create_engine(
                url,
                connect_args=_OPTIONS,
                pool_pre_ping=True,
                pool_size=KEPT_OPEN,
                max_overflow=MAX_READERS - KEPT_OPEN,
            )
            for _ in ("write", "read")
        )
        super().__init__(url, write, read)
        self._profile: DatabaseProfile = "plain"
        # months that are known to have their partitions
        self._months: set[date] = set()
        for engine in (write, read):
            event.listen(engine, "do_connect", lambda _dialect, _record, _, options: _connect(options))
            event.listen(engine, "begin", _limit_times)

    def open(self, profile: DatabaseProfile) -> None:
        version = self.version()
        if version != schema.VERSIONS[-1]:
            if version:
                self._check_owner(version)
            self.migrate(profile)
        with self.read.connect() as connection:
            check_profile(connection, profile)
        self._profile = profile
        if profile == "citus":
            with self.write.begin() as connection:
                distribute_new_tables(connection)
        self.make_partitions()

    def _check_owner(self, version: str) -> None:
        """Raises StoreError where the tables are old and belong to another user, as at a central server."""
        with self.read.connect() as connection:
            if not partitions.is_owner(connection):
                raise StoreError(
                    f"{display_name(self.url)} has the tables of an older version (schema {version}, this one needs "
                    f"{schema.VERSIONS[-1]}), and they do not belong to {self.url.username}. "
                    "Run iskra-server prepare as their owner, then roles.sql."
                )

    def lock_schema(self, connection: Connection) -> None:
        """Rewriting a large table takes its time: no limit but that for locks, and the connection is not used again."""
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        if driver := connection.connection.driver_connection:
            driver.answer_s = float("inf")
        connection.detach()
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))

    def hold_schema(self, connection: Connection) -> None:
        """An older collector would write on while a newer program migrates, and leave out what the new tables need."""
        connection.execute(text(f"SELECT pg_advisory_xact_lock_shared({_MIGRATION_LOCK})"))
        # a statement of its own, to see what was committed while the first one waited
        version = connection.execute(text(f"SELECT version_num FROM {schema.VERSION_TABLE}")).scalar()
        if version != schema.VERSIONS[-1]:
            # older ones are those of a dump that was restored; the next start brings them up to date
            what = "Start" if version in schema.VERSIONS else "Update this iskra-server, too, and start"
            raise SchemaChanged(
                f"{display_name(self.url)} has the tables of another version now (schema {version}, this program "
                f"writes {schema.VERSIONS[-1]}). {what} it again."
            )

    def create_tables(self, connection: Connection, profile: DatabaseProfile) -> None:
        create_tables(connection, profile)

    def snapshot(self) -> Connection:
        return self.read.connect().execution_options(isolation_level="REPEATABLE READ")

    def insert(self, table: Table) -> Insert:
        return insert(table)

    def insert_rows(self, connection: Connection, table: Table, rows: Sequence[RowValues]) -> int:
        insert = bulk.insert_rows if bulk.can_insert(table) else super().insert_rows
        return insert(connection, table, rows)

    def make_room(self, records: Sequence[Record], since: date) -> None:
        """Old months too, such as those of an import."""
        moments = {
            record.quarter * QUARTER_S for record in records if isinstance(record, (QuarterReading, PowerQuarter))
        }
        moments |= {record.first_s for record in records if isinstance(record, PointBlock)}
        new = {month for moment in moments for month in partitions.months_between(moment, moment)} - self._months
        if new:
            now_s = time.time()
            self._create(sorted(month for month in new if month >= since and partitions.is_possible(month, now_s)))
            self._months |= new

    def make_partitions(self, ahead: int | None = None, since_s: float | None = None) -> int:
        # another program may have dropped some since
        self._months.clear()
        months = partitions.MONTHS_AHEAD if ahead is None else ahead
        return self._create(partitions.months_ahead(time.time(), months, since_s))

    def drop_partitions_before(self, moment_s: float, tables: Iterable[str]) -> int:
        drop = drop_chunks if self._profile == "timescale" else partitions.drop_partitions
        with self.write.begin() as connection:
            if not partitions.is_owner(connection):
                return 0
            # a late import has to create them again
            self._months.clear()
            return sum(drop(connection, table, moment_s) for table in tables)

    def file_change(self) -> str:
        return ""

    def rescue(self) -> None:
        """There is no file of ours."""

    def _create(self, months: Iterable[date]) -> int:
        """Create what is missing, if the user may; returns how many partitions.

        A transaction a month, as writers wait for it: Citus takes some tenths of a second for each.
        """
        with self.read.connect() as connection:
            new = sorted({month for _, month in partitions.missing_partitions(connection, months)})
            known = partitions.count_months(connection)
        self.is_asked_in_windows = self._profile != "plain" or known + len(new) > FEW_MONTHS
        count = 0
        for month in new:
            with self.write.begin() as connection:
                count += partitions.create_partitions(connection, month)
        return count


def _connect(options: dict[str, Any]) -> TimeLimitedConnection:
    return TimeLimitedConnection.connect(**options)


def _limit_times(connection: Connection) -> None:
    """For this transaction: a pooler in between would refuse the same in the options of a connection."""
    limits = f"SET LOCAL lock_timeout = {LOCK_MS}; SET LOCAL statement_timeout = {STATEMENT_MS}"
    connection.exec_driver_sql(limits)
