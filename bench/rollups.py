"""A month by day over all meters of a central server, from roll-ups that the database itself has made.

    python bench/rollups.py [meters] [runs]

Each meter has two registers and a roll-up for each day of October 2026 in Berlin; in one of a hundred days something is
missing. Asked is what the route for groups asks: the energy of both registers with what is known of it, at once. The
groups are all meters, a thousand of them, and all with labels of which one in ten begins within the month. `route`: the
answer of a server over HTTP. `marked`: a late quarter has marked ten thousand days of all meters, which are computed
from quarters that are not there.
"""

import sys
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import httpx
import psycopg
from sqlalchemy import select

from history.postgres import Postgres, running
from iskra_server.fleet.central.rollups import group_energies
from iskra_server.history.model.periods import first_quarter
from iskra_server.history.store.schema import label
from iskra_server.history.store.store import Store
from running import serving, until
from samples import EXPORT, IMPORT

METERS, RUNS = 100_000, 9
ZONE = ZoneInfo("Europe/Berlin")
DAYS = [first_quarter(date(2026, 10, day), ZONE) for day in range(1, 32)] + [first_quarter(date(2026, 11, 1), ZONE)]
ROUTE = f"/api/v1/fleet/energy?group=all:1&from=2026-10&bucket=day&tz={ZONE.key}"
GROUPS = {"all": "all meters", "building": "a building of 1,000", "tenant": "all, one in ten from mid-month"}


def main() -> None:
    meters, runs = [int(argument) for argument in sys.argv[1:]] + [METERS, RUNS][len(sys.argv) - 1 :]
    with running() as postgres:
        postgres.stop()
        postgres.start(durable=True)
        store = Store(postgres.database())
        fill(postgres, meters)
        print(f"{meters:,} meters, two registers, {len(DAYS) - 1} days\n")
        print("| group | median ms | best ms |\n| --- | --: | --: |")
        for kind, group in GROUPS.items():
            report(group, runs, partial(ask, store, kind))
        environ = {"IES_HISTORY_ENABLED": "true", "IES_METERS": "none", "IES_DATABASE_URL": postgres.url("postgres")}
        with serving("serve", environ=environ) as server, httpx.Client(base_url=server.url, timeout=60) as client:
            until(lambda: client.get(ROUTE).status_code == 200)
            report("all meters, the route", runs, lambda: client.get(ROUTE))
        with connected(postgres) as connection:
            connection.execute(
                "INSERT INTO rollup_due SELECT %s, %s, id FROM meter WHERE id <= 10000", (DAYS[5], DAYS[4])
            )
        report("all meters, 10,000 days marked", runs, partial(ask, store, "all"))
        with connected(postgres) as connection:
            for table in ("rollup", "rollup_part"):
                sizes = connection.execute(f"SELECT pg_table_size('{table}'), pg_indexes_size('{table}')").fetchone()
                assert sizes
                print(f"{table}: {sizes[0] / meters:,.0f} + {sizes[1] / meters:,.0f} bytes a meter and month")
        store.close()


def report(name: str, runs: int, asked: Callable[[], object]) -> None:
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        asked()
        times.append((time.perf_counter() - began) * 1000)
    print(f"| {name} | {median(times):,.0f} | {min(times):,.0f} |")


def ask(store: Store, kind: str) -> None:
    value = "5" if kind == "building" else "1"
    members = select(label.c.meter, label.c.from_quarter, label.c.to_quarter).where(
        label.c.kind == kind, label.c.value == value
    )
    answers = group_energies(store, members, [IMPORT, EXPORT], DAYS)
    assert all(bucket and bucket.energy for buckets in answers.values() for bucket in buckets)


def fill(postgres: Postgres, meters: int) -> None:
    cells = ", ".join(
        f"CASE WHEN (s * 31 + {day}) % 100 > 0 THEN 5000 + (s * 7919 + {day} * 104729) % 30000 END"
        for day in range(1, 32)
    )
    names = ", ".join(f"energy_{day}" for day in range(1, 32))
    month = f"{DAYS[0]}, {DAYS[-1]}"
    days = ", ".join(f"({place}, {begin}, {end})" for place, (begin, end) in enumerate(pairwise(DAYS), 1))
    with connected(postgres) as connection:
        for statement in (
            "INSERT INTO meter (id, meter_id, server_id, simulated, first_s, last_s) "
            f"SELECT m, 'M' || m, '', false, {DAYS[0] * 900}, {DAYS[-1] * 900} FROM generate_series(1, {meters}) m",
            f"INSERT INTO series (id, meter, obis) SELECT 2 * m, m, '{IMPORT}' FROM generate_series(1, {meters}) m",
            f"INSERT INTO series (id, meter, obis) SELECT 2 * m + 1, m, '{EXPORT}' FROM generate_series(1, {meters}) m",
            f"INSERT INTO label SELECT m, 'all', 0, 2147483647, '1' FROM generate_series(1, {meters}) m",
            f"INSERT INTO label SELECT m, 'building', 0, 2147483647, m / 1000 FROM generate_series(1, {meters}) m",
            f"INSERT INTO label SELECT m, 'tenant', CASE WHEN m % 10 = 0 THEN {DAYS[14]} ELSE 0 END, 2147483647, '1' "
            f"FROM generate_series(1, {meters}) m",
            f"INSERT INTO rollup (begin_quarter, end_quarter, series, scaler, {names}) "
            f"SELECT {month}, s, -1, {cells} FROM generate_series(2, {2 * meters + 1}) s",
            "INSERT INTO rollup_part SELECT b, e, s, 4321, -1, 90, 0, true, true "
            f"FROM generate_series(2, {2 * meters + 1}) s, (VALUES {days}) AS day (d, b, e) "
            "WHERE (s * 31 + d) % 100 = 0",
            f"INSERT INTO rollup_state VALUES ('{ZONE.key}', {DAYS[0]}, {DAYS[-1]})",
            "VACUUM ANALYZE",
        ):
            connection.execute(statement.encode())


def connected(postgres: Postgres) -> psycopg.Connection[tuple[Any, ...]]:
    return psycopg.connect(postgres.url("postgres"), autocommit=True)


if __name__ == "__main__":
    main()
