"""Rows whose time cannot be true: list them, set them aside (impossible_rows.py), put them back, or delete them.

Each function is one transaction, and raises StoreError. `now_s` is Unix time.
"""

from collections.abc import Iterator
from itertools import starmap

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Table, delete, func, select, true, update

from iskra_server.history.model.records import CLOCK_TOLERANCE_S, EARLIEST_S, QUARTER_S, ClockStep
from iskra_server.history.store import rollup_marks
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

_MAX_STEPS = 20


class ImpossibleRows(Struct, frozen=True):
    """Rows of one table and one meter whose time cannot be true: how many, the first and the last time of them."""

    meter_id: str
    kind: str
    count: int
    first_s: int
    last_s: int


def find_impossible(store: Store, now_s: float) -> list[ImpossibleRows]:
    """Rows in the future, and before 2000."""
    with store.transaction(write=False) as connection:
        return [rows for table in TIME_COLUMNS for rows in _impossible_in(connection, table, int(now_s))]


def list_set_aside(store: Reads) -> list[ImpossibleRows]:
    return _set_aside_where(store, true())


def list_restorable(store: Reads, now_s: float) -> list[ImpossibleRows]:
    """The rows that `put_back` would put back."""
    return _set_aside_where(store, _is_possible(int(now_s)))


def clock_steps(store: Reads) -> list[ClockStep]:
    """The last steps of the clock, the newest first, a screen of them."""
    columns = clock_step.c.from_s, clock_step.c.to_s, clock_step.c.reason
    return list(starmap(ClockStep, store.query(select(*columns).order_by(clock_step.c.id.desc()).limit(_MAX_STEPS))))


def repair(store: Store, now_s: float) -> int:
    """Set all rows with an impossible time aside; returns how many."""
    with store.transaction() as connection:
        return set_rows_aside(connection, int(now_s))


def put_back(store: Store, now_s: float) -> int:
    """Put back rows that were set aside by mistake, whose time is possible by this clock; returns how many.

    A row that history has by now stays as it is.
    """
    possible = _is_possible(int(now_s))
    with store.transaction() as connection:
        meters = set(connection.scalars(select(set_aside.c.meter).where(possible).distinct()))
        quarters: set[tuple[int, int]] = set()
        for table in TIME_COLUMNS:
            for row in connection.execute(select(set_aside).where(possible, set_aside.c.kind == table.name)).all():
                values = original_values(table, row)
                if table is epoch:
                    # it was moved to another time, not taken out
                    key = epoch.c.series == values["series"], epoch.c.epoch == values["epoch"]
                    connection.execute(update(epoch).where(*key).values(at_s=values["at_s"]))
                    continue
                connection.execute(store.insert(table).on_conflict_do_nothing(), [values])
                if table in (quarter_reading, power):
                    quarters.add((row.meter, row.moment_s // QUARTER_S))
        for row_id in meters:
            if own := [quarter for number, quarter in quarters if number == row_id]:
                rollup_marks.mark_meters(connection, store.insert, [row_id], min(own), max(own))
        if quarters and connection.execute(select(uplink.c.reader)).first():
            rows = [{"meter": row_id, "quarter": quarter, "mark": 1} for row_id, quarter in sorted(quarters)]
            connection.execute(store.insert(outbox).on_conflict_do_nothing(), rows)
        for row_id in meters:
            refresh_seen(connection, row_id, int(now_s))
        return connection.execute(delete(set_aside).where(possible)).rowcount


def delete_set_aside(store: Store) -> int:
    """Delete the rows that were set aside, for good; returns how many."""
    with store.transaction() as connection:
        return connection.execute(delete(set_aside)).rowcount


def _impossible_in(connection: Connection, table: Table, now_s: int) -> Iterator[ImpossibleRows]:
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


def _set_aside_where(store: Reads, condition: ColumnElement[bool]) -> list[ImpossibleRows]:
    joined = set_aside.join(meter, meter.c.id == set_aside.c.meter, isouter=True)
    moments = func.count(), func.min(set_aside.c.moment_s), func.max(set_aside.c.moment_s)
    statement = select(func.coalesce(meter.c.meter_id, "?"), set_aside.c.kind, *moments).select_from(joined)
    groups = meter.c.meter_id, set_aside.c.kind
    return list(starmap(ImpossibleRows, store.query(statement.where(condition).group_by(*groups).order_by(*groups))))


def _is_possible(now_s: int) -> ColumnElement[bool]:
    return set_aside.c.moment_s.between(EARLIEST_S, now_s + CLOCK_TOLERANCE_S)
