"""The energy of a group in each bucket, and how complete each sum is.

    edge      bucket      edge     A metering point counts by the rules of its own route (history/model/energy.py):
     |---------------------|       from its first reading inside to the last, through restarts and replacements.
     |-------- tenant -->  |       Where a label has dates, inside means inside its time.

Most meters are in the group all the time: their days and months are in roll-ups (rollups.py). Other buckets of those
that have a reading at every edge are differences of two sums of the database. What remains is read meter by meter.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import groupby, pairwise
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Select, Subquery, and_, case, func, literal, or_, select

from iskra_server.fleet.central.label_periods import Group, MeterPeriod, Spans, Within, group_meters, whole_time
from iskra_server.fleet.central.rollups import BucketEnergy
from iskra_server.fleet.central.rollups import group_energies as rolled_up_energies
from iskra_server.history.model.energy import energy_between
from iskra_server.history.model.records import HOURLY_WITHIN_S, QUALITIES, QUARTER_S
from iskra_server.history.store.counter_history import CounterHistory
from iskra_server.history.store.readings_in_memory import ReadingsInMemory
from iskra_server.history.store.reads import Reads
from iskra_server.history.store.schema import ALWAYS, epoch, meter, quarter_reading, series
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
    """`completeness` is that of the whole time: complete are all but the most that are incomplete in one bucket."""

    buckets: list[GroupSum]
    completeness: Completeness


class _Bucket:
    """A sum that grows."""

    def __init__(self, begin: int, end: int) -> None:
        self.begin, self.end = begin, end
        self.meters = self.complete = self.quarters = self.measured = self.estimated = 0
        self.is_counted = True
        self._steps: Counter[int] = Counter()

    def add(self, raw: int, scaler: int) -> None:
        """In integers: Decimal would round to its context."""
        self._steps[scaler] += raw

    def add_energy(self, readings: ReadingsInMemory, begin: int, end: int) -> bool:
        """What a counter counted between two quarters in the bucket; says whether that is all of it."""
        places = readings.outermost(begin, end)
        if places is None:
            return False
        first, last = (readings.reading(place) for place in places)
        if first.quarter < last.quarter:
            self.add_decimal(energy_between(first, last, readings.epochs))
        return (first.quarter, last.quarter) == (begin, end)

    def add_decimal(self, energy: Decimal) -> None:
        sign, digits, scaler = energy.as_tuple()
        assert isinstance(scaler, int)
        raw = int("".join(map(str, digits)))
        self.add(-raw if sign else raw, scaler)

    def add_rolled_up(self, sums: BucketEnergy) -> None:
        if sums.energy is not None:
            self.add_decimal(sums.energy)
        self.complete += sums.complete
        self.measured += sums.quarters
        self.estimated += sums.estimated

    @property
    def energy(self) -> Decimal | None:
        if not self._steps:
            return None
        finest = min(self._steps)
        return scaled(sum(raw * int(10 ** (scaler - finest)) for scaler, raw in self._steps.items()), finest)

    def completeness(self) -> Completeness:
        counts = (self.measured, self.estimated) if self.is_counted else (None, None)
        return Completeness(self.meters, self.complete, self.quarters, *counts)


def group_energies(
    reads: Reads, group: Group, registers: Sequence[Obis], edges: Sequence[int], within: Within = None, *, until: int
) -> list[GroupEnergy]:
    """Of each register, in each bucket between two edges, as far as it lies before the quarter `until`.

    Raises StoreError.
    """
    passed = [*(edge for edge in edges if edge < until), *([until] if edges[0] < until < edges[-1] else [])]
    if until >= edges[-1]:
        passed = list(edges)
    if len(passed) < 2:
        return [_energy(edges, [], 0) for _ in registers]
    whole = whole_time(group, passed[0], passed[-1], within)
    throughout = whole.add_columns(literal(0).label("from_quarter"), literal(ALWAYS).label("to_quarter"))
    rolled_up = rolled_up_energies(reads, throughout, registers, passed)
    others = group_meters(reads, group, passed[0], passed[-1], within, but=whole)
    energies = []
    for obis in registers:
        buckets = [_Bucket(begin, end) for begin, end in pairwise(passed)]
        meters = _add_whole(reads, obis, whole, buckets, rolled_up[obis])
        for member in _with_register(reads, others, obis):
            _add_member(CounterHistory(reads, member.chain, obis), member.spans, buckets)
            meters += 1
        energies.append(_energy(edges, buckets, meters))
    return energies


def group_energy(
    reads: Reads, group: Group, obis: Obis, edges: Sequence[int], within: Within = None, *, until: int
) -> GroupEnergy:
    """As `group_energies`, of one register."""
    return group_energies(reads, group, [obis], edges, within, until=until)[0]


def _energy(edges: Sequence[int], buckets: Sequence[_Bucket], meters: int) -> GroupEnergy:
    """`buckets` are those that have begun; `meters` are in the group at some time."""
    to_come = [_Bucket(*pair) for pair in list(pairwise(edges))[len(buckets) :]]
    sums = [
        GroupSum(begin, end, bucket.energy, bucket.completeness())
        for (begin, end), bucket in zip(pairwise(edges), [*buckets, *to_come], strict=True)
    ]
    total = _Bucket(edges[0], edges[-1])
    total.meters = meters
    total.complete = meters - max((bucket.meters - bucket.complete for bucket in buckets), default=0)
    for bucket in buckets:
        total.measured += bucket.measured
        total.estimated += bucket.estimated
        total.quarters += bucket.quarters
        total.is_counted = total.is_counted and bucket.is_counted
    return GroupEnergy(sums, total.completeness())


def _with_register(reads: Reads, members: Sequence[MeterPeriod], obis: Obis) -> Iterator[MeterPeriod]:
    """Those metering points of which any meter has the register."""
    numbers = [number for member in members for number in member.numbers]
    having: set[int] = set()
    for start in range(0, len(numbers), _BATCH):
        batch = series.c.meter.in_(numbers[start : start + _BATCH])
        having |= {row.meter for row in reads.query(select(series.c.meter).where(batch, series.c.obis == str(obis)))}
    return (member for member in members if having.intersection(member.numbers))


def _add_member(counter: CounterHistory, spans: Spans, buckets: Sequence[_Bucket]) -> None:
    """Add a metering point that is in the group at times."""
    readings = ReadingsInMemory(counter, spans[0][0], spans[-1][1])
    for bucket in buckets:
        parts = [(max(first, bucket.begin), min(until, bucket.end)) for first, until in spans]
        parts = [(begin, end) for begin, end in parts if begin < end]
        if not parts:
            continue
        is_complete = [bucket.add_energy(readings, begin, end) for begin, end in parts]
        bucket.meters, bucket.complete = bucket.meters + 1, bucket.complete + all(is_complete)
        for begin, end in parts:
            bucket.quarters += end - begin
            measured, estimated = readings.count(begin, end)
            bucket.measured, bucket.estimated = bucket.measured + measured, bucket.estimated + estimated


def _add_whole(
    reads: Reads,
    obis: Obis,
    whole: Select[Any],
    buckets: Sequence[_Bucket],
    rolled_up: Sequence[BucketEnergy | None],
) -> int:
    """Add the meters that are in the group all the time; says how many have the register."""
    chosen = select(series.c.id, series.c.meter).where(series.c.obis == str(obis), series.c.meter.in_(whole)).subquery()
    size = int(reads.query(select(func.count()).select_from(chosen))[0][0])
    if not size:
        return 0
    for bucket, energy in zip(buckets, rolled_up, strict=True):
        bucket.meters += size
        bucket.quarters += size * (bucket.end - bucket.begin)
        if energy:
            bucket.add_rolled_up(energy)
    # what has no roll-ups lies together: today, or before the first one
    for is_rolled_up, run in groupby(zip(buckets, rolled_up, strict=True), key=lambda pair: pair[1] is not None):
        if not is_rolled_up:
            others = [bucket for bucket, _ in run]
            _add_counters(reads, obis, chosen, size, others)
            _count(reads, chosen, size, others)
    return size


def _add_counters(reads: Reads, obis: Obis, chosen: Subquery, size: int, buckets: Sequence[_Bucket]) -> None:
    """Add what counters measured in buckets of which each begins where the one before ends."""
    singles = {row.id: row.meter_id for row in reads.query(_singles(chosen, _edges(buckets)))}
    regular = size - len(singles)
    if regular:
        _add_sums(reads, select(chosen.c.id), 1, buckets)
    recorded: list[int] = []
    for start in range(0, len(singles), _BATCH):
        batch = list(singles)[start : start + _BATCH]
        if regular:
            _add_sums(reads, batch, -1, buckets)
        recorded += (row.series for row in reads.query(_recorded(batch, buckets)))
    for bucket in buckets:
        bucket.complete += regular
    for number in recorded:
        readings = ReadingsInMemory(CounterHistory(reads, [singles[number]], obis), buckets[0].begin, buckets[-1].end)
        for bucket in buckets:
            bucket.complete += bucket.add_energy(readings, bucket.begin, bucket.end)


def _edges(buckets: Sequence[_Bucket]) -> list[int]:
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


def _add_sums(reads: Reads, counters: Select[Any] | Sequence[int], sign: int, buckets: Sequence[_Bucket]) -> None:
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


def _recorded(counters: Sequence[int], buckets: Sequence[_Bucket]) -> Select[Any]:
    """Those of the counters that have a reading."""
    column = quarter_reading.c
    inside = column.quarter >= buckets[0].begin, column.quarter <= buckets[-1].end
    return select(column.series).where(column.series.in_(counters), *inside).distinct()


def _count(reads: Reads, chosen: Subquery, size: int, buckets: Sequence[_Bucket]) -> None:
    """Count the quarters that were measured, unless there are too many."""
    edges = _edges(buckets)
    if size * (edges[-1] - edges[0]) > MAX_COUNTED:
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
    hours = and_(column.in_([edge for edge in edges if not edge & _WITHIN_HOUR]), column.op("&")(_WITHIN_HOUR) == 0)
    others = [edge for edge in edges if edge & _WITHIN_HOUR]
    return or_(hours, column.in_(others)) if others else hours
