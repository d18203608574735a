"""What a clock that was wrong has left in history: found, set aside (aside.py), and deleted when somebody says so."""

from collections.abc import Iterator
from itertools import starmap

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Table, and_, delete, func, select, update

from iskra_server.history.model.records import CLOCK_TOLERANCE_S, EARLIEST_S, QUARTER_S
from iskra_server.history.store.impossible_rows import (
    TIME_COLUMNS,
    is_impossible,
    meter_of,
    original_values,
    refresh_seen,
    set_rows_aside,
)
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


class ImpossibleRows(Struct, frozen=True):
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


def find_impossible(store: Store, now_s: float) -> list[ImpossibleRows]:
    """What lies in the future or before anything was kept. Raises StoreError."""
    with store.transaction(write=False) as connection:
        return [found for table in TIME_COLUMNS for found in _odd(connection, table, int(now_s))]


def list_set_aside(store: Reads) -> list[ImpossibleRows]:
    """What was set aside. Raises StoreError."""
    return _aside(store, and_(True))


def clock_steps(store: Reads, at_most: int = 20) -> list[Step]:
    """The last steps of the clock, the newest first. Raises StoreError."""
    columns = clock_step.c.from_s, clock_step.c.to_s, clock_step.c.reason
    return list(starmap(Step, store.query(select(*columns).order_by(clock_step.c.id.desc()).limit(at_most))))


def repair(store: Store, now_s: float) -> int:
    """Set everything odd aside; says how many rows. Raises StoreError."""
    with store.transaction() as connection:
        return set_rows_aside(connection, int(now_s))


def put_back(store: Store, now_s: float) -> int:
    """Put back what was set aside by mistake: whatever is possible by this clock; says how many rows.

    What history holds by now stays as it is. Raises StoreError.
    """
    possible = _is_possible(int(now_s))
    with store.transaction() as connection:
        meters = set(connection.scalars(select(set_aside.c.meter).where(possible).distinct()))
        marks: set[tuple[int, int]] = set()
        for table in TIME_COLUMNS:
            for row in connection.execute(select(set_aside).where(possible, set_aside.c.kind == table.name)).all():
                values = original_values(table, row)
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
            refresh_seen(connection, number, int(now_s))
        return connection.execute(delete(set_aside).where(possible)).rowcount


def list_restorable(store: Reads, now_s: float) -> list[ImpossibleRows]:
    """What `restore` would put back. Raises StoreError."""
    return _aside(store, _is_possible(int(now_s)))


def delete_set_aside(store: Store) -> int:
    """Delete what was set aside, for good; says how many rows. Raises StoreError."""
    with store.transaction() as connection:
        return connection.execute(delete(set_aside)).rowcount


def _odd(connection: Connection, table: Table, now_s: int) -> Iterator[ImpossibleRows]:
    column, unit = TIME_COLUMNS[table]
    rows = select(meter_of(table).label("meter"), column.label("moment")).where(is_impossible(table, now_s)).subquery()
    statement = (
        select(meter.c.meter_id, func.count(), func.min(rows.c.moment), func.max(rows.c.moment))
        .join(rows, meter.c.id == rows.c.meter)
        .group_by(meter.c.meter_id)
        .order_by(meter.c.meter_id)
    )
    for meter_id, count, first, last in connection.execute(statement):
        yield ImpossibleRows(meter_id, table.name, count, first * unit, last * unit)


def _aside(store: Reads, wanted: ColumnElement[bool]) -> list[ImpossibleRows]:
    joined = set_aside.join(meter, meter.c.id == set_aside.c.meter, isouter=True)
    moments = func.count(), func.min(set_aside.c.moment_s), func.max(set_aside.c.moment_s)
    statement = select(func.coalesce(meter.c.meter_id, "?"), set_aside.c.kind, *moments).select_from(joined)
    groups = meter.c.meter_id, set_aside.c.kind
    return list(starmap(ImpossibleRows, store.query(statement.where(wanted).group_by(*groups).order_by(*groups))))


def _is_possible(now_s: int) -> ColumnElement[bool]:
    return set_aside.c.moment_s.between(EARLIEST_S, now_s + CLOCK_TOLERANCE_S)
