"""Queries over many meters: lists, oldest contact first, and the energy of groups.

Groups are labels: building=7, tenant=Meyer, tariff=night. Lists are paged: each page starts after the last entry of
the one before.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

from msgspec import Struct
from sqlalchemy import Column, ColumnElement, Select, and_, delete, func, insert, select, tuple_

from iskra_server.history.store.reads import Reads
from iskra_server.history.store.schema import label, live, meter, quarter_reading, reader, series
from iskra_server.history.store.store import Store
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import scaled

# quarter & 3 is 0 at whole hours, which have their own index in PostgreSQL
_WITHIN_HOUR = 3
# of an export: rows in memory, some 2 MB, and counters per query where the period is short
ROWS, _SERIES = 5_000, 50
# of a page of readers: bytes of status, of which one reader may have 1 MB, and readers per query
_PAGE_BYTES, _READERS = 2**22, 20


class Group(Struct, frozen=True):
    """The meters with this label; `Group("building", "7")`."""

    kind: str
    value: str


class FleetMeter(Struct, frozen=True):
    """A meter: the reader of its last message, and when that came (Unix seconds)."""

    meter_id: str
    reader: str
    last_s: int
    power_mw: int | None
    labels: dict[str, str]


class GroupSum(Struct, frozen=True):
    """Energy of a group between two quarters, over the `meters` whose energy is known; None where that is no meter."""

    begin: int
    end: int
    energy: Decimal | None
    meters: int


class GroupQuarter(Struct, frozen=True):
    """A counter of one meter at the beginning of a quarter."""

    meter_id: str
    obis: Obis
    quarter: int
    value: Decimal
    quality: int
    epoch: int


class ReaderRow(Struct, frozen=True):
    name: str
    at_s: int
    ok: bool
    sentence: str
    status: str


# of the last row of a page: time of the last contact, number of the meter
Position = tuple[int, int]
# groups that the client may see; None: all meters
Within = Sequence[Group] | None


def meters(
    reads: Reads,
    *,
    limit: int,
    after: Position | None = None,
    group: Group | None = None,
    find: str = "",
    within: Within = None,
) -> tuple[list[FleetMeter], Position | None]:
    """A page of meters, oldest contact first, after a position; and the position of the last, if more follow."""
    statement = select(live, meter.c.meter_id).join_from(live, meter).order_by(live.c.at_s, live.c.meter)
    if after:
        statement = statement.where(tuple_(live.c.at_s, live.c.meter) > tuple_(*after))
    if group:
        statement = statement.where(live.c.meter.in_(_members(group, within)))
    elif within is not None:
        statement = statement.where(live.c.meter.in_(_any_of(within)))
    if find:
        # LIKE is case-sensitive in PostgreSQL, but not in SQLite
        number = func.replace(meter.c.meter_id, " ", "")
        statement = statement.where(number.icontains(find.replace(" ", ""), autoescape=True))
    rows = reads.query(statement.limit(limit + 1))
    page = rows[:limit]
    labels = _labels(reads, [row.meter for row in page])
    entries = [FleetMeter(r.meter_id, r.reader, r.at_s, r.power_mw, labels.get(r.meter, {})) for r in page]
    return entries, (page[-1].at_s, page[-1].meter) if len(rows) > limit else None


def groups(reads: Reads, kind: str, *, limit: int, after: str = "", within: Within = None) -> list[tuple[str, int]]:
    """A page of the values of a label, and how many meters have each."""
    statement = (
        select(label.c.value, func.count().label("meters"))
        .where(label.c.kind == kind, label.c.value > after)
        .group_by(label.c.value)
        .order_by(label.c.value)
        .limit(limit)
    )
    if within is not None:
        statement = statement.where(label.c.meter.in_(_any_of(within)))
    return [(row.value, row.meters) for row in reads.query(statement)]


def members(reads: Reads, group: Group, within: Within = None) -> int:
    """How many meters a group has."""
    return int(reads.query(select(func.count()).select_from(_members(group, within).subquery()))[0][0])


def size(reads: Reads, group: Group, obis: Obis, within: Within = None) -> int:
    """How many meters of a group have this register."""
    return int(reads.query(select(func.count()).select_from(_chosen(group, obis, within).subquery()))[0][0])


def energy(reads: Reads, group: Group, obis: Obis, edges: Sequence[int], within: Within = None) -> list[GroupSum]:
    """Energy of a group in each bucket between two edges, over the meters whose counter is known at both edges."""
    complete = _complete_sums(reads, group, obis, edges, within)
    if complete is not None:
        return complete
    sums: dict[tuple[int, int], tuple[Decimal, int]] = {}
    for row in reads.query(_differences(group, obis, edges, within)):
        energy, count = sums.get((row.before, row.quarter), (Decimal(0), 0))
        added = scaled(int(row.raw), row.scaler) - scaled(int(row.raw_before), row.scaler_before)
        sums[row.before, row.quarter] = energy + added, count + row.meters
    return [GroupSum(begin, end, *sums.get((begin, end), (None, 0))) for begin, end in pairwise(edges)]


def _complete_sums(
    reads: Reads, group: Group, obis: Obis, edges: Sequence[int], within: Within
) -> list[GroupSum] | None:
    """Faster: differences of sums; None unless every counter is known at every edge and no epoch begins between them.

    Epochs only grow: if each epoch has the same number of meters at every edge, no meter has changed its epoch.
    """
    chosen = _chosen(group, obis, within).subquery()
    by = (quarter_reading.c.quarter, quarter_reading.c.scaler, quarter_reading.c.epoch)
    sums = (func.sum(quarter_reading.c.raw).label("raw"), func.count().label("meters"))
    statement = select(*by, *sums).join(chosen, chosen.c.id == quarter_reading.c.series).where(_at(edges)).group_by(*by)
    totals: dict[int, Decimal] = {}
    epochs: dict[int, dict[int, int]] = {}
    for row in reads.query(statement):
        totals[row.quarter] = totals.get(row.quarter, Decimal(0)) + scaled(int(row.raw), row.scaler)
        meters = epochs.setdefault(row.quarter, {})
        meters[row.epoch] = meters.get(row.epoch, 0) + row.meters
    first = epochs.get(edges[0], {})
    count = size(reads, group, obis, within)
    if sum(first.values()) != count or not count or any(epochs.get(edge) != first for edge in edges):
        return None
    return [GroupSum(begin, end, totals[end] - totals[begin], count) for begin, end in pairwise(edges)]


def _at(edges: Sequence[int]) -> ColumnElement[bool]:
    """At these quarters; if all are whole hours, in the form that PostgreSQL's index of whole hours matches."""
    if any(quarter & _WITHIN_HOUR for quarter in edges):
        return quarter_reading.c.quarter.in_(edges)
    return and_(quarter_reading.c.quarter.in_(edges), quarter_reading.c.quarter.op("&")(_WITHIN_HOUR) == 0)


def quarters(reads: Reads, group: Group, first: int, end: int, within: Within = None) -> Iterator[GroupQuarter]:
    """Every counter of a group at every quarter of a period, meter by meter; holds at most about ROWS in memory."""
    statement = select(series.c.id, series.c.obis, meter.c.meter_id).join_from(series, meter)
    statement = statement.where(meter.c.id.in_(_members(group, within))).order_by(meter.c.meter_id, series.c.obis)
    counters = reads.query(statement)
    # a counter has at most one row per quarter
    step = min(max(ROWS // max(end - first, 1), 1), _SERIES)
    for start in range(0, len(counters), step):
        names = {row.id: (row.meter_id, Obis.parse(row.obis)) for row in counters[start : start + step]}
        by_series: dict[int, list[Any]] = {}
        for row in _rows(reads, names, first, end):
            if step == 1:
                yield _quarter(names[row.series], row)
            else:
                by_series.setdefault(row.series, []).append(row)
        for number, name in names.items():
            for row in by_series.get(number, ()):
                yield _quarter(name, row)


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


def _quarter(name: tuple[str, Obis], row: Any) -> GroupQuarter:
    return GroupQuarter(*name, row.quarter, scaled(row.raw, row.scaler), row.quality, row.epoch)


def readers(reads: Reads, *, limit: int, after: str = "") -> tuple[list[ReaderRow], str | None]:
    """A page of readers by name, about _PAGE_BYTES at most; and the name of the last, if more follow."""
    page: list[ReaderRow] = []
    length = 0
    while length < _PAGE_BYTES:
        step = min(limit - len(page), _READERS) + 1
        statement = select(reader).where(reader.c.name > after).order_by(reader.c.name).limit(step)
        rows = reads.query(statement)
        page += [ReaderRow(row.name, row.at_s, row.ok, row.sentence, row.status) for row in rows[: step - 1]]
        if len(rows) < step:
            return page, None
        after = page[-1].name
        if len(page) == limit:
            break
        length = sum(len(row.status) for row in page)
    return page, after


def set_labels(store: Store, labels: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Replace the labels of these kinds of meters; returns the meters that the database does not have."""
    with store.transaction() as connection:
        numbers = store.meter_row_ids(connection, labels)
        for name, number in numbers.items():
            kinds = labels[name]
            connection.execute(delete(label).where(label.c.meter == number, label.c.kind.in_(kinds)))
            rows = [{"meter": number, "kind": kind, "value": value} for kind, value in kinds.items() if value]
            if rows:
                connection.execute(insert(label), rows)
    return [name for name in labels if name not in numbers]


def _differences(group: Group, obis: Obis, edges: Sequence[int], within: Within) -> Select[Any]:
    """Sums of the differences between neighbouring edges, by the scalers of both; none across an epoch."""
    chosen = _chosen(group, obis, within).subquery()
    pairs = (
        select(
            quarter_reading.c.quarter,
            quarter_reading.c.raw,
            quarter_reading.c.scaler,
            quarter_reading.c.epoch,
            _before(quarter_reading.c.quarter, "before"),
            _before(quarter_reading.c.raw, "raw_before"),
            _before(quarter_reading.c.scaler, "scaler_before"),
            _before(quarter_reading.c.epoch, "epoch_before"),
        )
        .join(chosen, chosen.c.id == quarter_reading.c.series)
        .where(_at(edges))
        .subquery()
    )
    by = (pairs.c.before, pairs.c.quarter, pairs.c.scaler, pairs.c.scaler_before)
    sums = (func.sum(pairs.c.raw).label("raw"), func.sum(pairs.c.raw_before).label("raw_before"))
    return select(*by, *sums, func.count().label("meters")).where(pairs.c.epoch == pairs.c.epoch_before).group_by(*by)


def _before(column: Column[Any], name: str) -> ColumnElement[Any]:
    """The column at the counter's previous edge."""
    return func.lag(column).over(partition_by=quarter_reading.c.series, order_by=quarter_reading.c.quarter).label(name)


def _chosen(group: Group, obis: Obis, within: Within) -> Select[Any]:
    return select(series.c.id).where(series.c.obis == str(obis), series.c.meter.in_(_members(group, within)))


def _members(group: Group, within: Within) -> Select[Any]:
    """The meters of a group that the client may see."""
    members = select(label.c.meter).where(label.c.kind == group.kind, label.c.value == group.value)
    return members if within is None else members.where(label.c.meter.in_(_any_of(within)))


def _any_of(groups: Sequence[Group]) -> Select[Any]:
    return select(label.c.meter).where(
        tuple_(label.c.kind, label.c.value).in_([(group.kind, group.value) for group in groups])
    )


def _labels(reads: Reads, numbers: Sequence[int]) -> dict[int, dict[str, str]]:
    labels: dict[int, dict[str, str]] = {}
    for row in reads.query(select(label).where(label.c.meter.in_(numbers))):
        labels.setdefault(row.meter, {})[row.kind] = row.value
    return labels
