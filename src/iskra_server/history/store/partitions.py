"""Partitions of PostgreSQL: one a month (UTC), created ahead of time, and a rest partition for all other rows.

    boundary ─┬─ boundary_2026_11     quarters of November 2026
              ├─ boundary_2026_12
              └─ boundary_rest        rows of a wrong clock, or of a month without partition: moved once that is created

A month is created as a table of its own and then attached: that blocks no writer of the other months.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime

from sqlalchemy import Connection, text

from iskra_server.history.store.schema import PARTITIONED

# months that are created ahead of the current one
MONTHS_AHEAD = 3
REST = "rest"
# a wrong clock creates no partitions
_FIRST_YEAR, _LAST_YEARS = 2000, 1
# of rows in the rest partition so many are counted
MAX_COUNTED = 100_000
_DAY_S = 86_400
_LOCK = 0x49534B5250


def months_between(first_s: float, last_s: float) -> Iterator[date]:
    """The first day of each month of a period (Unix seconds)."""
    day, last = (datetime.fromtimestamp(moment, UTC).date().replace(day=1) for moment in (first_s, last_s))
    while day <= last:
        yield day
        day = _next(day)


def months_ahead(now_s: float, count: int = MONTHS_AHEAD, since_s: float | None = None) -> Iterator[date]:
    """The months from `since_s` or now until `count` months ahead of now."""
    last = datetime.fromtimestamp(now_s, UTC).date().replace(day=1)
    for _ in range(count):
        last = _next(last)
    return months_between(now_s if since_s is None else since_s, _days(last) * _DAY_S)


def is_possible(month: date, now_s: float) -> bool:
    """Whether rows of this month get a partition: a meter can mean it."""
    return _FIRST_YEAR <= month.year <= datetime.fromtimestamp(now_s, UTC).year + _LAST_YEARS


def partition_name(table: str, month: date) -> str:
    return f"{table}_{month:%Y_%m}"


def create_rest_partitions(connection: Connection) -> None:
    """The rest partition of each table, for rows outside of every month."""
    for table in PARTITIONED:
        connection.execute(text(f"CREATE TABLE {table}_{REST} PARTITION OF {table} DEFAULT"))


def missing_partitions(connection: Connection, months: Iterable[date]) -> list[tuple[str, date]]:
    """The tables and months that are missing and that this user may create."""
    months = list(months)
    if not months or not is_owner(connection) or not _is_partitioned(connection):
        return []
    existing = existing_partitions(connection)
    return [(table, month) for table in PARTITIONED for month in months if partition_name(table, month) not in existing]


def create_partitions(connection: Connection, month: date) -> int:
    """Create the missing partitions of a month; returns how many."""
    connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    new = missing_partitions(connection, [month])
    for table, _ in new:
        _create(connection, table, month)
    return len(new)


def months_left(connection: Connection, now_s: float) -> int | None:
    """How many months after the current one have their partitions without a gap; None where there are none at all."""
    if not _is_partitioned(connection):
        return None
    existing, left = existing_partitions(connection), 0
    month = _next(datetime.fromtimestamp(now_s, UTC).date().replace(day=1))
    while all(partition_name(table, month) in existing for table in PARTITIONED):
        month, left = _next(month), left + 1
    return left


def rest_rows(connection: Connection) -> dict[str, int]:
    """How many rows lie in rest partitions, by table, up to MAX_COUNTED each; empty ones are left out."""
    if not _is_partitioned(connection):
        return {}
    counts = {}
    for table in PARTITIONED:
        rows = f"SELECT 1 FROM {table}_{REST} LIMIT {MAX_COUNTED}"
        counts[table] = int(connection.execute(text(f"SELECT count(*) FROM ({rows}) AS found")).scalar_one())
    return {table: count for table, count in counts.items() if count}


def existing_partitions(connection: Connection) -> set[str]:
    """The names of all partitions."""
    names = connection.execute(
        text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = ANY(:tables)"), _ids(connection)
    )
    return {name.rpartition(".")[2] for name in names.scalars()}


def count_months(connection: Connection) -> int:
    """How many months have a partition of quarter readings."""
    return sum(1 for name in existing_partitions(connection) if name.startswith("boundary_2"))


def drop_partitions(connection: Connection, table: str, before_s: float) -> int:
    """Drop the months of a table that end before a moment; returns how many."""
    limit = datetime.fromtimestamp(max(before_s, 0), UTC).date().replace(day=1)
    old = [name for name in existing_partitions(connection) if name.startswith(f"{table}_2") and _month(name) < limit]
    for name in sorted(old):
        connection.execute(text(f"DROP TABLE {name}"))
    return len(old)


def is_owner(connection: Connection) -> bool:
    """Whether this user owns the tables; a user who may only write leaves partitions to the owner."""
    owns = "SELECT bool_and(pg_has_role(relowner, 'USAGE')) FROM pg_class WHERE oid = ANY(:tables)"
    return bool(connection.execute(text(owns), _ids(connection)).scalar())


def _create(connection: Connection, table: str, month: date) -> None:
    column, day = PARTITIONED[table]
    first, end = (_days(moment) * day for moment in (month, _next(month)))
    name = partition_name(table, month)
    within = f"{column} >= {first} AND {column} < {end}"
    for statement in (
        f"CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)",
        f"WITH moved AS (DELETE FROM {table}_{REST} WHERE {within} RETURNING *) INSERT INTO {name} SELECT * FROM moved",
        f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ({first}) TO ({end})",
    ):
        connection.execute(text(statement))


def _is_partitioned(connection: Connection) -> bool:
    if connection.dialect.name != "postgresql":
        return False
    kinds = "SELECT bool_and(relkind = 'p') FROM pg_class WHERE oid = ANY(:tables)"
    return bool(connection.execute(text(kinds), _ids(connection)).scalar())


def _ids(connection: Connection) -> dict[str, list[int]]:
    """The object ids of the tables, found by the search path as in a query."""
    ids = [connection.execute(text(f"SELECT to_regclass('{table}')::oid::bigint")).scalar() for table in PARTITIONED]
    return {"tables": [number for number in ids if number is not None]}


def _days(day: date) -> int:
    return (day - date(1970, 1, 1)).days


def _next(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _month(name: str) -> date:
    year, month = name.split("_")[-2:]
    return date(int(year), int(month), 1)
