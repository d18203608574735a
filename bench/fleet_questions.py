"""What a landlord asks a central server: how soon it answers over HTTP with 1,000 meters, and with 5,000.

    python bench/fleet_questions.py [--meters 1000 5000] [--days 31] [--runs 9]

The database itself fills its tables: the quarters of two counters of every meter for the first days of last month, of
a building of 100 for all of it and of a house of 24 flats for twelve months, the roll-ups of all, labels, readers and
live values. A real server in a process of its own answers one client over one connection. The month asked for is the
last one. Each answer is compared with what the counters were filled with.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import httpx
import psycopg
from msgspec import Struct

from history.postgres import Postgres, running
from iskra_server.history.model.energy import bucket_edges
from iskra_server.history.model.periods import first_quarter, local_midnight
from iskra_server.history.store.store import Store
from running import Server, serving, until
from samples import EXPORT, IMPORT

ZONE = ZoneInfo("Europe/Berlin")
NOW = datetime.now(ZONE)
# meters 1 to 24 are the house, with a year of quarters; a building has 100 meters, a reader 10
FLATS, BUILDING, READER, YEAR = 24, 100, 10, 12
# of the building 1, and alone in its tenancy
ONE = 100
HOUSE = f"meter <= {FLATS}"
FLEET = "/api/v1/fleet"
LONGEST_S = 4.0
# the counter of a series begins with its number, and counts so many 0.1 Wh in a quarter-hour
RATE = "(20 + id % 50)"
# made after the rows, which is quicker
INDEXES = """
    SELECT format('ALTER TABLE boundary DROP CONSTRAINT %I', conname),
           format('ALTER TABLE boundary ADD CONSTRAINT %I %s', conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE conrelid = 'boundary'::regclass AND contype = 'p'
    UNION ALL
    SELECT format('DROP INDEX %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
    FROM pg_index WHERE indrelid = 'boundary'::regclass AND NOT indisprimary"""

Answer = httpx.Response


def main() -> None:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--meters", type=int, nargs="+", default=[1000, 5000])
    parser.add_argument("--days", type=int, default=31)
    parser.add_argument("--runs", type=int, default=9)
    arguments = parser.parse_args()
    figures = [list(measured(Filled(meters, arguments.days), arguments.runs)) for meters in arguments.meters]
    heads = " | ".join(f"{meters:,} meters: ms, of processor" for meters in arguments.meters)
    print(f"\n| question | {heads} | ratio |\n| --- |{' --: |' * (len(figures) + 1)}")
    for rows in zip(*figures, strict=True):
        both = [figures for _, figures in rows]
        cells = " | ".join(f"{shown(each.wall)}, {shown(each.processor)}" for each in both)
        print(f"| {rows[0][0]} | {cells} | {both[-1].processor / both[0].processor:.1f} |")


def shown(milliseconds: float) -> str:
    return f"{milliseconds:,.{0 if milliseconds >= 20 else 1}f}"


class Filled(Struct, frozen=True):
    """What the database holds: some days of all meters, a month of a building, a year of the house."""

    meters: int
    days: int

    def edges(self, months: int) -> list[int]:
        """The first quarters of so many months before the current one, and of that."""
        first = NOW.date().replace(day=1)
        for _ in range(months):
            first = (first - timedelta(days=1)).replace(day=1)
        begin, end = local_midnight(first, ZONE), local_midnight(NOW.date().replace(day=1), ZONE)
        return list(bucket_edges(begin, end, "month", ZONE))

    @property
    def year(self) -> list[int]:
        return self.edges(YEAR)

    @property
    def month(self) -> int:
        """Where the last month begins."""
        return self.edges(1)[0]

    @property
    def month_end(self) -> int:
        return self.edges(1)[1]

    @property
    def day(self) -> str:
        """The day of last month that is asked for."""
        return f"{name_of(self.month)}-02"

    @property
    def last_year(self) -> str:
        return f"from={name_of(self.year[0])}&to={name_of(self.month)}"

    def energy_wh(self, members: range, quarters: int, *, is_export: bool = False) -> Decimal:
        """Of one counter of these meters."""
        numbers = (meter + self.meters * is_export for meter in members)
        return Decimal(quarters * sum(20 + number % 50 for number in numbers)) / 10


class Figures(Struct, frozen=True):
    """Milliseconds until the answer is there, the median of some runs, and of processor time for one."""

    wall: float
    processor: float


def measured(filled: Filled, runs: int) -> Iterator[tuple[str, Figures]]:
    with running() as postgres:
        postgres.stop()
        postgres.start(durable=True)
        began = time.monotonic()
        fill(postgres, filled)
        print(f"{filled.meters:,} meters are there after {time.monotonic() - began:.0f} s", file=sys.stderr)
        environ = {
            "IES_HISTORY_ENABLED": "true",
            "IES_METERS": "none",
            "IES_SERVER_TIME_ZONE": ZONE.key,
            "IES_DATABASE_URL": postgres.url("postgres"),
        }
        with serving("serve", environ=environ) as server, httpx.Client(base_url=server.url, timeout=120) as client:
            until(lambda: is_central(server))
            for name, path, is_right in questions(filled):
                figures = asked(client, path, is_right, runs, lambda: processor_s(server.process.pid, postgres.pid))
                print(f"{shown(figures.wall):>8} ms, processor {shown(figures.processor):>7}  {name}", file=sys.stderr)
                yield name, figures


def is_central(server: Server) -> bool:
    central = server.get("/api/v1/status").json()["central"]
    return bool(central and central["facts"])


def processor_s(server: int, postgres: int) -> float:
    """Of the server and of PostgreSQL with its processes, also those that have ended."""
    children = map(int, Path(f"/proc/{postgres}/task/{postgres}/children").read_text().split())
    # clock_getcpuclockid(3)
    used_s = sum(time.clock_gettime(~process << 3 | 2) for process in (server, *children))
    ended = Path(f"/proc/{postgres}/stat").read_text().rpartition(")")[2].split()[13:15]
    return used_s + sum(map(int, ended)) / os.sysconf("SC_CLK_TCK")


def asked(
    client: httpx.Client, path: str, is_right: Callable[[Answer], bool], runs: int, used_s: Callable[[], float]
) -> Figures:
    times: list[float] = []
    first = client.get(path)
    if not is_right(first):
        raise SystemExit(f"{path}: {first.status_code} {first.text[:500]}")
    began, before_s = time.monotonic(), used_s()
    while len(times) < runs and time.monotonic() - began < LONGEST_S:
        sent = time.perf_counter()
        client.get(path)
        times.append((time.perf_counter() - sent) * 1000)
    return Figures(median(times), (used_s() - before_s) * 1000 / len(times))


Question = tuple[str, str, Callable[[Answer], bool]]


def questions(filled: Filled) -> Iterator[Question]:
    """The name of each, its path, and whether an answer is right."""
    yield from lists(filled)
    yield from sums(filled)
    yield from files(filled)
    yield "an unknown meter", "/api/v1/meters/0815/energy", lambda answer: answer.status_code == 404
    yield "status", "/api/v1/status", lambda answer: bool(answer.json()["central"]["facts"]["meters"] == filled.meters)


def lists(filled: Filled) -> Iterator[Question]:
    def has(name: str, count: int) -> Callable[[Answer], bool]:
        return lambda answer: len(answer.json()[name]) == count

    yield "first page of the list", f"{FLEET}/meters", has("meters", 50)
    yield "find a number", f"{FLEET}/meters?find={compact(ONE)}", has("meters", 1)
    yield "first page of a building", f"{FLEET}/meters?group=building:1", has("meters", 50)
    yield "buildings", f"{FLEET}/groups?kind=building", has("groups", min(filled.meters // BUILDING + 1, 50))
    yield "tenants, first page", f"{FLEET}/groups?kind=tenant", has("groups", 50)
    yield "readers, first page", f"{FLEET}/readers", has("readers", 50)


def sums(filled: Filled) -> Iterator[Question]:
    """Energy, of which every bucket must be there."""
    quarters, year = filled.month_end - filled.month, filled.month_end - filled.year[0]

    def of_one(quarters: int) -> Callable[[Answer], bool]:
        expected = filled.energy_wh(range(ONE, ONE + 1), quarters)
        return lambda answer: bool(answer.json(parse_float=Decimal)["import"]["total_wh"] == expected)

    def of(members: range, quarters: int) -> Callable[[Answer], bool]:
        def is_right(answer: Answer) -> bool:
            content = answer.json(parse_float=Decimal)
            return all(
                sum((Decimal(bucket[f"{name}_wh"]) for bucket in content["buckets"]), Decimal(0))
                == filled.energy_wh(members, quarters, is_export=name == "export")
                and content[f"{name}_completeness"]["complete"] == len(members)
                for name in ("import", "export")
            )

        return is_right

    everything, building, house = range(1, filled.meters + 1), range(BUILDING, 2 * BUILDING), range(1, FLATS + 1)
    by_day, by_quarter = "from=last_month&bucket=day", "from=last_month&bucket=15min"
    one, group = f"/api/v1/meters/{compact(ONE)}/energy", f"{FLEET}/energy?group="
    yield "one meter, month by day", f"{one}?{by_day}", of_one(quarters)
    yield "one meter, all by year", f"{one}?from={name_of(filled.year[0])}&to=today&bucket=year", of_one(quarters)
    yield "one tenant, month by day", f"{group}tenant:T{ONE}&{by_day}", of(range(ONE, ONE + 1), quarters)
    yield "building of 100, month by day", f"{group}building:1&{by_day}", of(building, quarters)
    yield "all, month by day", f"{group}owner:all&{by_day}", of(everything, quarters)
    yield "house of 24, year by month", f"{group}house:24&{filled.last_year}&bucket=month", of(house, year)
    yield "one tenant, month by 15 min", f"{group}tenant:T{ONE}&{by_quarter}", of(range(ONE, ONE + 1), quarters)
    yield "building of 100, month by 15 min", f"{group}building:1&{by_quarter}", of(building, quarters)
    yield "all, day by 15 min", f"{group}owner:all&from={filled.day}&bucket=15min", of(everything, 96)


def files(filled: Filled) -> Iterator[Question]:
    def has_lines(count: int) -> Callable[[Answer], bool]:
        return lambda answer: len(answer.text.splitlines()) == count

    def names_flats(times: int) -> Callable[[Answer], bool]:
        return lambda answer: all(answer.text.count(meter_id(flat)) >= times for flat in range(1, FLATS + 1))

    statement, csv = f"{FLEET}/statement?group=house:24&{filled.last_year}", f"{FLEET}/quarters.csv?group="
    rows = 1 + 2 * FLATS * (filled.month_end - filled.month + 1)
    yield "statement of a year, house of 24", statement, names_flats(1)
    yield "the same as CSV", f"{statement}&format=csv", names_flats(YEAR)
    yield "quarters.csv, house of 24, a month", f"{csv}house:24&from=last_month", has_lines(rows)
    yield "quarters.csv, all, a day", f"{csv}owner:all&from={filled.day}", has_lines(1 + 2 * filled.meters * 97)


def compact(number: int) -> str:
    return meter_id(number).replace(" ", "")


def name_of(quarter: int) -> str:
    """The month that begins with it."""
    return f"{datetime.fromtimestamp(quarter * 900, ZONE):%Y-%m}"


def meter_id(number: int) -> str:
    return f"1 ISK 00 {number:08}"


def fill(postgres: Postgres, filled: Filled) -> None:
    meters, begin, now_s = filled.meters, filled.year[0], int(NOW.timestamp())
    with closing(Store(postgres.database())) as store:
        store.make_partitions(since_s=begin * 900)
    labels = {"owner": "'all'", "building": f"id / {BUILDING}", "tenant": "'T' || id"}
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        indexes = connection.execute(INDEXES.encode()).fetchall()
        run(
            connection,
            "SET maintenance_work_mem = '1GB'",
            "INSERT INTO meter (id, meter_id, server_id, simulated, first_s, last_s) SELECT m, '1 ISK 00 ' || "
            f"lpad(m::text, 8, '0'), '', false, CASE WHEN m <= {FLATS} THEN {begin} ELSE {filled.month} END * 900, "
            f"{now_s} FROM generate_series(1, {meters}) m",
            f"INSERT INTO series (id, meter, obis) SELECT id, id, '{IMPORT}' FROM meter",
            f"INSERT INTO series (id, meter, obis) SELECT id + {meters}, id, '{EXPORT}' FROM meter",
            f"INSERT INTO reader (name, at_s, ok, sentence, status) SELECT 'reader-' || r, {now_s}, true, '', '[]' "
            f"FROM generate_series(0, {meters // READER}) r",
            f"INSERT INTO meter_reader SELECT id, 0, 'reader-' || id / {READER} FROM meter",
            f"INSERT INTO live SELECT id, 'reader-' || id / {READER}, {now_s}, {now_s // 900}, 300000 FROM meter",
            *(
                f"INSERT INTO label (meter, kind, value) SELECT id, '{kind}', {of} FROM meter"
                for kind, of in labels.items()
            ),
            f"INSERT INTO label (meter, kind, value) SELECT id, 'house', '24' FROM meter WHERE id <= {FLATS}",
            # or it does not know that the house is small
            "ANALYZE series",
            *(drop for drop, _ in indexes),
            *quarters_of(filled),
            *(create for _, create in indexes),
        )
        fill_rollups(connection, filled)
        # what was written lies on the disk before anything is asked
        run(connection, "VACUUM ANALYZE", "CHECKPOINT")


def quarters_of(filled: Filled) -> Iterator[str]:
    """In the order of time, as a collector writes them."""
    begin, month, end = filled.year[0], filled.month, filled.month_end + 1
    some = min(month + filled.days * 96 + 1, end)
    small = f"{HOUSE} OR meter BETWEEN {BUILDING} AND {2 * BUILDING - 1}"
    for first, after, of in ((begin, month, HOUSE), (month, some, "true"), (some, end, small)):
        # the condition on q makes the quarters the outer loop
        yield (
            f"INSERT INTO boundary SELECT id, q, (q - {begin})::bigint * {RATE} + id, -1, 0, 0 "
            f"FROM generate_series({first}, {after - 1}) q, "
            f"LATERAL (SELECT id FROM series WHERE q > 0 AND ({of}) OFFSET 0) s"
        )


def fill_rollups(connection: psycopg.Connection[Any], filled: Filled) -> None:
    """Of the days of each month, and of the months of each calendar year."""
    years: dict[int, dict[int, tuple[int, int]]] = {}
    for begin, end in pairwise(filled.year):
        first = datetime.fromtimestamp(begin * 900, ZONE)
        years.setdefault(first.year, {})[first.month] = begin, end
        days = pairwise(bucket_edges(first, datetime.fromtimestamp(end * 900, ZONE), "day", ZONE))
        roll_up(connection, (begin, end), dict(enumerate(days, 1)), "true" if begin == filled.month else HOUSE)
    for number, of_year in years.items():
        row = tuple(first_quarter(NOW.date().replace(year=year, month=1, day=1), ZONE) for year in (number, number + 1))
        roll_up(connection, row, of_year, HOUSE)
        if last := {place: month for place, month in of_year.items() if month[0] == filled.month}:
            roll_up(connection, row, last, f"NOT {HOUSE}")
    run(connection, f"INSERT INTO rollup_state VALUES ('{ZONE.key}', {filled.year[0]}, {filled.year[-1]})")


def roll_up(
    connection: psycopg.Connection[Any], row: Sequence[int], cells: dict[int, tuple[int, int]], of: str
) -> None:
    names = ", ".join(f"energy_{place}" for place in cells)
    values = ", ".join(f"{end - begin} * {RATE}" for begin, end in cells.values())
    run(
        connection,
        f"INSERT INTO rollup (begin_quarter, end_quarter, series, scaler, {names}) "
        f"SELECT {row[0]}, {row[1]}, id, -1, {values} FROM series WHERE {of}",
    )


def run(connection: psycopg.Connection[Any], *statements: str) -> None:
    for statement in statements:
        connection.execute(statement.encode())


if __name__ == "__main__":
    main()
