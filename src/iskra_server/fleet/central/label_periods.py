"""Who is in a group, and when. A group is a label: building=7, tenant=Meyer, tariff=night.

M3  Meyer ------------------------|          A label holds from one quarter until before another. A meter and those
M4 (replaced M3)      | Neu -------------    that it replaced are one metering point, whose labels are, of a kind:
->  Meyer ------------| Neu -------------    those of its newest meter that has one; from a replacement on those of
                                             the old meter count only where the new one has none of that kind.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import CTE, ColumnElement, Select, and_, case, false, func, select, true, tuple_

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
    single = and_(label.c.meter.not_in(_replaced()), label.c.meter.not_in(_successors()))
    if within is None:
        return and_(lasts, single)
    return and_(lasts, single, label.c.meter.in_(select(label.c.meter).where(of_groups(*within), lasts)))


def _is_of_other_time(group: Group, begin: int, end: int, within: Within) -> ColumnElement[bool]:
    """Of a label of a group: whether its meter is not in `whole_time`.

    CASE, as a database asks for the rest only where the label itself does not say so: of 100,000 meters for few.
    """
    others = label.c.meter.not_in(whole_time(group, begin, end, within))
    return case((_is_of_whole_time(begin, end, within), false()), else_=others)


class GroupExtent(Struct, frozen=True):
    """`labels` put a meter into the group at some time of a period: at least one a meter.

    Any meter is in the group from one quarter until before another, also outside of the period; 0 and ALWAYS: no limit.
    """

    labels: int
    from_quarter: int
    to_quarter: int


def group_extent(reads: Reads, group: Group, begin: int, end: int, within: Within) -> GroupExtent:
    """`labels` are counted between two quarters."""
    overlaps = and_(label.c.from_quarter < end, label.c.to_quarter > begin)
    columns: list[ColumnElement[Any]] = [
        func.coalesce(func.sum(case((overlaps, 1), else_=0)), 0).label("labels"),
        func.coalesce(func.min(label.c.from_quarter), 0).label("first"),
        func.coalesce(func.max(label.c.to_quarter), ALWAYS).label("end"),
    ]
    statement = select(*columns).where(of_groups(group))
    row = reads.query(statement if within is None else statement.where(was_visible(within)))[0]
    return GroupExtent(int(row.labels), row.first, row.end)


def group_meters(
    reads: Reads, group: Group, begin: int, end: int, within: Within = None, *, but_whole_time: bool = False
) -> list[MeterPeriod]:
    """The metering points that are in a group at some time between two quarters, by name."""
    chains = _Chains(reads)
    condition = _is_of_other_time(group, begin, end, within) if but_whole_time else true()
    members = _spans(reads, chains, group, (begin, end), condition)
    if within is not None:
        visible: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for other in within:
            for number, spans in _spans(reads, chains, other, (begin, end)).items():
                visible[number] += spans
        members = {number: common_times(spans, _joined(visible[number])) for number, spans in members.items()}
    members = {number: spans for number, spans in members.items() if spans}
    numbers = {number: chains.chain(number) for number in members}
    names = _names(reads, {part for chain in numbers.values() for part in chain})
    points = [
        MeterPeriod(names[number], tuple(names[part] for part in numbers[number]), spans, tuple(numbers[number]))
        for number, spans in members.items()
    ]
    return sorted(points, key=lambda point: point.meter_id)


def labels_at(quarter: int, condition: ColumnElement[bool], of: Collection[int] | None = None) -> Select[Any]:
    """Meter, kind and value of the labels that hold in a quarter and fulfil a condition; `of`: of these meters.

    Meters that were replaced have none: their successors have their labels, where they have none of that kind.
    """
    own, inherited = own_labels_at(quarter, condition), inherited_labels_at(quarter, condition)
    if of is not None:
        own, inherited = (part.where(part.selected_columns.meter.in_(of)) for part in (own, inherited))
    return select(own.union_all(inherited).subquery())


def own_labels_at(quarter: int, condition: ColumnElement[bool]) -> Select[Any]:
    """Those of `labels_at` that a meter has itself."""
    columns = label.c.meter, label.c.kind, label.c.value
    return select(*columns).where(_holds(quarter), condition, label.c.meter.not_in(_replaced()))


def inherited_labels_at(quarter: int, condition: ColumnElement[bool]) -> Select[Any]:
    """Those of `labels_at` that a meter has from one that it replaced, directly or not: few."""
    passed = (
        select(meter.c.replaced_by.label("meter"), label.c.kind, label.c.value)
        .join_from(label, meter)
        .where(_holds(quarter), condition, meter.c.replaced_by.is_not(None), label.c.meter.in_(_replaced()))
        .cte(recursive=True)
    )
    onwards = (
        select(meter.c.replaced_by, passed.c.kind, passed.c.value)
        .join(passed, meter.c.id == passed.c.meter)
        .where(meter.c.replaced_by.is_not(None), ~_has_own(passed))
    )
    passed = passed.union(onwards)
    return select(passed).where(passed.c.meter.not_in(_replaced()), ~_has_own(passed)).distinct()


def _holds(quarter: int) -> ColumnElement[bool]:
    return and_(label.c.from_quarter <= quarter, label.c.to_quarter > quarter)


def _has_own(passed: CTE) -> ColumnElement[bool]:
    """Whether the meter that a label was passed on to has one of that kind, at whatever time."""
    return select(label.c.meter).where(label.c.meter == passed.c.meter, label.c.kind == passed.c.kind).exists()


def members_at(quarter: int, group: Group, within: Within = None) -> Select[Any]:
    """The meters that are in a group in a quarter."""
    members = select(labels_at(quarter, of_groups(group)).subquery().c.meter)
    return members if within is None else members.intersect(visible_at(quarter, within)).subquery().select()


def visible_at(quarter: int, within: Sequence[Group]) -> Select[Any]:
    """The meters of any of these groups in a quarter."""
    return select(labels_at(quarter, of_groups(*within)).subquery().c.meter)


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
        rows = reads.query(select(*columns).where(meter.c.id.in_(_successors().union(_replaced()))))
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


def _spans(
    reads: Reads, chains: _Chains, group: Group, period: tuple[int, int], condition: ColumnElement[bool] | None = None
) -> dict[int, Spans]:
    """When each metering point, by its newest meter, is in a group within a period."""
    begin, end = period
    overlaps = label.c.from_quarter < end, label.c.to_quarter > begin
    where = () if condition is None else (condition,)
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    replaced: set[int] = set()
    for row in reads.query(select(label).where(of_groups(group), *overlaps, *where)):
        if row.meter in chains.first_quarter:
            replaced.add(chains.newest(row.meter))
        else:
            found[row.meter].append((row.from_quarter, row.to_quarter))
    for number, spans in _spans_of_chains(reads, chains, group, replaced):
        found[number] += spans
    return {number: clipped for number, spans in found.items() if (clipped := common_times(_joined(spans), [period]))}


def _spans_of_chains(
    reads: Reads, chains: _Chains, group: Group, newest: Collection[int]
) -> Iterable[tuple[int, list[tuple[int, int]]]]:
    by_meter: dict[int, list[Any]] = defaultdict(list)
    for batch in batches([part for number in newest for part in chains.chain(number)]):
        for row in reads.query(select(label).where(label.c.kind == group.kind, label.c.meter.in_(batch))):
            by_meter[row.meter].append(row)
    for number in newest:
        labelled = [part for part in chains.chain(number) if part in by_meter]
        spans: list[tuple[int, int]] = []
        taken: list[tuple[int, int]] = []
        for part in reversed(labelled):
            # without a date it begins with its meter, if an older one has labels
            since = chains.first_quarter[part] if part != labelled[0] else 0
            own = [(row.from_quarter or since, row.to_quarter, row.value) for row in by_meter[part]]
            for first, until, value in own:
                if value == group.value:
                    spans += _without((first, until), _joined(taken))
            taken += [*((first, until) for first, until, _ in own if first < until), (since, ALWAYS)]
        yield number, spans


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
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


def _without(span: tuple[int, int], taken: Spans) -> list[tuple[int, int]]:
    first, until = span
    free: list[tuple[int, int]] = []
    for begin, end in taken:
        if first < min(begin, until):
            free.append((first, min(begin, until)))
        first = max(first, end)
    return [*free, (first, until)] if first < until else free


def _names(reads: Reads, numbers: Collection[int]) -> dict[int, str]:
    names: dict[int, str] = {}
    for batch in batches(sorted(numbers)):
        of_batch = meter.c.id.in_(plain_numbers(batch))
        names |= {row.id: row.meter_id for row in reads.query(select(meter.c.id, meter.c.meter_id).where(of_batch))}
    return names


def _replaced() -> Select[Any]:
    return select(meter.c.id).where(meter.c.replaced_by.is_not(None))


def _successors() -> Select[Any]:
    return select(meter.c.replaced_by).where(meter.c.replaced_by.is_not(None))
