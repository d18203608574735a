"""Databases of earlier versions, frozen as SQL. `PYTHONPATH=tests python -m history.store.freezing` freezes new ones.

    frozen/0003.postgresql.sql      a database that has lived through the migrations up to 0003, with rows of each
    frozen/0.1.0.sqlite.sql         one that was created by version 0.1.0
    frozen/SHA256SUMS               of these files, and of the migrations: neither ever changes

Needs PostgreSQL with pg_dump. While a version is not released yet, its files may be deleted and frozen again.
"""

import hashlib
import re
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Connection, MetaData, Table, create_engine, inspect, select, text

from history.postgres import Postgres, running
from iskra_server import __version__
from iskra_server.history.model.records import PowerQuarter
from iskra_server.history.store.migrations import SCRIPTS, upgrade
from iskra_server.history.store.schema import PARTITIONED, VERSIONS
from iskra_server.history.store.store import Store

TESTS = Path(__file__).parents[2]
FROZEN = Path(__file__).parent / "frozen"
SUMS = FROZEN / "SHA256SUMS"

Row = Mapping[str, object]
Make = Callable[[str], None]
# values of the columns by the names of these, which a table of an older schema need not have all
Rows = dict[str, list[dict[str, Any]]]
# of two telegrams; docs/history-format.md takes it apart
BLOCK = bytes.fromhex(
    "0178da636260666084400e86ffffffcb015902ec0cff1918a41918181280620c0dffff33330085998002403c9371f52c4620eb05f3e579a96c40310646"
    "c6670c10c0c8b860372f940500d5b90f49"
)
_Q = 1_959_784
CONTENT: dict[str, Rows] = {
    "0001": {
        # the second one first: it has replaced the first
        "meter": [
            {"id": 2, "meter_id": "1 ISK 00 87654321", "server_id": "0a0149534b00053980b1", "simulated": False,
             "first_s": _Q * 900 + 1800, "last_s": _Q * 900 + 3600, "replaced_by": None},
            {"id": 1, "meter_id": "1 ISK 00 12345678", "server_id": "0a0149534b0000bc614e", "simulated": False,
             "first_s": _Q * 900, "last_s": _Q * 900 + 1800, "replaced_by": 2},
            {"id": 3, "meter_id": "Zähler \"Müller\"; 'x' --", "server_id": "", "simulated": False,
             "first_s": 0, "last_s": 2**53, "replaced_by": None},
        ],
        "series": [
            {"id": 1, "meter": 1, "obis": "1-0:1.8.0*255"},
            {"id": 2, "meter": 1, "obis": "1-0:2.8.0*255"},
            {"id": 7, "meter": 2, "obis": "1-0:1.8.0*255"},
        ],
        "boundary": [
            {"series": 1, "quarter": _Q, "raw": 107_323_091, "scaler": -1, "quality": 0, "epoch": 0},
            {"series": 1, "quarter": _Q + 1, "raw": 107_323_999, "scaler": -1, "quality": 1, "epoch": 0},
            {"series": 2, "quarter": _Q, "raw": 2**63 - 1, "scaler": -18, "quality": 0, "epoch": 0},
            {"series": 2, "quarter": _Q + 1, "raw": 12, "scaler": 3, "quality": 0, "epoch": 1},
            {"series": 7, "quarter": _Q + 3000, "raw": 0, "scaler": 0, "quality": 0, "epoch": 0},
        ],
        "power": [
            {"meter": 1, "quarter": _Q, "min_mw": -1500, "mean_mw": 230_000, "max_mw": 69_000_000_000,
             "telegrams": 900},
            {"meter": 2, "quarter": _Q + 3000, "min_mw": 0, "mean_mw": 0, "max_mw": 0, "telegrams": 1},
        ],
        "epoch": [
            {"series": 2, "epoch": 1, "at_s": _Q * 900 + 77, "before_raw": 2**63 - 1, "before_scaler": -18,
             "after_raw": 7, "after_scaler": 3},
            {"series": 7, "epoch": 0, "at_s": _Q * 900, "before_raw": None, "before_scaler": None,
             "after_raw": 0, "after_scaler": 0},
        ],
        "points": [
            {"meter": 1, "first_s": _Q * 900, "crc32": 1_788_506_909, "last_s": _Q * 900 + 1, "telegrams": 2,
             "min_mw": 230_000, "mean_mw": 230_500, "max_mw": 231_000, "octets": BLOCK},
            {"meter": 2, "first_s": _Q * 900, "crc32": 1_788_506_909, "last_s": _Q * 900 + 1, "telegrams": 2,
             "min_mw": None, "mean_mw": None, "max_mw": None, "octets": BLOCK},
        ],
    },
    "0002": {
        "label": [{"meter": 1, "kind": "tenant", "value": "Meyer"}, {"meter": 1, "kind": "building", "value": "7"}],
        "outbox": [{"meter": 2, "quarter": _Q + 3000, "mark": 3}],
        "uplink": [{"reader": "house-7", "since_s": _Q * 900}],
        "reader": [
            {"id": 4, "name": "house-7", "at_s": _Q * 900, "ok": False, "sentence": "No port.", "status": "[{}]"},
        ],
        "live": [
            {"meter": 1, "reader": "house-7", "at_s": _Q * 900, "power_mw": -425_000},
            {"meter": 2, "reader": "house-7", "at_s": _Q * 900, "power_mw": None},
        ],
        "refused": [
            {"id": 9, "at_s": _Q * 900, "topic": "iskra/v1/house-7/quarters", "reason": "It is cut.",
             "octets": b"\0\xff'\\"},
        ],
    },
    "0003": {
        "meter": [
            {"id": 5, "meter_id": "1 ISK 00 00000005", "server_id": "0a0149534b0000000005", "simulated": False,
             "first_s": _Q * 900, "last_s": _Q * 900, "replaced_by": None, "port": "/dev/ttyUSB0"},
        ],
    },
    "0004": {
        "clock_step": [{"id": 1, "from_s": 90, "to_s": _Q * 900, "reason": "The clock was set."}],
        "set_aside": [
            {"id": 3, "kind": "power", "meter": 1, "moment_s": 900, "at_s": _Q * 900, "reason": "before 2000",
             "content": b'{"meter":1,"quarter":1,"min_mw":0,"mean_mw":0,"max_mw":0,"telegrams":1}'},
        ],
    },
    "0005": {
        "price_retrieval": [{"id": 2, "source": "energy-charts", "at_s": _Q * 900}],
        "spot_price": [
            {"zone": "DE-LU", "quarter": _Q, "raw": -500_000_000, "minutes": 15, "retrieval": 2},
            {"zone": "DE-LU", "quarter": _Q + 1, "raw": 81_230_000, "minutes": 60, "retrieval": 2},
        ],
        "other_price": [{"zone": "DE-LU", "quarter": _Q, "raw": 81_230_000, "minutes": 60, "retrieval": 2}],
    },
    "0006": {
        "label": [
            {"meter": 2, "kind": "tenant", "from_quarter": _Q, "to_quarter": _Q + 96, "value": "Meyer"},
            {"meter": 2, "kind": "tenant", "from_quarter": _Q + 96, "to_quarter": 2**31 - 1, "value": "Neu"},
        ],
        "outbox": [
            {"meter": 1, "quarter": _Q, "mark": 1, "reason": "The message is cut.", "refused": True, "retry_s": None},
            {"meter": 1, "quarter": _Q + 1, "mark": 1, "reason": "Wait.", "refused": False, "retry_s": _Q * 900},
        ],
        "reader": [
            {"name": "house-8", "at_s": _Q * 900, "ok": True, "sentence": "All is well.", "status": "[]",
             "version": "0.1.0", "session": "5f0a", "session_s": _Q * 900, "rival_s": _Q * 900 + 7, "skew_s": -3,
             "waiting": 5, "refused": 1, "oldest_s": _Q * 900},
        ],
        "meter_reader": [{"meter": 5, "reader": "house-8", "since_s": _Q * 900}],
        "epoch_origin": [
            {"series": 2, "ledger": "0a1b@house-8", "ledger_epoch": 0, "epoch": 1, "at_s": _Q * 900,
             "before_raw": 108, "before_scaler": -1, "after_raw": 0, "after_scaler": 0, "from_quarter": _Q + 1},
        ],
        "conflict": [
            {"series": 1, "quarter": _Q, "reader": "house-8", "raw": 5, "scaler": 0, "quality": 0,
             "kept_raw": 107_323_091, "kept_scaler": -1, "kept_reader": "house-7", "at_s": _Q * 900},
            {"series": 1, "quarter": _Q + 2, "reader": "house-8", "raw": 6, "scaler": 0, "quality": 1, "kept_raw": None,
             "kept_scaler": None, "kept_reader": "house-7", "at_s": _Q * 900},
        ],
    },
    "0007": {
        "rollup": [
            {"begin_quarter": _Q, "end_quarter": _Q + 2976, "series": 1, "scaler": -1, "energy_1": 908,
             "energy_31": 2**63 - 1, "estimated_1": 1},
        ],
        "rollup_part": [
            {"begin_quarter": _Q, "end_quarter": _Q + 96, "series": 2, "raw": 5, "scaler": 0, "quarters": 1,
             "estimated": 0, "begin_known": True, "end_known": False},
        ],
        "rollup_due": [{"end_quarter": _Q + 96, "begin_quarter": _Q, "meter": 1}],
        "rollup_state": [{"zone": "Europe/Berlin", "since_quarter": _Q, "open_quarter": _Q + 96}],
    },
}  # fmt: skip


def grow(connection: Connection, version: str) -> None:
    """A database that was made by the first schema and has lived through every migration up to `version`."""
    for step in VERSIONS[: VERSIONS.index(version) + 1]:
        upgrade(connection, step)
        insert(connection, CONTENT[step])


def insert(connection: Connection, content: Rows) -> None:
    for name, rows in content.items():
        table = Table(name, MetaData(), autoload_with=connection)
        # a later schema may have dropped a column
        connection.execute(table.insert(), [{name: row[name] for name in row if name in table.c} for row in rows])
        if connection.dialect.name == "postgresql" and "id" in table.c:
            connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), max(id)) FROM {name}"))


def rows_of(connection: Connection) -> dict[str, list[Row]]:
    """Every row of every table, without the partitions, in the order of their keys."""
    found: dict[str, list[Row]] = {}
    for name in inspect(connection).get_table_names():
        if name.startswith(tuple(f"{table}_" for table in PARTITIONED)):
            continue
        table = Table(name, MetaData(), autoload_with=connection)
        found[name] = [dict(row._mapping) for row in connection.execute(select(table).order_by(*table.primary_key))]
    return found


def structure(connection: Connection) -> dict[str, object]:
    """Columns, keys and indexes of every table, whatever the text of its CREATE is like."""
    inspector = inspect(connection)
    return {
        name: (
            [(each["name"], str(each["type"]), each["nullable"]) for each in inspector.get_columns(name)],
            inspector.get_pk_constraint(name)["constrained_columns"],
            sorted((each["constrained_columns"], each["referred_table"]) for each in inspector.get_foreign_keys(name)),
            sorted(tuple(map(str, each["column_names"])) for each in inspector.get_indexes(name)),
            sorted(map(tuple, (each["column_names"] for each in inspector.get_unique_constraints(name)))),
        )
        for name in inspector.get_table_names()
        # the partitions of months are those of the day on which it was frozen
        if not re.search(r"_\d{4}_\d\d$", name)
    }


def load(frozen: Path, address: str) -> None:
    """Make an empty database what a frozen one was."""
    script = frozen.read_text()
    if address.startswith("sqlite"):
        with closing(sqlite3.connect(address.removeprefix("sqlite:///"))) as database:
            database.executescript(script)
    else:
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(script.encode())


def sums() -> dict[str, str]:
    """The recorded sums by the path below tests/history/store or src."""
    lines = SUMS.read_text().splitlines() if SUMS.exists() else []
    return {path: digest for digest, path in (line.split("  ") for line in lines)}


def sum_of(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def never_to_change() -> dict[str, Path]:
    """The migrations and the frozen databases, by their names in SHA256SUMS."""
    return {path.name: path for path in (*sorted((SCRIPTS / "versions").glob("v*.py")), *sorted(FROZEN.glob("*.sql")))}


def url_of(address: str) -> str:
    return address.replace("postgresql:", "postgresql+psycopg:")


def _grown(version: str, address: str) -> None:
    engine = create_engine(url_of(address))
    with engine.begin() as connection:
        grow(connection, version)
    engine.dispose()


def _created(address: str) -> None:
    store = Store(address)
    # the partitions that writing the rows would have made
    store._database.make_room([PowerQuarter("", _Q + after, 0, 0, 0, 1) for after in (0, 3000)], date.min)
    with store.transaction() as connection:
        for content in CONTENT.values():
            insert(connection, content)
    store.close()


def _dump_sqlite(make: Make) -> str:
    with tempfile.TemporaryDirectory() as folder:
        make(f"sqlite:///{folder}/iskra.sqlite")
        with closing(sqlite3.connect(f"{folder}/iskra.sqlite")) as database:
            return "\n".join(database.iterdump()) + "\n"


def _dump_postgresql(postgres: Postgres, make: Make) -> str:
    address = postgres.database()
    make(address)
    program = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_dump"))[-1]
    options = ("--inserts", "--no-owner", "--no-privileges", "--no-comments", "--schema=public")
    dumped = subprocess.run([program, *options, address], check=True, capture_output=True, text=True).stdout
    # without comments, settings of the session and what only psql knows
    noise = re.compile(r"(--|SET |SELECT pg_catalog.set_config|CREATE SCHEMA|\\|$)")
    return "\n".join(line for line in dumped.splitlines() if not noise.match(line)) + "\n"


def main() -> None:
    FROZEN.mkdir(exist_ok=True)
    makers: dict[str, Make] = {version: partial(_grown, version) for version in VERSIONS}
    makers[__version__] = _created
    with running() as postgres:
        dumps: dict[str, Callable[[Make], str]] = {
            "sqlite": _dump_sqlite,
            "postgresql": partial(_dump_postgresql, postgres),
        }
        for name, make in makers.items():
            for database, dump in dumps.items():
                file = FROZEN / f"{name}.{database}.sql"
                if not file.exists():
                    file.write_text(dump(make))
                    print(file.relative_to(TESTS))
    SUMS.write_text("".join(f"{sum_of(path)}  {name}\n" for name, path in never_to_change().items()))


if __name__ == "__main__":
    main()
