"""A real PostgreSQL that was stopped: it takes bytes and never answers."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg
import pytest

from history.entries import METER, QUARTER, quarter_reading, wait_until
from history.postgres import Postgres
from iskra_server.history.recording.writer import Writer
from iskra_server.history.store import StoreError, postgresql
from iskra_server.history.store.postgresql import TimeLimitedConnection
from iskra_server.history.store.store import Store
from samples import IMPORT, METER_ID


@contextmanager
def stopped(address: str) -> Iterator[None]:
    """The server processes of all connections stand still."""
    with psycopg.connect(address) as connection:
        clients = "FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        processes = [pid for (pid,) in connection.execute(f"SELECT pid {clients}").fetchall()]
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


@pytest.mark.skipif(os.geteuid() != 0, reason="the server processes belong to another user")
def test_a_server_that_was_stopped_is_given_up_and_nothing_is_lost(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TimeLimitedConnection, "answer_s", 0.5)
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
    monkeypatch.setattr(TimeLimitedConnection, "answer_s", 0.5)
    address = postgres.database()
    with closing(Store(address)) as store:
        refused = pytest.raises(StoreError, match=r"cannot be reached \(.*it has not answered for 0 s")
        with refused, store.transaction() as connection, stopped(address):
            connection.exec_driver_sql("SELECT 7")
        store.write([quarter_reading()], [METER])


def test_a_lock_of_somebody_else_is_waited_for_no_longer_than_its_limit(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "LOCK_MS", 200)
    address = postgres.database()
    with closing(Store(address)) as store, psycopg.connect(address) as other:
        store.write([quarter_reading()], [METER])
        other.execute("LOCK TABLE boundary IN ACCESS EXCLUSIVE MODE")
        for ask in (lambda: store.write([quarter_reading(QUARTER + 1)]), store.last_counters):
            with pytest.raises(StoreError, match=r"is locked \(.*\)\. See in pg_stat_activity who holds its tables"):
                ask()
        other.rollback()
        store.write([quarter_reading(QUARTER + 1)])
        assert len(store.quarter_readings_between(METER_ID, IMPORT, 0, 2**31 - 1)) == 2


def test_a_statement_takes_no_longer_than_its_limit(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "STATEMENT_MS", 200)
    with closing(Store(postgres.database())) as store:
        began = time.monotonic()
        with pytest.raises(StoreError, match="does not answer in time"), store.transaction(write=False) as connection:
            connection.exec_driver_sql("SELECT pg_sleep(20)")
        assert time.monotonic() - began < 15


def test_an_answer_in_time_is_as_ever(postgres: Postgres) -> None:
    with TimeLimitedConnection.connect(postgres.url("postgres")) as connection:
        assert connection.execute("SELECT 7").fetchone() == (7,)
        with pytest.raises(psycopg.errors.SyntaxError):
            connection.execute("SELEC")
