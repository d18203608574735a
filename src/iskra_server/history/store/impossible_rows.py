"""Sets rows aside whose time cannot be true, as a wrong clock wrote them: in the future, or before 2000.

Such a row is moved whole into the table set_aside, out of every answer, so that its reading is not lost. An epoch
start stays, as later rows belong to it, but moves to a possible time. All functions run in the caller's transaction.
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

# why a row was set aside
AHEAD, BEFORE = "ahead", "before"
# of the last quarter that a column of 32 bits holds
LATEST_S = (2**31 - 1) * QUARTER_S
_BATCH = 2_000
# table -> its column of time, and the unit of that in seconds
TIME_COLUMNS = {
    quarter_reading: (quarter_reading.c.quarter, QUARTER_S),
    power: (power.c.quarter, QUARTER_S),
    points: (points.c.last_s, 1),
    epoch: (epoch.c.at_s, 1),
}


def set_rows_aside(connection: Connection, now_s: int, until_s: int = LATEST_S) -> int:
    """Returns how many rows. Rows later than `until_s` stay."""
    meters = {
        row_id
        for table in TIME_COLUMNS
        for row_id in connection.scalars(select(meter_of(table)).where(is_impossible(table, now_s, until_s)).distinct())
    }
    count = sum(_move(connection, table, now_s, until_s) for table in TIME_COLUMNS if table is not epoch)
    count += _move_epochs(connection, now_s, until_s)
    connection.execute(delete(outbox).where(_is_impossible(outbox.c.quarter, QUARTER_S, now_s, until_s)))
    seen = or_(meter.c.last_s > now_s + CLOCK_TOLERANCE_S, meter.c.first_s < EARLIEST_S)
    for row_id in meters | set(connection.scalars(select(meter.c.id).where(seen))):
        refresh_seen(connection, row_id, now_s)
    return count


def is_step_recorded(connection: Connection, step: ClockStep) -> bool:
    """Whether this step was written before: a batch may come again."""
    same = clock_step.c.from_s == step.from_s, clock_step.c.to_s == step.to_s, clock_step.c.reason == step.reason
    return connection.scalar(select(clock_step.c.id).where(*same).limit(1)) is not None


def record_step(connection: Connection, step: ClockStep) -> None:
    """Insert a step of the clock, and set aside what was recorded ahead of it."""
    connection.execute(insert(clock_step), [{"from_s": step.from_s, "to_s": step.to_s, "reason": step.reason}])
    if step.from_s > step.to_s:
        # rows later than the clock showed were recorded after the step, which may have waited on the disk
        set_rows_aside(connection, step.to_s, step.from_s)


def is_impossible(table: Table, now_s: int, until_s: int = LATEST_S) -> ColumnElement[bool]:
    return _is_impossible(*TIME_COLUMNS[table], now_s, until_s)


def _is_impossible(column: Column[int], unit: int, now_s: int, until_s: int) -> ColumnElement[bool]:
    """Compares the bare column, so that the key can be used."""
    return or_(column.between((now_s + CLOCK_TOLERANCE_S) // unit + 1, until_s // unit), column < EARLIEST_S // unit)


def meter_of(table: Table) -> ColumnElement[int]:
    """The row id of the meter that a row belongs to."""
    if "series" not in table.c:
        return table.c.meter
    return select(series.c.meter).where(series.c.id == table.c.series).scalar_subquery()


def _move(connection: Connection, table: Table, now_s: int, until_s: int) -> int:
    """Whole rows, in batches: a clock may have run ahead for months."""
    column, unit = TIME_COLUMNS[table]
    keys = list(table.primary_key)
    moved = 0
    while rows := connection.execute(
        select(table, meter_of(table).label("owner")).where(is_impossible(table, now_s, until_s)).limit(_BATCH)
    ).all():
        values = [_set_aside_row(table, row, getattr(row, column.name) * unit, now_s) for row in rows]
        connection.execute(insert(set_aside), values)
        for row in rows:
            connection.execute(delete(table).where(*(key == getattr(row, key.name) for key in keys)))
        moved += len(rows)
    return moved


def _move_epochs(connection: Connection, now_s: int, until_s: int) -> int:
    """An epoch of the future now begins now; one before 2000 begins with its first remaining reading."""
    impossible = is_impossible(epoch, now_s, until_s)
    rows = connection.execute(select(epoch, meter_of(epoch).label("owner")).where(impossible)).all()
    for row in rows:
        readings = quarter_reading.c.series == row.series, quarter_reading.c.epoch == row.epoch
        first = connection.scalar(select(func.min(quarter_reading.c.quarter)).where(*readings))
        at_s = now_s if row.at_s > now_s or first is None else first * QUARTER_S
        connection.execute(insert(set_aside), [_set_aside_row(epoch, row, row.at_s, now_s)])
        connection.execute(
            update(epoch).where(epoch.c.series == row.series, epoch.c.epoch == row.epoch).values(at_s=at_s)
        )
    return len(rows)


def _set_aside_row(table: Table, row: Row[Any], moment_s: int, now_s: int) -> dict[str, Any]:
    return {
        "kind": table.name,
        "meter": row.owner,
        "moment_s": moment_s,
        "at_s": now_s,
        "reason": AHEAD if moment_s > now_s else BEFORE,
        "content": msgspec.json.encode({column.name: getattr(row, column.name) for column in table.columns}),
    }


def original_values(table: Table, row: Row[Any]) -> dict[str, Any]:
    """The values that a row had in its table before it was set aside."""
    values: dict[str, Any] = msgspec.json.decode(row.content)
    binary = {column.name for column in table.columns if isinstance(column.type, LargeBinary)}
    return {name: b64decode(value) if name in binary and value else value for name, value in values.items()}


def refresh_seen(connection: Connection, meter_row_id: int, now_s: int) -> None:
    """Set when a meter was first and last seen by its remaining rows."""
    readings = select(func.min(quarter_reading.c.quarter), func.max(quarter_reading.c.quarter))
    of_meter = quarter_reading.c.series.in_(select(series.c.id).where(series.c.meter == meter_row_id))
    quarters = connection.execute(readings.where(of_meter)).one()
    blocks = select(func.min(points.c.first_s), func.max(points.c.last_s)).where(points.c.meter == meter_row_id)
    moments = [quarter * QUARTER_S for quarter in quarters if quarter is not None]
    moments += (moment_s for moment_s in connection.execute(blocks).one() if moment_s is not None)
    seen = {"first_s": min(moments, default=now_s), "last_s": max(moments, default=now_s)}
    connection.execute(update(meter).where(meter.c.id == meter_row_id).values(**seen))
