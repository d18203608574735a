"""Questions about many meters: which are there, who has been silent longest, and what a group of them took together.

Groups are labels: building=7, tenant=Meyer, tariff=night. Lists go page by page, each from where the last one ended.
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

# quarters that are whole hours have an index of their own in PostgreSQL
_HOUR = 3
# of an export held in memory, some 2 MB; and how many counters are asked for at once where a period is short
ROWS, _SERIES = 5_000, 50
# of one page of readers, each of which may say 256 kB; and how many are asked for at once
_PAGE, _READERS = 2**22, 20


class Group(Struct, frozen=True):
    """The meters with this label; `Group("building", "7")`."""

    kind: str
    value: str


class FleetMeter(Struct, frozen=True):
    """A meter at the centre: by which reader it was heard of last, and when (Unix seconds)."""

    meter_id: str
    reader: str
    last_s: int
    power_mw: int | None
    labels: dict[str, str]


class GroupSum(Struct, frozen=True):
    """Energy of a group between two quarters: of so many meters it is known, and `energy` is None where of none."""

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


Place = tuple[int, int]
# the groups of which something may be seen; None is all meters
Within = Sequence[Group] | None


def meters(
    reads: Reads,
    *,
    limit: int,
    after: Place | None = None,
    group: Group | None = None,
    find: str = "",
    within: Within = None,
) -> tuple[list[FleetMeter], Place | None]:
    """The meters that were silent longest first, from behind a place on; and the place of the last, if more follow."""
    statement = select(live, meter.c.meter_id).join_from(live, meter).order_by(live.c.at_s, live.c.meter)
    if after:
        statement = statement.where(tuple_(live.c.at_s, live.c.meter) > tuple_(*after))
    if group:
        statement = statement.where(live.c.meter.in_(_members(group, within)))
    elif within is not None:
        statement = statement.where(live.c.meter.in_(_any_of(within)))
    if find:
        # LIKE alone tells cases apart in PostgreSQL, and not in SQLite
        number = func.replace(meter.c.meter_id, " ", "")
        statement = statement.where(number.icontains(find.replace(" ", ""), autoescape=True))
    rows = reads.query(statement.limit(limit + 1))
    shown = rows[:limit]
    labels = _labels(reads, [row.meter for row in shown])
    found = [FleetMeter(r.meter_id, r.reader, r.at_s, r.power_mw, labels.get(r.meter, {})) for r in shown]
    return found, (shown[-1].at_s, shown[-1].meter) if len(rows) > limit else None


def groups(reads: Reads, kind: str, *, limit: int, after: str = "", within: Within = None) -> list[tuple[str, int]]:
    """The values of a label, and how many meters have each."""
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
    """What the meters of a group took in each bucket, of those whose counter is known at both of its edges."""
    whole = _whole(reads, group, obis, edges, within)
    if whole is not None:
        return whole
    found: dict[Place, tuple[Decimal, int]] = {}
    for row in reads.query(_differences(group, obis, edges, within)):
        known, count = found.get((row.before, row.quarter), (Decimal(0), 0))
        taken = scaled(int(row.raw), row.scaler) - scaled(int(row.raw_before), row.scaler_before)
        found[row.before, row.quarter] = known + taken, count + row.meters
    return [GroupSum(begin, end, *found.get((begin, end), (None, 0))) for begin, end in pairwise(edges)]


def _whole(reads: Reads, group: Group, obis: Obis, edges: Sequence[int], within: Within) -> list[GroupSum] | None:
    """The same by differences of sums, where every meter is known at every edge and none begins a new epoch.

    Epochs only grow: while as many meters are in each of them as before, no meter has left its own.
    """
    chosen = _chosen(group, obis, within).subquery()
    by = (quarter_reading.c.quarter, quarter_reading.c.scaler, quarter_reading.c.epoch)
    sums = (func.sum(quarter_reading.c.raw).label("raw"), func.count().label("meters"))
    statement = select(*by, *sums).join(chosen, chosen.c.id == quarter_reading.c.series).where(_at(edges)).group_by(*by)
    totals: dict[int, Decimal] = {}
    epochs: dict[int, dict[int, int]] = {}
    for row in reads.query(statement):
        totals[row.quarter] = totals.get(row.quarter, Decimal(0)) + scaled(int(row.raw), row.scaler)
        held = epochs.setdefault(row.quarter, {})
        held[row.epoch] = held.get(row.epoch, 0) + row.meters
    first = epochs.get(edges[0], {})
    count = size(reads, group, obis, within)
    if sum(first.values()) != count or not count or any(epochs.get(edge) != first for edge in edges):
        return None
    return [GroupSum(begin, end, totals[end] - totals[begin], count) for begin, end in pairwise(edges)]


def _at(edges: Sequence[int]) -> ColumnElement[bool]:
    """At these quarters; where all are whole hours, by the index that has those alone."""
    if any(quarter & _HOUR for quarter in edges):
        return quarter_reading.c.quarter.in_(edges)
    return and_(quarter_reading.c.quarter.in_(edges), quarter_reading.c.quarter.op("&")(_HOUR) == 0)


def quarters(reads: Reads, group: Group, first: int, end: int, within: Within = None) -> Iterator[GroupQuarter]:
    """Every counter of a group at every quarter of a period, meter by meter; at most some ROWS are held at a time."""
    named = select(series.c.id, series.c.obis, meter.c.meter_id).join_from(series, meter)
    named = named.where(meter.c.id.in_(_members(group, within))).order_by(meter.c.meter_id, series.c.obis)
    of_group = reads.query(named)
    # a counter has a row a quarter at most
    at_once = min(max(ROWS // max(end - first, 1), 1), _SERIES)
    for start in range(0, len(of_group), at_once):
        names = {row.id: (row.meter_id, Obis.parse(row.obis)) for row in of_group[start : start + at_once]}
        by_series: dict[int, list[Any]] = {}
        for row in _rows(reads, names, first, end):
            if at_once == 1:
                yield _quarter(names[row.series], row)
            else:
                by_series.setdefault(row.series, []).append(row)
        for number, name in names.items():
            for row in by_series.get(number, ()):
                yield _quarter(name, row)


def _rows(reads: Reads, names: Collection[int], first: int, end: int) -> Iterator[Any]:
    """Of several series all at once, as they are few; of one that is long page by page."""
    while True:
        wanted = and_(
            quarter_reading.c.series.in_(names), quarter_reading.c.quarter >= first, quarter_reading.c.quarter < end
        )
        rows = reads.query(
            select(quarter_reading)
            .where(wanted)
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
    """How readers stand, by name, at most some _PAGE bytes of it; and the name of the last, if more follow."""
    found: list[ReaderRow] = []
    length = 0
    while length < _PAGE:
        step = min(limit - len(found), _READERS) + 1
        statement = select(reader).where(reader.c.name > after).order_by(reader.c.name).limit(step)
        rows = reads.query(statement)
        found += [ReaderRow(row.name, row.at_s, row.ok, row.sentence, row.status) for row in rows[: step - 1]]
        if len(rows) < step:
            return found, None
        after = found[-1].name
        if len(found) == limit:
            break
        length = sum(len(row.status) for row in found)
    return found, after


def set_labels(store: Store, labels: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Give meters their labels, in the place of those of the same kinds; says which meters are not known."""
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
    """Sums of each counter's difference from its edge before, by how both are scaled; none over an epoch."""
    chosen = _chosen(group, obis, within).subquery()
    sides = (
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
    by = (sides.c.before, sides.c.quarter, sides.c.scaler, sides.c.scaler_before)
    sums = (func.sum(sides.c.raw).label("raw"), func.sum(sides.c.raw_before).label("raw_before"))
    return select(*by, *sums, func.count().label("meters")).where(sides.c.epoch == sides.c.epoch_before).group_by(*by)


def _before(column: Column[Any], name: str) -> ColumnElement[Any]:
    """What a column was at the counter's edge before."""
    return func.lag(column).over(partition_by=quarter_reading.c.series, order_by=quarter_reading.c.quarter).label(name)


def _chosen(group: Group, obis: Obis, within: Within) -> Select[Any]:
    return select(series.c.id).where(series.c.obis == str(obis), series.c.meter.in_(_members(group, within)))


def _members(group: Group, within: Within) -> Select[Any]:
    """The meters of a group, as far as they may be seen."""
    members = select(label.c.meter).where(label.c.kind == group.kind, label.c.value == group.value)
    return members if within is None else members.where(label.c.meter.in_(_any_of(within)))


def _any_of(groups: Sequence[Group]) -> Select[Any]:
    return select(label.c.meter).where(
        tuple_(label.c.kind, label.c.value).in_([(group.kind, group.value) for group in groups])
    )


def _labels(reads: Reads, numbers: Sequence[int]) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = {}
    for row in reads.query(select(label).where(label.c.meter.in_(numbers))):
        found.setdefault(row.meter, {})[row.kind] = row.value
    return found
