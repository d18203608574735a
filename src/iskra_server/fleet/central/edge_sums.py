"""The energy of many counters as differences of two sums of the database, at the edges of buckets.

A counter that lacks a reading at an edge, or has several epochs, is taken out of the sums. Of all these counters the
outermost readings in each bucket are read at once.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, case, func, literal_column, or_, select

from iskra_server.fleet.central.bucket_sum import BucketSum
from iskra_server.fleet.central.outermost_readings import CounterNames, epoch_orders, outermost_of, with_outermost
from iskra_server.history.model.records import HOURLY_WITHIN_S, QUALITIES, QUARTER_S, QuarterReading
from iskra_server.history.store.batches import MAX_KEYS, batches
from iskra_server.history.store.reads import Reads
from iskra_server.history.store.schema import epoch, meter, quarter_reading
from iskra_server.meter.obis import Obis

# quarter & 3 is 0 at whole hours, which have their own index in PostgreSQL
_WITHIN_HOUR = 3
# quarter readings that are counted for one sum; more would take too long
MAX_COUNTED = 3_000_000
# outermost readings of one statement, some 30 MB in memory
_MAX_ROWS = 50_000
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
    edges = _edges(buckets)
    singles = {row.id: row.meter_id for row in reads.query(_singles(chosen, edges))}
    regular = size - len(singles)
    if regular:
        _add_sums(reads, select(chosen.c.id), 1, buckets)
    for bucket in buckets:
        bucket.complete += regular
    for batch in batches(list(singles), min(MAX_KEYS, max(_MAX_ROWS // len(edges), 1))):
        if regular:
            _add_sums(reads, batch, -1, buckets)
        _add_singles(reads, {number: (singles[number], obis) for number in batch}, buckets)


def _add_singles(reads: Reads, counters: CounterNames, buckets: Sequence[BucketSum]) -> None:
    """From the first reading inside each bucket to the last."""
    orders = epoch_orders(reads, counters)
    readings: dict[int, dict[int, QuarterReading]] = defaultdict(dict)
    for row in reads.query(with_outermost(_outermost(list(counters), _edges(buckets)))):
        found = outermost_of(row, *counters[row.series], orders[row.series])
        readings[row.series].update((reading.quarter, reading) for reading in found)
    for number, of_counter in readings.items():
        quarters, epochs = sorted(of_counter), orders[number].starts
        for bucket in buckets:
            first, last = bisect_left(quarters, bucket.begin), bisect_right(quarters, bucket.end) - 1
            if first <= last:
                ends = of_counter[quarters[first]], of_counter[quarters[last]]
                bucket.complete += bucket.add_energy(ends, (bucket.begin, bucket.end), epochs)


def _outermost(counters: Sequence[int], edges: Sequence[int]) -> Subquery:
    """The first and the last reading of each counter from each edge until before the next, perhaps also at the last."""
    column = quarter_reading.c
    inside = (
        select(column.series, column.quarter, _place(column.quarter, edges).label("place"))
        .where(column.series.in_(counters), column.quarter >= edges[0], column.quarter <= edges[-1])
        .subquery()
    )
    ends = func.min(inside.c.quarter).label("first"), func.max(inside.c.quarter).label("last")
    return select(inside.c.series, *ends).group_by(inside.c.series, inside.c.place).subquery()


def _place(column: ColumnElement[int], edges: Sequence[int]) -> ColumnElement[int]:
    """A number that differs before and after each edge but the last, which needs none of its own."""
    steps = {after - before for before, after in pairwise(edges[1:-1])}
    if len(steps) == 1:
        # thousands of hours or quarter-hours; of days some are shorter
        (step,) = steps
        return (column - (edges[1] - step)) // step
    return _place_among(column, range(len(edges)), edges)


def _place_among(column: ColumnElement[int], places: range, edges: Sequence[int]) -> ColumnElement[int]:
    """By halves: with each edge in turn, a query would compare hundreds of times for each reading."""
    if len(places) == 1:
        return literal_column(str(places[0]))
    middle = len(places) // 2
    before, after = (_place_among(column, half, edges) for half in (places[:middle], places[middle:]))
    return case((column < literal_column(str(edges[places[middle]])), before), else_=after)


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
