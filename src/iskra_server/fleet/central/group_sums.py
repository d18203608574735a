"""The energy of a group in each bucket, and how complete each sum is.

    edge      bucket      edge     A metering point counts by the rules of its own route (history/model/energy.py): from
     |---------------------|       its first reading inside to the last, through restarts and replacements. Where a label
     |-------- tenant -->  |       has dates, inside means inside its time.

Most meters are in the group all the time and have a reading at every edge: the database sums those by edge, and a bucket
is the difference of two sums. The others are read one by one.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import accumulate, pairwise
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select

from iskra_server.fleet.central.label_periods import Group, MeterPeriod, Within, group_meters, whole_time
from iskra_server.history.model.energy import energy_between
from iskra_server.history.model.quarter_energy import ReadingColumns
from iskra_server.history.model.records import HOURLY_WITHIN_S, QUALITIES, QUARTER_S, QuarterReading
from iskra_server.history.store.counter_history import CounterHistory
from iskra_server.history.store.reads import Reads
from iskra_server.history.store.schema import epoch, meter, quarter_reading, series
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import scaled

# quarter & 3 is 0 at whole hours, which have their own index in PostgreSQL
_WITHIN_HOUR = 3
# parameters of one statement; SQLite takes 32,766
_BATCH = 5_000
# quarter readings that are counted for one sum; more would take too long
MAX_COUNTED = 3_000_000
_INTERPOLATED = QUALITIES.index("interpolated")


class Completeness(Struct, frozen=True):
    """How complete a sum is.

    meters     metering points of the group that have the register
    complete   those with a reading at both ends of their time
    quarters   quarter-hours of their time, as far as it has passed
    measured   those with a reading at both ends; None where they were too many to count
    estimated  those of the measured ones that rest on an interpolated reading
    """

    meters: int
    complete: int
    quarters: int
    measured: int | None
    estimated: int | None


class GroupSum(Struct, frozen=True):
    """Energy of a group between two quarters; None where nothing was measured."""

    begin: int
    end: int
    energy: Decimal | None
    completeness: Completeness


class GroupEnergy(Struct, frozen=True):
    """`completeness` is that of the whole time: complete are the metering points that are so in every bucket."""

    buckets: list[GroupSum]
    completeness: Completeness


class _Bucket:
    """A sum that grows; `end` is not later than now."""

    def __init__(self, begin: int, end: int) -> None:
        self.begin, self.end = begin, end
        self.meters = self.complete = self.quarters = self.measured = self.estimated = 0
        self._steps: Counter[int] = Counter()

    def add(self, raw: int, scaler: int) -> None:
        """In integers: Decimal would round to its context."""
        self._steps[scaler] += raw

    @property
    def energy(self) -> Decimal | None:
        if not self._steps:
            return None
        finest = min(self._steps)
        return scaled(sum(raw * 10 ** (scaler - finest) for scaler, raw in self._steps.items()), finest)

    def completeness(self, *, is_counted: bool) -> Completeness:
        counts = (self.measured, self.estimated) if is_counted else (None, None)
        return Completeness(self.meters, self.complete, self.quarters, *counts)


def group_energy(
    reads: Reads, group: Group, obis: Obis, edges: Sequence[int], within: Within = None, *, until: int
) -> GroupEnergy:
    """In each bucket between two edges, as far as it lies before the quarter `until`. Raises StoreError."""
    passed = [*(edge for edge in edges if edge < until), *([until] if edges[0] < until < edges[-1] else [])]
    buckets = [_Bucket(begin, min(end, max(until, begin))) for begin, end in pairwise(edges)]
    total = _Bucket(edges[0], max(min(edges[-1], until), edges[0]))
    is_counted = True
    if len(passed) > 1:
        whole = whole_time(group, passed[0], passed[-1], within)
        is_counted = _add_whole(reads, obis, passed, whole, buckets, total)
        for member in group_meters(reads, group, passed[0], passed[-1], within, but=whole):
            _add_member(CounterHistory(reads, member.chain, obis), member, buckets, total)
    sums = [
        GroupSum(begin, end, bucket.energy, bucket.completeness(is_counted=is_counted))
        for (begin, end), bucket in zip(pairwise(edges), buckets, strict=True)
    ]
    for bucket in buckets:
        total.measured += bucket.measured
        total.estimated += bucket.estimated
        total.quarters += bucket.quarters
    return GroupEnergy(sums, total.completeness(is_counted=is_counted))


def _add_whole(
    reads: Reads, obis: Obis, edges: Sequence[int], whole: Select[Any], buckets: Sequence[_Bucket], total: _Bucket
) -> bool:
    """Add the meters that are in the group all the time; says whether their quarters were counted."""
    chosen = select(series.c.id, series.c.meter).where(series.c.obis == str(obis), series.c.meter.in_(whole)).subquery()
    size = int(reads.query(select(func.count()).select_from(chosen))[0][0])
    if not size:
        return True
    singles = _singles(reads, chosen, edges)
    sums: dict[int, list[tuple[int, int]]] = {edge: [] for edge in edges}
    if len(singles) < size:
        for row in reads.query(_sums(chosen, edges)):
            sums[row.quarter].append((int(row.raw), row.scaler))
    spans = tuple(pairwise(edges))
    for bucket, (begin, end) in zip(buckets, spans, strict=False):
        for sign, edge in ((1, end), (-1, begin)):
            for raw, scaler in sums[edge]:
                bucket.add(sign * raw, scaler)
        bucket.meters, bucket.complete = bucket.meters + size, bucket.complete + size - len(singles)
        bucket.quarters += size * (end - begin)
    total.meters, total.complete = total.meters + size, total.complete + size - len(singles)
    for number, name in singles:
        counter = CounterHistory(reads, [name], obis)
        _remove_from_sums(reads, number, edges, buckets)
        _add_counter(counter, [(edges[0], edges[-1])], buckets, total, is_counted=True)
    return _count(reads, chosen, size, edges, buckets)
