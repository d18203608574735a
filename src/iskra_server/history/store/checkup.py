"""What a clock that was wrong has left in history: found, set aside (aside.py), and deleted when somebody says so."""

from collections.abc import Iterator
from itertools import starmap

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Table, and_, delete, func, select, update

from iskra_server.history.model.records import FIRST_S, QUARTER_S, TOLERANCE_S
from iskra_server.history.store.aside import MOMENTS, content_of, is_odd, owner, put_aside, see_anew
from iskra_server.history.store.reads import Reads
from iskra_server.history.store.schema import (
    clock_step,
    epoch,
    meter,
    outbox,
    power,
    quarter_reading,
    set_aside,
    uplink,
)
from iskra_server.history.store.store import Store


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
    return _aside(store, and_(True))


def steps(store: Reads, at_most: int = 20) -> list[Step]:
    """The last steps of the clock, the newest first. Raises StoreError."""
    columns = clock_step.c.from_s, clock_step.c.to_s, clock_step.c.reason
    return list(starmap(Step, store.ask(select(*columns).order_by(clock_step.c.id.desc()).limit(at_most))))


def repair(store: Store, now_s: float) -> int:
    """Set everything odd aside; says how many rows. Raises StoreError."""
    with store.transaction() as connection:
        return put_aside(connection, int(now_s))


def restore(store: Store, now_s: float) -> int:
    """Put back what was set aside by mistake: whatever is possible by this clock; says how many rows.

    What history holds by now stays as it is. Raises StoreError.
    """
    possible = _is_possible(int(now_s))
    with store.transaction() as connection:
        meters = set(connection.scalars(select(set_aside.c.meter).where(possible).distinct()))
        marks: set[tuple[int, int]] = set()
        for table in MOMENTS:
            for row in connection.execute(select(set_aside).where(possible, set_aside.c.kind == table.name)).all():
                values = content_of(table, row)
                if table is epoch:
                    # it was moved, not taken out
                    key = epoch.c.series == values["series"], epoch.c.epoch == values["epoch"]
                    connection.execute(update(epoch).where(*key).values(at_s=values["at_s"]))
                    continue
                connection.execute(store.insert(table).on_conflict_do_nothing(), [values])
                if table in (quarter_reading, power):
                    marks.add((row.meter, row.moment_s // QUARTER_S))
        if marks and connection.execute(select(uplink.c.reader)).first():
            rows = [{"meter": number, "quarter": quarter, "mark": 1} for number, quarter in sorted(marks)]
            connection.execute(store.insert(outbox).on_conflict_do_nothing(), rows)
        for number in meters:
            see_anew(connection, number, int(now_s))
        return connection.execute(delete(set_aside).where(possible)).rowcount


def restorable(store: Reads, now_s: float) -> list[Odd]:
    """What `restore` would put back. Raises StoreError."""
    return _aside(store, _is_possible(int(now_s)))


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


def _aside(store: Reads, wanted: ColumnElement[bool]) -> list[Odd]:
    joined = set_aside.join(meter, meter.c.id == set_aside.c.meter, isouter=True)
    moments = func.count(), func.min(set_aside.c.moment_s), func.max(set_aside.c.moment_s)
    statement = select(func.coalesce(meter.c.meter_id, "?"), set_aside.c.kind, *moments).select_from(joined)
    groups = meter.c.meter_id, set_aside.c.kind
    return list(starmap(Odd, store.ask(statement.where(wanted).group_by(*groups).order_by(*groups))))


def _is_possible(now_s: int) -> ColumnElement[bool]:
    return set_aside.c.moment_s.between(FIRST_S, now_s + TOLERANCE_S)
