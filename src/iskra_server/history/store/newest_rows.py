"""The newest rows of every counter: its last quarter reading, and its last epoch start.

SQLite answers with one statement. Where tables are divided it would open every month for every counter, and Citus
refuses it, as it joins what lies on different nodes: there each counter is sought by its number, in bounded periods.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, Row, Select, Table, select

from iskra_server.history.model.records import QUARTER_S, Exact, LastCounter, quarter_of
from iskra_server.history.store.schema import epoch, meter, quarter_reading, series
from iskra_server.history.store.search_windows import windows_before, within
from iskra_server.meter.obis import Obis

_DAY = 96
Query = Callable[[Select[Any]], Sequence[Row[Any]]]


class NewestRows(NamedTuple):
    """Of one counter; None where it has no such row."""

    meter_id: str
    obis: str
    reading: Row[Any] | None
    start: Row[Any] | None


def newest_at_once(query: Query, starts: ColumnElement[bool], end: int) -> Iterator[NewestRows]:
    """With an epoch start among `starts`, a quarter before `end`."""
    of_series = {row.id: row for row in query(_last(epoch, epoch.c.epoch, starts))}
    for row in query(_last(quarter_reading, quarter_reading.c.quarter, quarter_reading.c.quarter < end)):
        start = of_series.get(row.id)
        yield NewestRows(
            row.meter_id,
            row.obis,
            row if row.quarter is not None else None,
            start if start and start.epoch is not None else None,
        )


def newest_by_series(query: Query, starts: ColumnElement[bool], end: int) -> Iterator[NewestRows]:
    """The same with a statement or two for each counter."""
    of_series = {row.series: row for row in query(select(epoch).where(starts).order_by(epoch.c.series, epoch.c.epoch))}
    counters = query(select(series.c.id, series.c.obis, meter.c.meter_id, meter.c.last_s).join_from(series, meter))
    # later than all were heard there are few rows or none, but months that are made ahead: asked for once
    top = max((quarter_of(row.last_s) for row in counters), default=end) + 2 * _DAY
    late: set[int] = set()
    if top < end:
        ahead = quarter_reading.c.quarter >= top, quarter_reading.c.quarter < end
        late = {row.series for row in query(select(quarter_reading.c.series).where(*ahead).distinct())}
    for row in counters:
        until = end if row.id in late else min(end, top)
        newest = select(quarter_reading).where(quarter_reading.c.series == row.id).limit(1)
        newest = newest.order_by(quarter_reading.c.quarter.desc())
        windows = windows_before(until, quarter_of(row.last_s), _DAY)
        found = (query(newest.where(within(quarter_reading.c.quarter, window))) for window in windows)
        reading = next((rows[0] for rows in found if rows), None)
        yield NewestRows(row.meter_id, row.obis, reading, of_series.get(row.id))


def last_counter_of(newest: NewestRows) -> LastCounter | None:
    """The later of a counter's last quarter reading and its last epoch start; None where it has neither any more."""
    obis, reading, start = Obis.parse(newest.obis), newest.reading, newest.start
    if start and (reading is None or start.epoch > reading.epoch):
        value = Exact(start.after_raw, start.after_scaler)
        return LastCounter(newest.meter_id, obis, value, start.at_s, start.epoch)
    if reading is None:
        return None
    value = Exact(reading.raw, reading.scaler)
    return LastCounter(newest.meter_id, obis, value, reading.quarter * QUARTER_S, reading.epoch)


def _last(table: Table, order: Column[int], condition: ColumnElement[bool]) -> Select[Any]:
    """The last row of each series by `order`, its columns None where it has none.

    One subquery a column, as each of them is sure to seek by key.
    """
    last = [
        select(column)
        .where(table.c.series == series.c.id, condition)
        .order_by(order.desc())
        .limit(1)
        .correlate(series)
        .scalar_subquery()
        .label(column.name)
        for column in table.c
    ]
    return select(series.c.id, meter.c.meter_id, series.c.obis, *last).join_from(series, meter)
