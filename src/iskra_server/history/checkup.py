"""What a clock that was wrong has left in history: found, set aside (aside.py), and deleted when somebody says so."""

from collections.abc import Iterator
from itertools import starmap

from msgspec import Struct
from sqlalchemy import Connection, Table, delete, func, select

from iskra_server.history.aside import MOMENTS, is_odd, owner, put_aside
from iskra_server.history.reads import Reads
from iskra_server.history.schema import clock_step, meter, set_aside
from iskra_server.history.store import Store


class Odd(Struct, frozen=True):
    """Rows of one kind and one meter whose moments cannot be true: how many, the first and the last of them."""

    meter_id: str
    kind: str
    count: int
    first_s: int
    last_s: int


class Step(Struct, frozen=True):
    """A clock that was set while this history was recorded."""

    from_s: int
    to_s: int
    reason: str


def odd(store: Store, now_s: float) -> list[Odd]:
    """What lies in the future or before anything was kept. Raises StoreError."""
    with store.transaction(write=False) as connection:
        return [found for table in MOMENTS for found in _odd(connection, table, int(now_s))]


def aside(store: Reads) -> list[Odd]:
    """What was set aside. Raises StoreError."""
    where = set_aside.join(meter, meter.c.id == set_aside.c.meter, isouter=True)
    moments = func.count(), func.min(set_aside.c.moment_s), func.max(set_aside.c.moment_s)
    statement = select(func.coalesce(meter.c.meter_id, "?"), set_aside.c.kind, *moments).select_from(where)
    groups = meter.c.meter_id, set_aside.c.kind
    return list(starmap(Odd, store.ask(statement.group_by(*groups).order_by(*groups))))


def steps(store: Reads, at_most: int = 20) -> list[Step]:
    """The last steps of the clock, the newest first. Raises StoreError."""
    columns = clock_step.c.from_s, clock_step.c.to_s, clock_step.c.reason
    return list(starmap(Step, store.ask(select(*columns).order_by(clock_step.c.id.desc()).limit(at_most))))


def repair(store: Store, now_s: float) -> int:
    """Set everything odd aside; says how many rows. Raises StoreError."""
    with store.transaction() as connection:
        return put_aside(connection, int(now_s))


def clear(store: Store) -> int:
    """Delete what was set aside, for good; says how many rows. Raises StoreError."""
    with store.transaction() as connection:
        return connection.execute(delete(set_aside)).rowcount


def _odd(connection: Connection, table: Table, now_s: int) -> Iterator[Odd]:
    column, unit = MOMENTS[table]
    rows = select(owner(table).label("meter"), column.label("moment")).where(is_odd(table, now_s)).subquery()
    statement = (
        select(meter.c.meter_id, func.count(), func.min(rows.c.moment), func.max(rows.c.moment))
        .join(rows, meter.c.id == rows.c.meter)
        .group_by(meter.c.meter_id)
        .order_by(meter.c.meter_id)
    )
    for meter_id, count, first, last in connection.execute(statement):
        yield Odd(meter_id, table.name, count, first * unit, last * unit)
