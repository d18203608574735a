"""Meters that are in several groups at the same time, such as those of a tenant in a house."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from msgspec.structs import replace
from sqlalchemy import select

from iskra_server.fleet.central.label_periods import (
    Group,
    MeterPeriod,
    Within,
    common_times,
    group_meters,
    joined_times,
    times_without,
)
from iskra_server.history.store.batches import batches
from iskra_server.history.store.reads import Reads
from iskra_server.history.store.rollup_marks import plain_numbers
from iskra_server.history.store.schema import label


def in_both(points: Sequence[MeterPeriod], others: Sequence[MeterPeriod]) -> list[MeterPeriod]:
    """The meters that are in both, while they are."""
    spans = {point.meter_id: point.spans for point in others}
    common = ((point, common_times(point.spans, spans.get(point.meter_id, ()))) for point in points)
    return [replace(point, spans=tuple(times)) for point, times in common if times]


def in_none(points: Sequence[MeterPeriod], groups: Iterable[Sequence[MeterPeriod]]) -> list[MeterPeriod]:
    """The meters of `points` that are in none of the groups for some time, with this time."""
    taken: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for point in chain.from_iterable(groups):
        taken[point.meter_id] += point.spans
    joined = {name: joined_times(spans) for name, spans in taken.items()}
    free = ((point, [times_without(span, joined.get(point.meter_id, ())) for span in point.spans]) for point in points)
    return [replace(point, spans=times) for point, parts in free if (times := tuple(chain.from_iterable(parts)))]


def each_group_among(
    reads: Reads, group: Group, kind: str, begin: int, end: int, *, within: Within = None
) -> Iterator[Group]:
    """The groups of a kind to which a meter of `group` belongs between two quarters, at the same time, by name."""
    points = group_meters(reads, group, begin, end, within)
    numbers = sorted({number for point in points for number in point.numbers})
    values: set[str] = set()
    for batch in batches(numbers):
        of_batch = label.c.meter.in_(plain_numbers(batch))
        overlaps = label.c.from_quarter < end, label.c.to_quarter > begin
        values |= {
            row.value for row in reads.query(select(label.c.value).where(label.c.kind == kind, *overlaps, of_batch))
        }
    for value in sorted(values):
        if in_both(points, group_meters(reads, Group(kind, value), begin, end)):
            yield Group(kind, value)
