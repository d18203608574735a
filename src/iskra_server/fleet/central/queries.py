"""Queries over many meters: lists, and the quarter readings of groups (label_periods.py; group_sums.py sums them).

Lists are paged: each page starts after the last entry of the one before. They show who is in a group now.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import chain, groupby, pairwise
from operator import attrgetter
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import ColumnElement, and_, delete, func, insert, select, true, tuple_

from iskra_server.fleet.central.current_labels import (
    inherited_labels_at,
    labels_at,
    members_at,
    own_labels_at,
    visible_at,
)
from iskra_server.fleet.central.label_periods import (
    Group,
    LabelPeriod,
    MeterPeriod,
    Within,
    group_meters,
    group_spans,
    names_of,
    of_groups,
    visible_values,
)
from iskra_server.history.store.batches import batches
from iskra_server.history.store.reads import Reads
from iskra_server.history.store.schema import ALWAYS, label, live, meter, quarter_reading, series
from iskra_server.history.store.store import Store
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import scaled

# of an export: rows in memory, some 2 MB, and counters per query where the period is short
ROWS, _SERIES = 5_000, 50


class FleetMeter(Struct, frozen=True):
    """A meter: the reader of its last message, and when that came (Unix seconds); the meter that replaced it."""

    meter_id: str
    reader: str
    last_s: int
    power_mw: int | None
    labels: dict[str, str]
    replaced_by: str | None = None


class GroupSize(Struct, frozen=True):
    """A value of a label: how many meters have it now, and from when until when any has it (quarters)."""

    value: str
    meters: int
    from_quarter: int
    to_quarter: int


class GroupQuarter(Struct, frozen=True):
    """A counter of one meter at the beginning of a quarter."""

    meter_id: str
    obis: Obis
    quarter: int
    value: Decimal
    quality: int
    epoch: int


# of the last row of a page: quarter of the last contact, number of the meter
Position = tuple[int, int]


def meters(
    reads: Reads,
    *,
    limit: int,
    now: int,
    after: Position | None = None,
    group: Group | None = None,
    find: str = "",
    within: Within = None,
) -> tuple[list[FleetMeter], Position | None]:
    """A page of meters, oldest contact first, after a position; and the position of the last, if more follow.

    `group` and `within`: those that are in it in the quarter `now`. Replaced meters, which stay silent for ever, are
    only in the answer to `find`.
    """
    order = live.c.at_quarter, live.c.meter
    statement = select(live, meter.c.meter_id, meter.c.replaced_by).join_from(live, meter).order_by(*order)
    if after:
        statement = statement.where(tuple_(*order) > tuple_(*after))
    if find:
        # LIKE is case-sensitive in PostgreSQL, but not in SQLite
        number = func.replace(meter.c.meter_id, " ", "")
        statement = statement.where(number.icontains(find.replace(" ", ""), autoescape=True))
    else:
        statement = statement.where(meter.c.replaced_by.is_(None))
    rows = [row for part in _shown(now, group, within) for row in reads.query(statement.where(part).limit(limit + 1))]
    rows.sort(key=attrgetter("at_quarter", "meter"))
    page = rows[:limit]
    labels: dict[int, dict[str, str]] = {}
    for row in reads.query(labels_at(now, true(), [row.meter for row in page])):
        labels.setdefault(row.meter, {})[row.kind] = row.value
    successors = names_of(reads, {row.replaced_by for row in page if row.replaced_by is not None})
    entries = [
        FleetMeter(
            row.meter_id,
            row.reader,
            row.at_s,
            row.power_mw,
            labels.get(row.meter, {}),
            successors.get(row.replaced_by),
        )
        for row in page
    ]
    return entries, (page[-1].at_quarter, page[-1].meter) if len(rows) > limit else None


def _shown(now: int, group: Group | None, within: Within) -> list[ColumnElement[bool]]:
    """Conditions of which each meter of a group that the client may see fulfils exactly one.

    One query for each: with both in one, a database first puts together all meters of the group.
    """
    if group and within is None:
        parts = (own_labels_at(now, of_groups(group)), inherited_labels_at(now, of_groups(group)))
        return [live.c.meter.in_(select(part.subquery().c.meter)) for part in parts]
    if group:
        return [live.c.meter.in_(members_at(now, group, within))]
    return [true() if within is None else live.c.meter.in_(visible_at(now, within))]


def groups(
    reads: Reads, kind: str, *, limit: int, now: int, after: str = "", find: str = "", within: Within = None
) -> list[GroupSize]:
    """A page of the values of a label, also of those that no meter has any more, with how many have each now.

    `find` is a part of the value. `within`: how many, and from when until when, as far as they are in one of these
    groups.
    """
    if within is None:
        statement = select(label.c.value).distinct().where(label.c.kind == kind, label.c.value > after)
        if find:
            statement = statement.where(label.c.value.icontains(find, autoescape=True))
        values = [row.value for row in reads.query(statement.order_by(label.c.value).limit(limit))]
    else:
        found = visible_values(reads, kind, within)
        values = [value for value in found if value > after and find.casefold() in value.casefold()]
    spans = group_spans(reads, [Group(kind, value) for value in values], within)
    if within is None:
        # a label that counts at no time, as that of a newer meter does instead, is listed without one
        spans = {Group(kind, value): (0, ALWAYS) for value in values} | spans
    page = [(value, *spans[Group(kind, value)]) for value in values if Group(kind, value) in spans][:limit]
    current = labels_at(now, and_(label.c.kind == kind, label.c.value.in_([value for value, *_ in page]))).subquery()
    counted = select(current.c.value, func.count().label("meters")).group_by(current.c.value)
    if within is not None:
        counted = counted.where(current.c.meter.in_(visible_at(now, within)))
    sizes = {row.value: row.meters for row in reads.query(counted)}
    return [GroupSize(value, sizes.get(value, 0), first, end) for value, first, end in page]


def quarters(reads: Reads, group: Group, first: int, end: int, within: Within = None) -> Iterator[GroupQuarter]:
    """Every counter of a group at every quarter of its time in a period, the last edge included, meter by meter.

    Holds at most about ROWS in memory. A replaced meter has no rows after its successor began.
    """
    counters = list(_counters(reads, group_meters(reads, group, first, end, within)))
    for spans, of_spans in groupby(counters, key=attrgetter("spans")):
        same = list(of_spans)
        # a counter has at most one row per quarter
        step = min(max(ROWS // (spans[-1][1] - spans[0][0] + 1), 1), _SERIES)
        for part in batches(same, step):
            batch = {counter.series: counter for counter in part}
            by_series: dict[int, list[Any]] = {}
            for row in chain.from_iterable(_rows(reads, batch, begin, until + 1) for begin, until in spans):
                if step == 1:
                    yield _quarter(batch[row.series], row)
                else:
                    by_series.setdefault(row.series, []).append(row)
            for number, counter in batch.items():
                for row in by_series.get(number, ()):
                    yield _quarter(counter, row)


class _Counter(Struct, frozen=True):
    """A counter of a group and the quarters of its rows, from one to another, both included."""

    series: int
    meter_id: str
    obis: Obis
    spans: tuple[tuple[int, int], ...]


def _counters(reads: Reads, points: Sequence[MeterPeriod]) -> Iterator[_Counter]:
    by_meter: dict[int, list[tuple[str, int]]] = {}
    numbers = [number for point in points for number in point.numbers]
    for batch in batches(numbers):
        for row in reads.query(select(series).where(series.c.meter.in_(batch))):
            by_meter.setdefault(row.meter, []).append((row.obis, row.id))
    for point in points:
        for place, (number, name) in enumerate(zip(point.numbers, point.chain, strict=True)):
            for text, row_id in sorted(by_meter.get(number, ())):
                obis = Obis.parse(text)
                until = min((_first(reads, newer, obis) for newer in point.chain[place + 1 :]), default=ALWAYS)
                spans = ((begin, min(end, until - 1)) for begin, end in point.spans)
                # a meter that was replaced before all of them has none
                if counted := tuple(span for span in spans if span[0] <= span[1]):
                    yield _Counter(row_id, name, obis, counted)


def _first(reads: Reads, meter_id: str, obis: Obis) -> int:
    """The quarter of a counter's first reading."""
    reading = reads.nearest_after(meter_id, obis, -1)
    return reading.quarter if reading else ALWAYS


def _rows(reads: Reads, names: Collection[int], first: int, end: int) -> Iterator[Any]:
    """Rows of several short series in one query, or of one long series page by page."""
    while True:
        in_period = and_(
            quarter_reading.c.series.in_(names), quarter_reading.c.quarter >= first, quarter_reading.c.quarter < end
        )
        rows = reads.query(
            select(quarter_reading)
            .where(in_period)
            .order_by(quarter_reading.c.series, quarter_reading.c.quarter)
            .limit(ROWS)
        )
        yield from rows
        if len(names) > 1 or len(rows) < ROWS:
            return
        first = rows[-1].quarter + 1


def _quarter(counter: _Counter, row: Any) -> GroupQuarter:
    value = scaled(row.raw, row.scaler)
    return GroupQuarter(counter.meter_id, counter.obis, row.quarter, value, row.quality, row.epoch)


Labels = Mapping[str, str | Sequence[LabelPeriod]]


def set_labels(store: Store, labels: Mapping[str, Labels]) -> list[str]:
    """Replace the labels of these kinds of meters; returns the meters that the database does not have.

    A text instead of periods holds always; "" is none. Raises ValueError where two periods of a meter and kind overlap:
    two tenants would pay for the same energy.
    """
    chosen = {
        name: {kind: _apart(name, kind, periods) for kind, periods in kinds.items()} for name, kinds in labels.items()
    }
    with store.transaction() as connection:
        numbers = store.meter_row_ids(connection, labels)
        for batch in batches(sorted(numbers.values())):
            # what another import is writing now would be neither seen nor deleted; collectors refer to these rows
            locked = select(meter.c.id).where(meter.c.id.in_(batch)).order_by(meter.c.id)
            connection.execute(locked.with_for_update(key_share=True))
        for name, number in numbers.items():
            kinds = chosen[name]
            connection.execute(delete(label).where(label.c.meter == number, label.c.kind.in_(list(kinds))))
            rows = [
                {"meter": number, "kind": kind, **asdict(period)}
                for kind, periods in kinds.items()
                for period in periods
            ]
            if rows:
                connection.execute(insert(label), rows)
    return [name for name in labels if name not in numbers]


def _apart(name: str, kind: str, periods: str | Sequence[LabelPeriod]) -> list[LabelPeriod]:
    """In order of time, without those that have no value."""
    every = [LabelPeriod(periods)] if isinstance(periods, str) else periods
    ordered = sorted((period for period in every if period.value), key=lambda period: period.from_quarter)
    for before, after in pairwise(ordered):
        if after.from_quarter < before.to_quarter:
            raise ValueError(f"the meter {name} has two of the kind {kind} at a time: {before.value}, {after.value}")
    return ordered
