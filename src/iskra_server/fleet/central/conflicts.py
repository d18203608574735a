"""Values that differ from those that are kept, with both: the first value of a quarter counts, the other is not lost.

They come from another reader than that of the meter, from a copied history, or from rows with which a counter would go
back. An administrator may take one instead (`fleet conflicts --take`); then the value that counted before is a conflict
in its place.
"""

from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Row, Select, func, select, tuple_

from iskra_server.history.model.records import QUALITIES, Exact, QuarterReading
from iskra_server.history.store.batches import batches
from iskra_server.history.store.reads import Reads
from iskra_server.history.store.schema import ALWAYS, conflict, meter, quarter_reading, series
from iskra_server.history.store.store import Store
from iskra_server.meter.obis import Obis

# keys in one statement: SQLite takes 32,766 parameters, and its expressions are not deeper than 1,000
_BATCH = 500
_STORED = (
    "SELECT boundary.series, boundary.quarter, boundary.raw, boundary.scaler "
    "FROM unnest(%s::int[], %s::int[]) AS sent (series, quarter) "
    "JOIN boundary ON boundary.series = sent.series AND boundary.quarter = sent.quarter"
)
# of a counter in a quarter: its series, and the quarter
Key = tuple[int, int]
# of the last row of a page
Position = tuple[int, int, str, int, int]


class OtherValue(Struct, frozen=True):
    """A value that `reader` sent of a series; `kept_reader` had the meter then."""

    series: int
    reading: QuarterReading
    reader: str
    kept_reader: str


class Conflict(Struct, frozen=True):
    """A value that is not kept, in Wh, and the one that is; None: none is, as the counter would have gone back."""

    meter_id: str
    obis: Obis
    quarter: int
    reader: str
    value: Decimal
    kept: Decimal | None
    kept_reader: str | None
    at_s: int


def write_differing(store: Store, connection: Connection, values: Sequence[OtherValue], now_s: int) -> int:
    """Write those of the values that differ from what is kept; returns how many are new."""
    kept = _kept(connection, {(value.series, value.reading.quarter) for value in values})
    differing = [
        (value, stored)
        for value in values
        if (stored := kept.get((value.series, value.reading.quarter))) is not None
        and stored.decimal != value.reading.value.decimal
    ]
    return _write(store, connection, differing, now_s)


def write_backward(store: Store, connection: Connection, values: Sequence[OtherValue], now_s: int) -> int:
    """Write values of quarters of which none is kept; returns how many are new."""
    return _write(store, connection, [(value, None) for value in values], now_s)


def _write(store: Store, connection: Connection, values: Iterable[tuple[OtherValue, Exact | None]], now_s: int) -> int:
    rows = {}
    for value, kept in values:
        key = {
            "series": value.series,
            "quarter": value.reading.quarter,
            "reader": value.reader,
            "raw": value.reading.value.raw,
            "scaler": value.reading.value.scaler,
        }
        rows[tuple(key.values())] = {
            **key,
            "quality": QUALITIES.index(value.reading.quality),
            "kept_raw": kept.raw if kept else None,
            "kept_scaler": kept.scaler if kept else None,
            "kept_reader": value.kept_reader,
            "at_s": now_s,
        }
    ordered, count = [row for _, row in sorted(rows.items())], 0
    for batch in batches(ordered, _BATCH):
        # one statement, not one for each row: only that says how many are new
        statement = store.insert(conflict).values(batch)
        statement = statement.on_conflict_do_nothing().execution_options(preserve_rowcount=True)
        count += connection.execute(statement).rowcount
    return count


def _kept(connection: Connection, keys: Collection[Key]) -> dict[Key, Exact]:
    """The stored values of these quarters."""
    rows: list[Row[Any]] = []
    ordered = sorted(keys)
    if ordered and connection.dialect.name == "postgresql":
        columns = tuple(list(column) for column in zip(*ordered, strict=True))
        rows += connection.exec_driver_sql(_STORED, columns)
    else:
        column = quarter_reading.c
        for batch in batches(ordered, _BATCH):
            chosen = tuple_(column.series, column.quarter).in_(batch)
            rows += connection.execute(select(column.series, column.quarter, column.raw, column.scaler).where(chosen))
    return {(row.series, row.quarter): Exact(row.raw, row.scaler) for row in rows}


def count_conflicts(reads: Reads) -> int:
    return int(reads.query(select(func.count()).select_from(conflict))[0][0])


def list_conflicts(
    reads: Reads,
    *,
    limit: int,
    after: Position | None = None,
    meters: Collection[str] | None = None,
    first: int = 0,
    end: int = ALWAYS,
) -> tuple[list[Conflict], Position | None]:
    """A page of the conflicts of a period, counter by counter; and the position of the last one, if more follow."""
    statement = _conflicts(meters, first, end).limit(limit + 1)
    if after is not None:
        statement = statement.where(tuple_(*conflict.primary_key) > tuple_(*after))
    rows = reads.query(statement)
    page = [
        Conflict(
            row.meter_id,
            Obis.parse(row.obis),
            row.quarter,
            row.reader,
            Exact(row.raw, row.scaler).decimal,
            None if row.kept_raw is None else Exact(row.kept_raw, row.kept_scaler).decimal,
            row.kept_reader,
            row.at_s,
        )
        for row in rows[:limit]
    ]
    last = rows[limit - 1] if len(rows) > limit else None
    return page, None if last is None else (last.series, last.quarter, last.reader, last.raw, last.scaler)


def _conflicts(meters: Collection[str] | None, first: int, end: int) -> Select[Any]:
    statement = (
        select(conflict, series.c.obis, meter.c.meter_id)
        .join_from(conflict, series)
        .join(meter, meter.c.id == series.c.meter)
        .where(conflict.c.quarter >= first, conflict.c.quarter < end)
        .order_by(*conflict.primary_key)
    )
    return statement if meters is None else statement.where(meter.c.meter_id.in_(meters))
