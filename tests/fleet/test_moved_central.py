"""A central server moves to another machine, with another PostgreSQL and another broker, as the documentation says."""

import os
import subprocess
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace
from sqlalchemy import insert

from documented import documented
from fleet.field import PATIENCE_S, Collecting, FieldReader, arrive
from fleet.rented_house import BERLIN
from history.postgres import Postgres, running
from iskra_server.cli.ui.report_files import parse_report_period
from iskra_server.fleet.central.label_periods import Group
from iskra_server.fleet.central.rollup_refresh import refresh
from iskra_server.fleet.central.statement import Statement, statement
from iskra_server.history.model.records import QUARTER_S
from iskra_server.history.store.schema import ALWAYS, label
from iskra_server.history.store.store import Store
from outputs.mqtt.broker import Mosquitto
from running import until

HOUSE = Group("building", "7")
# more than five days, with a restart of each counter
QUARTERS = 520
MEANWHILE = 6


def run(command: str, postgres: Postgres, folder: Path) -> None:
    """A documented command, as the user who may do everything in this PostgreSQL, whose database has another name."""
    place = {"PGHOST": "127.0.0.1", "PGPORT": str(postgres.port), "PGUSER": "iskra"}
    command = command.replace("sudo -u postgres ", "").replace(" iskra ", " postgres ")
    subprocess.run(["sh", "-euc", command], cwd=folder, env=os.environ | place, check=True)


def content(postgres: Postgres) -> dict[str, list[str]]:
    """Every row of every table, and how far each sequence is."""
    tables = (
        "SELECT relname, CASE relkind WHEN 'S' THEN 'last_value' ELSE '*' END FROM pg_class WHERE "
        "relnamespace = 'public'::regnamespace AND NOT relispartition AND relkind IN ('r', 'p', 'S')"
    )
    with psycopg.connect(postgres.url("postgres")) as connection:
        return {
            name: sorted(map(str, connection.execute(f"SELECT {columns} FROM {name}".encode())))
            for name, columns in connection.execute(tables.encode()).fetchall()
        }


def made(store: Store, period: str) -> Statement:
    now = datetime.now(UTC)
    with store.snapshot() as reads:
        done = statement(reads, [HOUSE], parse_report_period(period, now, BERLIN), now, tz=BERLIN)
    return replace(done, made_s=0)


def assign(store: Store, meters: list[str]) -> None:
    with store.transaction() as connection:
        numbers = store.meter_row_ids(connection, meters).values()
        row: dict[str, Any] = {"kind": HOUSE.kind, "value": HOUSE.value, "from_quarter": 0, "to_quarter": ALWAYS}
        connection.execute(insert(label), [row | {"meter": number} for number in numbers])


@pytest.mark.slow
def test_everything_moves_and_what_was_measured_meanwhile_arrives(
    postgres: Postgres, central: Store, tmp_path: Path
) -> None:
    (dump,) = documented("sudo -u postgres pg_dump", section="Moving to another machine")
    (restore,) = documented("sudo -u postgres pg_restore", section="Moving to another machine")
    folders = tmp_path / "old", tmp_path / "new"
    for folder in folders:
        folder.mkdir()
    broker = Mosquitto(folders[0]).start()
    readers = [FieldReader(tmp_path, name, broker.url, meters=2) for name in ("house-7", "house-8")]
    collector = Collecting(broker.url, postgres.url("postgres"), TZ=BERLIN.key)
    try:
        for reader in readers:
            reader.live_through(QUARTERS)
            reader.start()
        arrive(central, *readers)
        assign(central, [meter for reader in readers for meter in reader.meters])
        while refresh(central, time.time(), BERLIN):
            pass
        first = datetime.fromtimestamp((readers[0].quarter - QUARTERS) * QUARTER_S, BERLIN)
        period = f"{first:%Y-%m-%d}..{datetime.fromtimestamp((readers[0].quarter - 96) * QUARTER_S, BERLIN):%Y-%m-%d}"
        before = made(central, period)
        assert before.totals[0].energy_wh > 0

        collector.end()
        run(dump, postgres, tmp_path)
        old = content(postgres)
        assert all(old[name] for name in ("boundary", "epoch", "epoch_origin", "meter_reader", "reader", "rollup"))
        broker.kill()
        for reader in readers:
            reader.live_through(MEANWHILE)
        with running() as other:
            run(restore, other, tmp_path)
            assert content(other) == old
            broker = Mosquitto(folders[1], port=broker.port).start()
            collector = Collecting(broker.url, other.url("postgres"), TZ=BERLIN.key)
            with closing(Store(other.url("postgres"))) as moved:
                arrive(moved, *readers)
                assert made(moved, period) == before
            until(lambda: all(reader.state.ok for reader in readers), PATIENCE_S)
            assert "another reader" not in collector.log
            collector.end()
    finally:
        collector.end()
        for reader in readers:
            reader.close()
        broker.kill()
