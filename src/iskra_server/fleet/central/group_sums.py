"""The energy of a group in each bucket, and how complete each sum is.

    edge      bucket      edge     A metering point counts by the rules of its own route (history/model/energy.py):
     |---------------------|       from its first reading inside to the last, through restarts and replacements.
     |-------- tenant -->  |       Where a label has dates, inside means inside its time.

Metering points that come and go at the same time are added together, most of them all the time: their days and months
are in roll-ups (rollups.py), other buckets are differences of two sums (edge_sums.py). Points are read one by one where
their meter was replaced inside such buckets, and where they come and go several times.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import groupby, pairwise
from typing import Any

from msgspec import Struct
from sqlalchemy import Select, func, literal, select

from iskra_server.fleet.central.bucket_sum import BucketSum, Completeness
from iskra_server.fleet.central.edge_sums import CountLimit, add_counters, count_quarters
from iskra_server.fleet.central.label_periods import Group, MeterPeriod, Spans, Within, group_meters, whole_time
from iskra_server.fleet.central.rollups import BucketEnergy
from iskra_server.fleet.central.rollups import group_energies as rolled_up_energies
from iskra_server.history.store.batches import batches
from iskra_server.history.store.counter_history import CounterHistory
from iskra_server.history.store.readings_in_memory import ReadingsInMemory
from iskra_server.history.store.reads import Reads
from iskra_server.history.store.rollup_marks import plain_numbers
from iskra_server.history.store.schema import ALWAYS, meter, quarter_reading, series
from iskra_server.meter.obis import Obis


class GroupSum(Struct, frozen=True):
    """Energy of a group between two quarters; None where nothing was measured."""

    begin: int
    end: int
    energy: Decimal | None
    completeness: Completeness


class _SameTime(Struct, frozen=True):
    """Metering points that are in a group from the first of these edges to the last.

    `single` selects the numbers of meters without a replacement, `chains` are the others.
    """

    single: Select[Any]
    chains: Sequence[MeterPeriod]
    edges: Sequence[int]

    def all_meters(self) -> Select[Any]:
        """As roll-ups ask for them."""
        chosen = self.single_and([number for chain in self.chains for number in chain.numbers])
        return chosen.add_columns(literal(0).label("from_quarter"), literal(ALWAYS).label("to_quarter"))

    def single_and(self, numbers: Sequence[int]) -> Select[Any]:
        """Those without a replacement, and these meters of chains."""
        if not numbers:
            return self.single
        of_chains = select(meter.c.id.label("meter")).where(meter.c.id.in_(plain_numbers(numbers)))
        return select(self.single.union_all(of_chains).subquery())


class GroupEnergy(Struct, frozen=True):
    """`completeness` is that of the whole time: complete are all but the most that are incomplete in one bucket."""

    buckets: list[GroupSum]
    completeness: Completeness


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
    others = group_meters(reads, group, passed[0], passed[-1], within, but_whole_time=True)
    together = [_SameTime(whole, (), passed), *_together([point for point in others if len(point.spans) == 1], passed)]
    rolled_up = [rolled_up_energies(reads, members.all_meters(), registers, members.edges) for members in together]
    sizes = [_sizes(reads, members, registers) for members in together]
    energies = []
    for obis in registers:
        buckets = [BucketSum(begin, end) for begin, end in pairwise(passed)]
        meters, limit = 0, CountLimit()
        for members, known, size in zip(together, rolled_up, sizes, strict=True):
            parts = [BucketSum(begin, end) for begin, end in pairwise(members.edges)]
            meters += _add_together(reads, obis, members, parts, known[obis], size=size[str(obis)], limit=limit)
            for part in parts:
                buckets[bisect_right(passed, part.begin) - 1].add_sum(part)
        for point in _with_register(reads, [point for point in others if len(point.spans) > 1], obis):
            _add_member(CounterHistory(reads, point.chain, obis), point.spans, buckets)
            meters += 1
        energies.append(_energy(edges, buckets, meters))
    return energies


def _sizes(reads: Reads, members: _SameTime, registers: Sequence[Obis]) -> Counter[str]:
    """How many of the meters without a replacement have each register."""
    chosen = series.c.obis.in_(list(map(str, registers))), series.c.meter.in_(members.single)
    rows = reads.query(select(series.c.obis, func.count().label("meters")).where(*chosen).group_by(series.c.obis))
    return Counter({row.obis: row.meters for row in rows})


def _together(points: Sequence[MeterPeriod], edges: Sequence[int]) -> Iterator[_SameTime]:
    """Those of one time together."""
    by_time: dict[tuple[int, int], list[MeterPeriod]] = defaultdict(list)
    for point in points:
        by_time[point.spans[0]].append(point)
    for (begin, end), same in by_time.items():
        inside = [begin, *(edge for edge in edges if begin < edge < end), end]
        for batch in batches(same):
            single = [point.numbers[0] for point in batch if len(point.chain) == 1]
            of_single = select(meter.c.id.label("meter")).where(meter.c.id.in_(plain_numbers(single)))
            yield _SameTime(of_single, [point for point in batch if len(point.chain) > 1], inside)


def _energy(edges: Sequence[int], buckets: Sequence[BucketSum], meters: int) -> GroupEnergy:
    """`buckets` are those that have begun; `meters` are in the group at some time."""
    to_come = [BucketSum(*pair) for pair in list(pairwise(edges))[len(buckets) :]]
    sums = [
        GroupSum(begin, end, bucket.energy, bucket.completeness())
        for (begin, end), bucket in zip(pairwise(edges), [*buckets, *to_come], strict=True)
    ]
    total = BucketSum(edges[0], edges[-1])
    total.meters = meters
    total.complete = meters - max((bucket.meters - bucket.complete for bucket in buckets), default=0)
    for bucket in buckets:
        total.add_counts(bucket)
    return GroupEnergy(sums, total.completeness())


def _with_register(reads: Reads, members: Sequence[MeterPeriod], obis: Obis) -> Iterator[MeterPeriod]:
    """Those metering points of which any meter has the register."""
    numbers = [number for member in members for number in member.numbers]
    having: set[int] = set()
    for batch in batches(numbers):
        chosen = series.c.meter.in_(plain_numbers(batch)), series.c.obis == str(obis)
        having |= {row.meter for row in reads.query(select(series.c.meter).where(*chosen))}
    return (member for member in members if having.intersection(member.numbers))


def _add_member(counter: CounterHistory, spans: Spans, buckets: Sequence[BucketSum]) -> None:
    """Add a metering point that is in the group at times."""
    readings = ReadingsInMemory(counter, spans[0][0], spans[-1][1])
    for bucket in buckets:
        parts = [(max(first, bucket.begin), min(until, bucket.end)) for first, until in spans]
        parts = [(begin, end) for begin, end in parts if begin < end]
        if not parts:
            continue
        is_complete = [bucket.add_energy(readings.outermost(*part), part, readings.epochs) for part in parts]
        bucket.meters, bucket.complete = bucket.meters + 1, bucket.complete + all(is_complete)
        for begin, end in parts:
            bucket.quarters += end - begin
            measured, estimated = readings.count(begin, end)
            bucket.measured, bucket.estimated = bucket.measured + measured, bucket.estimated + estimated


def _add_together(
    reads: Reads,
    obis: Obis,
    members: _SameTime,
    buckets: Sequence[BucketSum],
    rolled_up: Sequence[BucketEnergy | None],
    *,
    size: int,
    limit: CountLimit,
) -> int:
    """Add metering points that are in the group all this time; says how many have the register: `size` of `single`."""
    chains = list(_with_register(reads, members.chains, obis))
    # what has no roll-ups lies together: today, before the first one, or what a label cuts off
    for is_rolled_up, run in groupby(zip(buckets, rolled_up, strict=True), key=lambda pair: pair[1] is not None):
        pairs = list(run)
        alone = set[int]() if is_rolled_up else _newest_alone(reads, obis, chains, pairs[0][0].begin)
        meters = size + (len(chains) if is_rolled_up else len(alone))
        for bucket, energy in pairs:
            bucket.meters += meters
            bucket.quarters += meters * (bucket.end - bucket.begin)
            if energy:
                bucket.add_rolled_up(energy)
        if is_rolled_up:
            continue
        others = [bucket for bucket, _ in pairs]
        if meters:
            is_counted = series.c.obis == str(obis), series.c.meter.in_(members.single_and(sorted(alone)))
            counted = select(series.c.id, series.c.meter).where(*is_counted).subquery()
            add_counters(reads, obis, counted, meters, others)
            count_quarters(reads, counted, meters, others, limit)
        for point in chains:
            if point.numbers[-1] not in alone:
                counter = CounterHistory(reads, point.chain, obis)
                _add_member(counter, [(others[0].begin, others[-1].end)], others)
    return size + len(chains)


def _newest_alone(reads: Reads, obis: Obis, chains: Sequence[MeterPeriod], begin: int) -> set[int]:
    """The newest meters of chains that have a reading at quarter `begin`: from then on nothing counts of the others."""
    found: set[int] = set()
    for batch in batches([point.numbers[-1] for point in chains]):
        is_newest = series.c.obis == str(obis), series.c.meter.in_(plain_numbers(batch))
        has_reading = quarter_reading.c.series == series.c.id, quarter_reading.c.quarter == begin
        found |= {row.meter for row in reads.query(select(series.c.meter).where(*is_newest, *has_reading))}
    return found
