"""deploy/central/roles.sql on a real PostgreSQL: a collector writes and deletes nothing, a server only reads."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from fleet.batches import batch_of
from history.entries import METER, epoch, power, quarter_reading
from history.postgres import Postgres
from iskra_server.fleet.central import queries as fleet
from iskra_server.fleet.central.reader_state import ReaderState
from iskra_server.fleet.central.tables import LastContact, Refusal, write_batch
from iskra_server.history.model.records import QUARTER_S, quarter_of
from iskra_server.history.store import StoreError
from iskra_server.history.store.store import Store
from samples import METER_ID

ROLES = Path(__file__).parents[2] / "deploy" / "central" / "roles.sql"


@pytest.fixture
def roles(central: Store, postgres: Postgres) -> Iterator[None]:
    psql = shutil.which("psql")
    assert psql, "it comes with PostgreSQL"
    settings = ["ON_ERROR_STOP=1", "collector_password=c", "server_password=s"]
    for _ in range(2):
        subprocess.run(
            [psql, "-q", *(f"--set={each}" for each in settings), f"--file={ROLES}", postgres.url("postgres")],
            check=True,
            capture_output=True,
        )
    yield
    for role in ("iskra_collector", "iskra_server"):
        postgres.run(f"DROP OWNED BY {role}")


@pytest.fixture
def owner(postgres: Postgres) -> Iterator[str]:
    """A user who owns a database, and may create no roles."""
    postgres.run("CREATE ROLE plain_owner LOGIN")
    postgres.run("CREATE DATABASE plain OWNER plain_owner")
    Store(postgres.url("plain", "plain_owner")).close()
    yield postgres.url("plain", "plain_owner")
    postgres.run("DROP DATABASE plain WITH (FORCE)")
    postgres.run("DROP ROLE plain_owner")


def test_an_owner_needs_the_right_to_create_roles_and_is_told_so(owner: str, postgres: Postgres) -> None:
    psql = shutil.which("psql")
    command = [str(psql), "-q", "--set=ON_ERROR_STOP=1", "--set=collector_password=c", "--set=server_password=s"]

    def run() -> subprocess.CompletedProcess[str]:
        done = [*command, f"--file={ROLES}", owner]
        return subprocess.run(done, capture_output=True, text=True, check=False)

    denied = run()
    assert denied.returncode != 0
    assert "plain_owner may not create roles. As a superuser run: ALTER ROLE plain_owner CREATEROLE" in denied.stderr
    postgres.run("ALTER ROLE plain_owner CREATEROLE")
    allowed = run()
    assert (allowed.returncode, allowed.stderr) == (0, "")
    Store(owner.replace("plain_owner@", "iskra_server@")).close()
    for role in ("iskra_collector", "iskra_server"):
        with psycopg.connect(owner.replace("plain_owner@", "iskra@"), autocommit=True) as connection:
            connection.execute(f"DROP OWNED BY {role}".encode())
        postgres.run(f"DROP ROLE {role}")


def test_a_collector_may_write_and_a_server_read(roles: None, postgres: Postgres) -> None:
    collector = Store(postgres.url("postgres", "iskra_collector"))
    now = quarter_of(METER.last_s)
    batch = batch_of(
        [quarter_reading(now), power(now), epoch()],
        [METER],
        [LastContact(METER_ID, "cellar", now * QUARTER_S, 5)],
        [ReaderState("cellar", 1, True, "", "[]")],
        [Refusal(1, "t", "r", b"")],
    )
    for _ in range(2):
        write_batch(collector, batch)
    server = Store(postgres.url("postgres", "iskra_server"))
    assert [meter.meter_id for meter in fleet.meters(server, limit=5, now=now)[0]] == [METER_ID]
    assert server.power_between(METER_ID, now, now + 1) == [power(now)]
    for store, statements in (
        (collector, ("DELETE FROM boundary", "DROP TABLE meter", "INSERT INTO label VALUES (1, 'a', 'b')")),
        (server, ("INSERT INTO refused VALUES (9, 1, '', '', '')", "UPDATE meter SET last_s = 0", "DELETE FROM power")),
    ):
        for statement in statements:
            with pytest.raises(StoreError), store.transaction() as connection:
                connection.execute(text(statement))
        store.close()
