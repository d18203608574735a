"""A real PostgreSQL that was stopped, so that it takes bytes and never answers; one that a newer program changes."""

import os
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

import psycopg
import pytest

from history.entries import METER, QUARTER, quarter_reading, wait_until
from history.postgres import Postgres
from iskra_server.history.recording.writer import Writer
from iskra_server.history.store import SchemaChanged, StoreError, postgresql
from iskra_server.history.store.database_errors import is_data_error, is_outage
from iskra_server.history.store.postgresql import TimeLimitedConnection
from iskra_server.history.store.store import Store
from samples import IMPORT, METER_ID


@contextmanager
def stopped(address: str) -> Iterator[None]:
    """The server processes of all connections stand still, but for those that are ending just now."""
    with psycopg.connect(address) as connection:
        clients = "FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        processes = [pid for (pid,) in connection.execute(f"SELECT pid {clients}").fetchall()]
    try:
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGSTOP)
        yield
    finally:
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)


@pytest.mark.skipif(os.geteuid() != 0, reason="the server processes belong to another user")
def test_the_connection_to_a_stopped_server_is_given_up_and_nothing_is_lost(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TimeLimitedConnection, "answer_s", 1.0)
    address = postgres.database()
    writer = Writer(lambda: Store(address), together_s=0.01, first_retry_s=0.05, name="PostgreSQL")
    writer.start()
    writer.enqueue([quarter_reading()], METER)
    wait_until(lambda: writer.state.last_flush is not None)
    with stopped(address):
        # a connection that does not answer is replaced by a new one
        writer.enqueue([quarter_reading(QUARTER + 1)], METER)
        wait_until(lambda: not writer.state.pending_ledger)
        assert writer.store
        assert len(writer.store.quarter_readings_between(METER_ID, IMPORT, 0, 2**31 - 1)) == 2
    writer.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="the server processes belong to another user")
def test_a_statement_whose_server_is_stopped_ends(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    address = postgres.database()
    with closing(Store(address)) as store:
        refused = pytest.raises(StoreError, match=r"cannot be reached \(.*it has not answered for 0 s")
        with refused, store.transaction() as connection, stopped(address), monkeypatch.context() as impatient:
            impatient.setattr(TimeLimitedConnection, "answer_s", 0.5)
            connection.exec_driver_sql("SELECT 7")
        store.write([quarter_reading()], [METER])


def test_a_lock_of_another_program_is_waited_for_no_longer_than_its_limit(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = postgres.database()
    with closing(Store(address)) as store, psycopg.connect(address) as other:
        monkeypatch.setattr(postgresql, "LOCK_MS", 200)
        store.write([quarter_reading()], [METER])
        other.execute("LOCK TABLE boundary IN ACCESS EXCLUSIVE MODE")
        for ask in (lambda: store.write([quarter_reading(QUARTER + 1)]), store.last_counters):
            with pytest.raises(StoreError, match=r"is locked \(.*\)\. See in pg_stat_activity who holds its tables"):
                ask()
        other.rollback()
        store.write([quarter_reading(QUARTER + 1)])
        assert len(store.quarter_readings_between(METER_ID, IMPORT, 0, 2**31 - 1)) == 2


def test_a_statement_takes_no_longer_than_its_limit(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(Store(postgres.database())) as store:
        monkeypatch.setattr(postgresql, "STATEMENT_MS", 200)
        with (
            pytest.raises(StoreError, match="does not answer in time"),
            store.transaction(write=False) as connection,
        ):
            connection.exec_driver_sql("SELECT pg_sleep(20)")


def test_an_answer_in_time_is_as_ever(postgres: Postgres) -> None:
    with TimeLimitedConnection.connect(postgres.url("postgres")) as connection:
        assert connection.execute("SELECT 7").fetchone() == (7,)
        with pytest.raises(psycopg.errors.SyntaxError):
            connection.execute("SELEC")


def test_nothing_is_written_into_the_tables_of_another_version(postgres: Postgres) -> None:
    """A newer program has changed them meanwhile; what this one wrote would lack what they need."""
    address = postgres.database()
    with closing(Store(address)) as store, psycopg.connect(address, autocommit=True) as other:
        store.write([quarter_reading()], [METER])
        other.execute("UPDATE iskra_schema SET version_num = '0999'")
        with pytest.raises(SchemaChanged, match=r"schema 0999, this program writes .*Update this iskra-server") as info:
            store.write([quarter_reading(QUARTER + 1)], [METER])
        # as in an outage, the same is tried again
        assert (is_outage(info.value), is_data_error(info.value)) == (True, False)
        assert len(store.quarter_readings_between(METER_ID, IMPORT, 0, 2**31 - 1)) == 1
        # an older dump was restored meanwhile
        other.execute("UPDATE iskra_schema SET version_num = '0001'")
        with pytest.raises(SchemaChanged, match=r"schema 0001, this program writes \d+\)\. Start it again\.$"):
            store.write([quarter_reading(QUARTER + 1)], [METER])


def test_tables_are_changed_only_between_the_transactions_of_others(postgres: Postgres) -> None:
    address = postgres.database()
    lock = f"SELECT pg_try_advisory_xact_lock({postgresql._MIGRATION_LOCK})".encode()
    with closing(Store(address)) as store, psycopg.connect(address, autocommit=True) as newer:

        def may_migrate() -> object:
            return newer.execute(lock).fetchall()

        with store.transaction():
            assert may_migrate() == [(False,)]
        assert may_migrate() == [(True,)]
