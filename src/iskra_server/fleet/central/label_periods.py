"""Who is in a group, and when. A group is a label: building=7, tenant=Meyer, tariff=night.

M3  Meyer ------------------------|          A label holds from one quarter until before another. A meter and those
M4 (replaced M3)      | Neu -------------    that it replaced are one metering point, whose labels are, of a kind:
->  Meyer ------------| Neu -------------    those of its newest meter that has one; from a replacement on those of
                                             the old meter count only where the new one has none of that kind.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Select, and_, case, false, func, select, tuple_

from iskra_server.history.model.records import quarter_of
from iskra_server.history.store.batches import batches
from iskra_server.history.store.reads import Reads
from iskra_server.history.store.rollup_marks import plain_numbers
from iskra_server.history.store.schema import ALWAYS, label, meter


class Group(Struct, frozen=True):
    """The meters with this label; `Group("building", "7")`."""

    kind: str
    value: str


def parse_group(text: str) -> Group | None:
    """kind:value; None for anything else."""
    kind, _, value = text.partition(":")
    return Group(kind, value) if kind and value else None


class LabelPeriod(Struct, frozen=True):
    """The value of a label from one quarter until before another."""

    value: str
    from_quarter: int = 0
    to_quarter: int = ALWAYS


# quarters, half open, in order, none touches the next
Spans = Sequence[tuple[int, int]]
# groups that the client may see; None: all meters
Within = Sequence[Group] | None
# in one statement: the expressions of SQLite are not deeper than 1,000
_GROUPS = 500


class MeterPeriod(Struct, frozen=True):
    """A metering point and when it is in a group: its newest meter; `chain` are those it replaced and itself, in order.

    `numbers` are the row numbers of the chain.
    """

    meter_id: str
    chain: tuple[str, ...]
    spans: Spans
    numbers: tuple[int, ...]


def whole_time(group: Group, begin: int, end: int, within: Within) -> Select[Any]:
    """The meters that are in a group all the time between two quarters; none that replaced another or was replaced."""
    return select(label.c.meter).where(of_groups(group), _is_of_whole_time(begin, end, within))


def _is_of_whole_time(begin: int, end: int, within: Within) -> ColumnElement[bool]:
    """Of a label of a group: whether it alone puts its meter into `whole_time`."""
    lasts = and_(label.c.from_quarter <= begin, label.c.to_quarter >= end)
    single = and_(label.c.meter.not_in(replaced_meters()), label.c.meter.not_in(_successors()))
    if within is None:
        return and_(lasts, single)
    return and_(lasts, single, label.c.meter.in_(select(label.c.meter).where(of_groups(*within), lasts)))


def _is_of_other_time(group: Group, begin: int, end: int, within: Within) -> ColumnElement[bool]:
    """Of a label of a group: whether its meter is not in `whole_time`.

    CASE, as a database asks for the rest only where the label itself does not say so: of 100,000 meters for few.
    """
    others = label.c.meter.not_in(whole_time(group, begin, end, within))
    return case((_is_of_whole_time(begin, end, within), false()), else_=others)


def count_labels(reads: Reads, group: Group, begin: int, end: int, within: Within) -> int:
    """How many labels put a meter into a group at some time between two quarters: at least one a meter."""
    overlaps = label.c.from_quarter < end, label.c.to_quarter > begin
    statement = select(func.count()).select_from(label).where(of_groups(group), *overlaps)
    return int(reads.query(statement if within is None else statement.where(was_visible(within)))[0][0])


def group_spans(reads: Reads, groups: Sequence[Group], within: Within = None) -> dict[Group, tuple[int, int]]:
    """From when until when any meter is in each group, as far as the client may see it; no group without a meter."""
    chains, found = _Chains(reads), defaultdict[Group, list[tuple[int, int]]](list)
    for batch in batches(groups, _GROUPS):
        condition = None
        if within is None:
            # of the many meters without a replacement the database says it: their labels are as they are
            times = func.min(label.c.from_quarter).label("first"), func.max(label.c.to_quarter).label("end")
            condition = label.c.meter.in_(_successors().union(replaced_meters()))
            by = label.c.kind, label.c.value
            for row in reads.query(select(*by, *times).where(of_groups(*batch), ~condition).group_by(*by)):
                found[Group(row.kind, row.value)].append((row.first, row.end))
        for group, members in _visible(reads, chains, batch, (0, ALWAYS), within=within, condition=condition).items():
            found[group] += (span for spans in members.values() for span in spans)
    return {group: (min(spans)[0], max(end for _, end in spans)) for group, spans in found.items() if spans}


def visible_values(reads: Reads, kind: str, within: Sequence[Group]) -> list[str]:
    """The groups of a kind that a meter of these groups has, or has had, at whatever time; some may not be visible."""
    chains = _Chains(reads)
    members = _spans(reads, chains, within, (0, ALWAYS)).values()
    numbers = sorted({part for of_group in members for number in of_group for part in chains.chain(number)})
    values: set[str] = set()
    for batch in batches(numbers):
        statement = select(label.c.value).where(label.c.kind == kind, label.c.meter.in_(plain_numbers(batch)))
        values |= {row.value for row in reads.query(statement.distinct())}
    return sorted(values)


def group_meters(
    reads: Reads, group: Group, begin: int, end: int, within: Within = None, *, but_whole_time: bool = False
) -> list[MeterPeriod]:
    """The metering points that are in a group at some time between two quarters, by name."""
    chains = _Chains(reads)
    condition = _is_of_other_time(group, begin, end, within) if but_whole_time else None
    members = _visible(reads, chains, [group], (begin, end), within=within, condition=condition).get(group, {})
    numbers = {number: chains.chain(number) for number in members}
    names = names_of(reads, {part for chain in numbers.values() for part in chain})
    points = [
        MeterPeriod(names[number], tuple(names[part] for part in numbers[number]), spans, tuple(numbers[number]))
        for number, spans in members.items()
    ]
    return sorted(points, key=lambda point: point.meter_id)


def of_groups(*groups: Group) -> ColumnElement[bool]:
    """Of a label: whether it is that of one of these groups."""
    if len(groups) == 1:
        return and_(label.c.kind == groups[0].kind, label.c.value == groups[0].value)
    return tuple_(label.c.kind, label.c.value).in_([(group.kind, group.value) for group in groups])


def was_visible(within: Sequence[Group]) -> ColumnElement[bool]:
    """Of a label: whether its meter was in one of these groups at some time in which it held."""
    other = label.alias()
    overlap = and_(
        other.c.meter == label.c.meter,
        other.c.from_quarter < label.c.to_quarter,
        label.c.from_quarter < other.c.to_quarter,
        tuple_(other.c.kind, other.c.value).in_([(group.kind, group.value) for group in within]),
    )
    return select(other.c.meter).where(overlap).exists()


class _Chains:
    """The meters that replaced others or were replaced, by their row numbers. They are few."""

    def __init__(self, reads: Reads) -> None:
        columns = meter.c.id, meter.c.replaced_by, meter.c.first_s
        rows = reads.query(select(*columns).where(meter.c.id.in_(_successors().union(replaced_meters()))))
        self.first_quarter = {row.id: quarter_of(row.first_s) for row in rows}
        self._successor = {row.id: row.replaced_by for row in rows if row.replaced_by is not None}
        self._replaced: dict[int, list[int]] = defaultdict(list)
        for row in sorted(rows, key=lambda row: (row.first_s, row.id)):
            if row.replaced_by is not None:
                self._replaced[row.replaced_by].append(row.id)

    def newest(self, number: int) -> int:
        while number in self._successor:
            number = self._successor[number]
        return number

    def chain(self, number: int) -> list[int]:
        """In the order of counter_history.ordered_chain."""
        chain, added = [number], [number]
        while added:
            added = [old for new in added for old in self._replaced.get(new, ())]
            chain = [*added, *chain]
        return chain


# when each metering point, by its newest meter, is in each group
_Members = Mapping[Group, Mapping[int, Spans]]


def _visible(
    reads: Reads,
    chains: _Chains,
    groups: Sequence[Group],
    period: tuple[int, int],
    *,
    within: Within,
    condition: ColumnElement[bool] | None,
) -> _Members:
    """As `_spans`, and only while they are in one of the groups that the client may see."""
    members = _spans(reads, chains, groups, period, condition)
    if within is None:
        return members
    visible: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for of_group in _spans(reads, chains, within, period).values():
        for number, spans in of_group.items():
            visible[number] += spans
    seen = {number: joined_times(spans) for number, spans in visible.items()}
    return {
        group: {
            number: common
            for number, spans in of_group.items()
            if (common := common_times(spans, seen.get(number, ())))
        }
        for group, of_group in members.items()
    }


def _spans(
    reads: Reads,
    chains: _Chains,
    groups: Sequence[Group],
    period: tuple[int, int],
    condition: ColumnElement[bool] | None = None,
) -> _Members:
    """Within a period; `condition` is one of the labels."""
    begin, end = period
    overlaps = label.c.from_quarter < end, label.c.to_quarter > begin
    where = () if condition is None else (condition,)
    found: dict[Group, dict[int, list[tuple[int, int]]]] = {group: defaultdict(list) for group in groups}
    replaced: set[int] = set()
    for row in reads.query(select(label).where(of_groups(*groups), *overlaps, *where)):
        if row.meter in chains.first_quarter:
            replaced.add(chains.newest(row.meter))
        else:
            found[Group(row.kind, row.value)][row.meter].append((row.from_quarter, row.to_quarter))
    for kind in sorted({group.kind for group in groups}):
        for group, number, spans in _spans_of_chains(reads, chains, kind, replaced):
            if group in found:
                found[group][number] += spans
    return {
        group: {
            number: clipped
            for number, spans in of_group.items()
            if (clipped := common_times(joined_times(spans), [period]))
        }
        for group, of_group in found.items()
    }


def _spans_of_chains(
    reads: Reads, chains: _Chains, kind: str, newest: Collection[int]
) -> Iterator[tuple[Group, int, list[tuple[int, int]]]]:
    """Of each metering point, by its newest meter, the times of its groups of a kind."""
    by_meter: dict[int, list[Any]] = defaultdict(list)
    for batch in batches([part for number in newest for part in chains.chain(number)]):
        for row in reads.query(select(label).where(label.c.kind == kind, label.c.meter.in_(batch))):
            by_meter[row.meter].append(row)
    for number in newest:
        labelled = [part for part in chains.chain(number) if part in by_meter]
        taken: list[tuple[int, int]] = []
        for part in reversed(labelled):
            # without a date it begins with its meter, if an older one has labels
            since = chains.first_quarter[part] if part != labelled[0] else 0
            own = [(row.from_quarter or since, row.to_quarter, row.value) for row in by_meter[part]]
            for first, until, value in own:
                yield Group(kind, value), number, times_without((first, until), joined_times(taken))
            taken += [*((first, until) for first, until, _ in own if first < until), (since, ALWAYS)]


def joined_times(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """In order, those that overlap or touch as one."""
    joined: list[tuple[int, int]] = []
    for first, until in sorted(spans):
        if joined and first <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(until, joined[-1][1])
        elif first < until:
            joined.append((first, until))
    return joined


def common_times(spans: Spans, others: Spans) -> list[tuple[int, int]]:
    """The times that are in both, in order."""
    pairs = ((max(first, begin), min(until, end)) for first, until in spans for begin, end in others)
    return [(first, until) for first, until in pairs if first < until]


def times_without(span: tuple[int, int], taken: Spans) -> list[tuple[int, int]]:
    first, until = span
    free: list[tuple[int, int]] = []
    for begin, end in taken:
        if first < min(begin, until):
            free.append((first, min(begin, until)))
        first = max(first, end)
    return [*free, (first, until)] if first < until else free


def names_of(reads: Reads, numbers: Collection[int]) -> dict[int, str]:
    """The numbers of meters by their row numbers."""
    names: dict[int, str] = {}
    for batch in batches(sorted(numbers)):
        of_batch = meter.c.id.in_(plain_numbers(batch))
        names |= {row.id: row.meter_id for row in reads.query(select(meter.c.id, meter.c.meter_id).where(of_batch))}
    return names


def replaced_meters() -> Select[Any]:
    return select(meter.c.id).where(meter.c.replaced_by.is_not(None))


def _successors() -> Select[Any]:
    return select(meter.c.replaced_by).where(meter.c.replaced_by.is_not(None))
