"""The energy of many counters as differences of two sums of the database, at the edges of buckets.

A counter that lacks a reading at an edge, or has several epochs, is taken out of the sums and read by itself.
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, case, func, or_, select

from iskra_server.fleet.central.bucket_sum import BucketSum
from iskra_server.history.model.records import HOURLY_WITHIN_S, QUALITIES, QUARTER_S
from iskra_server.history.store.batches import batches
from iskra_server.history.store.counter_history import CounterHistory
from iskra_server.history.store.readings_in_memory import ReadingsInMemory
from iskra_server.history.store.reads import Reads
from iskra_server.history.store.schema import epoch, meter, quarter_reading
from iskra_server.meter.obis import Obis

# quarter & 3 is 0 at whole hours, which have their own index in PostgreSQL
_WITHIN_HOUR = 3
# quarter readings that are counted for one sum; more would take too long
MAX_COUNTED = 3_000_000
_INTERPOLATED = QUALITIES.index("interpolated")


class CountLimit:
    """How many quarter readings may still be counted for one sum."""

    def __init__(self) -> None:
        self._left = MAX_COUNTED

    def allows(self, readings: int) -> bool:
        """Takes them off, if it allows them."""
        if readings > self._left:
            return False
        self._left -= readings
        return True


def add_counters(reads: Reads, obis: Obis, chosen: Subquery, size: int, buckets: Sequence[BucketSum]) -> None:
    """Add what counters measured in buckets of which each begins where the one before ends."""
    singles = {row.id: row.meter_id for row in reads.query(_singles(chosen, _edges(buckets)))}
    regular = size - len(singles)
    if regular:
        _add_sums(reads, select(chosen.c.id), 1, buckets)
    recorded: list[int] = []
    for batch in batches(list(singles)):
        if regular:
            _add_sums(reads, batch, -1, buckets)
        recorded += (row.series for row in reads.query(_recorded(batch, buckets)))
    for bucket in buckets:
        bucket.complete += regular
    for number in recorded:
        readings = ReadingsInMemory(CounterHistory(reads, [singles[number]], obis), buckets[0].begin, buckets[-1].end)
        for bucket in buckets:
            bucket.complete += bucket.add_energy(readings, bucket.begin, bucket.end)


def _edges(buckets: Sequence[BucketSum]) -> list[int]:
    return [*(bucket.begin for bucket in buckets), buckets[-1].end]


def _singles(chosen: Subquery, edges: Sequence[int]) -> Select[Any]:
    """The counters that lack a reading at an edge, and those whose epochs differ or start between the edges."""
    column = quarter_reading.c
    at_edges = (
        select(
            column.series,
            func.count().label("readings"),
            func.min(column.epoch).label("first"),
            func.max(column.epoch).label("last"),
        )
        .where(column.series.in_(select(chosen.c.id)), _at(edges))
        .group_by(column.series)
        .subquery()
    )
    # a reading may be of an epoch whose start is a bit later, where the clock was set
    begin_s, end_s = edges[0] * QUARTER_S - HOURLY_WITHIN_S, edges[-1] * QUARTER_S + HOURLY_WITHIN_S
    restarted = select(epoch.c.series).where(epoch.c.at_s >= begin_s, epoch.c.at_s <= end_s)
    is_single = or_(
        at_edges.c.readings.is_(None),
        at_edges.c.readings != len(edges),
        at_edges.c.first != at_edges.c.last,
        chosen.c.id.in_(restarted),
    )
    statement = select(chosen.c.id, meter.c.meter_id).join(meter, meter.c.id == chosen.c.meter)
    return statement.outerjoin(at_edges, at_edges.c.series == chosen.c.id).where(is_single)


def _add_sums(reads: Reads, counters: Select[Any] | Sequence[int], sign: int, buckets: Sequence[BucketSum]) -> None:
    """The difference of the sums at both edges of each bucket."""
    edges = _edges(buckets)
    by = (quarter_reading.c.quarter, quarter_reading.c.scaler)
    sums: dict[int, list[tuple[int, int]]] = {edge: [] for edge in edges}
    statement = select(*by, func.sum(quarter_reading.c.raw).label("raw"))
    for row in reads.query(statement.where(quarter_reading.c.series.in_(counters), _at(edges)).group_by(*by)):
        sums[row.quarter].append((sign * int(row.raw), row.scaler))
    for bucket in buckets:
        for raw, scaler in sums[bucket.end]:
            bucket.add(raw, scaler)
        for raw, scaler in sums[bucket.begin]:
            bucket.add(-raw, scaler)


def _recorded(counters: Sequence[int], buckets: Sequence[BucketSum]) -> Select[Any]:
    """Those of the counters that have a reading."""
    column = quarter_reading.c
    inside = column.quarter >= buckets[0].begin, column.quarter <= buckets[-1].end
    return select(column.series).where(column.series.in_(counters), *inside).distinct()


def count_quarters(reads: Reads, chosen: Subquery, size: int, buckets: Sequence[BucketSum], limit: CountLimit) -> None:
    """Count the quarters that were measured, unless there are too many."""
    edges = _edges(buckets)
    if not limit.allows(size * (edges[-1] - edges[0])):
        for bucket in buckets:
            bucket.is_counted = False
        return
    column = quarter_reading.c
    inside = column.quarter >= edges[0], column.quarter <= edges[-1]
    pairs = (
        select(
            column.quarter,
            column.quality,
            *(
                func.lag(before).over(partition_by=column.series, order_by=column.quarter).label(name)
                for before, name in ((column.quarter, "before"), (column.quality, "quality_before"))
            ),
        )
        .where(column.series.in_(select(chosen.c.id)), *inside)
        .subquery()
    )
    is_estimated = or_(pairs.c.quality == _INTERPOLATED, pairs.c.quality_before == _INTERPOLATED)
    statement = (
        select(pairs.c.before, func.count().label("measured"), func.sum(case((is_estimated, 1), else_=0)).label("part"))
        .where(pairs.c.quarter == pairs.c.before + 1)
        .group_by(pairs.c.before)
    )
    for row in reads.query(statement):
        bucket = buckets[bisect_right(edges, row.before) - 1]
        bucket.measured, bucket.estimated = bucket.measured + row.measured, bucket.estimated + int(row.part)


def _at(edges: Sequence[int]) -> ColumnElement[bool]:
    """At these quarters; whole hours in the form that PostgreSQL's index of whole hours matches."""
    column = quarter_reading.c.quarter
    if len(edges) == edges[-1] - edges[0] + 1:
        # a month has 3,000 of them
        return column.between(edges[0], edges[-1])
    hours = and_(column.in_([edge for edge in edges if not edge & _WITHIN_HOUR]), column.op("&")(_WITHIN_HOUR) == 0)
    others = [edge for edge in edges if edge & _WITHIN_HOUR]
    return or_(hours, column.in_(others)) if others else hours
