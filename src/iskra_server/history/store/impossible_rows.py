"""Sets aside what a clock that was wrong has put into history: rows of later than now, or of before anything was kept.

Such a row goes whole into the table set_aside, out of every answer; what a meter showed is not lost with it. The start
of an epoch stays, as later rows belong to it, but is moved to where it can have been. In one transaction.
"""

from base64 import b64decode
from typing import Any

import msgspec
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    LargeBinary,
    Row,
    Table,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from iskra_server.history.model.records import CLOCK_TOLERANCE_S, EARLIEST_S, QUARTER_S, ClockStep
from iskra_server.history.store.schema import (
    clock_step,
    epoch,
    meter,
    outbox,
    points,
    power,
    quarter_reading,
    series,
    set_aside,
)

AHEAD, BEFORE = "ahead", "before"
# of the last quarter that a column of 32 bits holds
LATEST_S = (2**31 - 1) * QUARTER_S
_AT_ONCE = 2_000
# table -> the column that says when, and its unit in seconds
TIME_COLUMNS = {
    quarter_reading: (quarter_reading.c.quarter, QUARTER_S),
    power: (power.c.quarter, QUARTER_S),
    points: (points.c.last_s, 1),
    epoch: (epoch.c.at_s, 1),
}


def set_rows_aside(connection: Connection, now_s: int, until_s: int = LATEST_S) -> int:
    """Within a transaction of the caller's; says how many rows. What is later than `until_s` is not looked at."""
    meters = {
        number
        for table in TIME_COLUMNS
        for number in connection.scalars(select(meter_of(table)).where(is_impossible(table, now_s, until_s)).distinct())
    }
    count = sum(_move(connection, table, now_s, until_s) for table in TIME_COLUMNS if table is not epoch)
    count += _move_epochs(connection, now_s, until_s)
    connection.execute(delete(outbox).where(_is_odd(outbox.c.quarter, QUARTER_S, now_s, until_s)))
    seen = or_(meter.c.last_s > now_s + CLOCK_TOLERANCE_S, meter.c.first_s < EARLIEST_S)
    for number in meters | set(connection.scalars(select(meter.c.id).where(seen))):
        refresh_seen(connection, number, now_s)
    return count


def is_step_recorded(connection: Connection, step: ClockStep) -> bool:
    """Whether this step was written before: a batch may come again."""
    same = clock_step.c.from_s == step.from_s, clock_step.c.to_s == step.to_s, clock_step.c.reason == step.reason
    return connection.scalar(select(clock_step.c.id).where(*same).limit(1)) is not None


def record_step(connection: Connection, step: ClockStep) -> None:
    """Keep a step of the clock, and set aside what was recorded ahead of it."""
    row = {"from_s": step.from_s, "to_s": step.to_s, "reason": step.reason}
    connection.execute(insert(clock_step), [row])
    if step.from_s > step.to_s:
        # what is later than the clock showed was recorded since: the step may have waited on the disk
        set_rows_aside(connection, step.to_s, step.from_s)


def is_impossible(table: Table, now_s: int, until_s: int = LATEST_S) -> ColumnElement[bool]:
    return _is_odd(*TIME_COLUMNS[table], now_s, until_s)


def _is_odd(column: Column[int], unit: int, now_s: int, until_s: int) -> ColumnElement[bool]:
    """By comparing the bare column: it is the key, or part of it."""
    return or_(column.between((now_s + CLOCK_TOLERANCE_S) // unit + 1, until_s // unit), column < EARLIEST_S // unit)


def meter_of(table: Table) -> ColumnElement[int]:
    """The number of the meter that a row belongs to."""
    if "series" not in table.c:
        return table.c.meter
    return select(series.c.meter).where(series.c.id == table.c.series).scalar_subquery()


def _move(connection: Connection, table: Table, now_s: int, until_s: int) -> int:
    """Whole rows, some at a time: a clock may have run ahead for months."""
    column, unit = TIME_COLUMNS[table]
    keys = list(table.primary_key)
    moved = 0
    while rows := connection.execute(
        select(table, meter_of(table).label("owner")).where(is_impossible(table, now_s, until_s)).limit(_AT_ONCE)
    ).all():
        kept = [_kept(table, row, getattr(row, column.name) * unit, now_s) for row in rows]
        connection.execute(insert(set_aside), kept)
        for row in rows:
            connection.execute(delete(table).where(*(key == getattr(row, key.name) for key in keys)))
        moved += len(rows)
    return moved


def _move_epochs(connection: Connection, now_s: int, until_s: int) -> int:
    """An epoch of the future has begun by now; one of before anything begins with its first boundary that is left."""
    rows = connection.execute(
        select(epoch, meter_of(epoch).label("owner")).where(is_impossible(epoch, now_s, until_s))
    ).all()
    for row in rows:
        own = quarter_reading.c.series == row.series, quarter_reading.c.epoch == row.epoch
        first = connection.scalar(select(func.min(quarter_reading.c.quarter)).where(*own))
        at_s = now_s if row.at_s > now_s or first is None else first * QUARTER_S
        connection.execute(insert(set_aside), [_kept(epoch, row, row.at_s, now_s)])
        connection.execute(
            update(epoch).where(epoch.c.series == row.series, epoch.c.epoch == row.epoch).values(at_s=at_s)
        )
    return len(rows)


def _kept(table: Table, row: Row[Any], moment_s: int, now_s: int) -> dict[str, Any]:
    content = msgspec.json.encode({column.name: getattr(row, column.name) for column in table.columns})
    reason = AHEAD if moment_s > now_s else BEFORE
    return {
        "kind": table.name,
        "meter": row.owner,
        "moment_s": moment_s,
        "at_s": now_s,
        "reason": reason,
        "content": content,
    }


def original_values(table: Table, row: Row[Any]) -> dict[str, Any]:
    """A row that was set aside as it was in its table."""
    values: dict[str, Any] = msgspec.json.decode(row.content)
    binary = {column.name for column in table.columns if isinstance(column.type, LargeBinary)}
    return {name: b64decode(value) if name in binary and value else value for name, value in values.items()}


def refresh_seen(connection: Connection, number: int, now_s: int) -> None:
    """When a meter was seen first and last, by what is left of it."""
    quarters = (
        select(quarter_reading.c.quarter)
        .join(series, series.c.id == quarter_reading.c.series)
        .where(series.c.meter == number)
    )
    bounds = quarters.subquery()
    first, last = connection.execute(select(func.min(bounds.c.quarter), func.max(bounds.c.quarter))).one()
    earliest, latest = connection.execute(
        select(func.min(points.c.first_s), func.max(points.c.last_s)).where(points.c.meter == number)
    ).one()
    firsts = [each for each in (first and first * QUARTER_S, earliest) if each is not None]
    lasts = [each for each in (last and last * QUARTER_S, latest) if each is not None]
    seen = {"first_s": min(firsts, default=now_s), "last_s": max(lasts, default=now_s)}
    connection.execute(update(meter).where(meter.c.id == number).values(**seen))
