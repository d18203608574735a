"""The energy of many counters in one period, from their quarter readings: what a roll-up holds, and what replaces it.

The rules are those of history/model/energy.py: from the first reading inside to the last, both edges included. All
counters of meters without a replacement are read at once. So is a replacement chain whose newest meter has a reading at
the beginning: nothing counts of those that it replaced. All other chains are read one by one as `CounterHistory`.
"""

from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select

from iskra_server.fleet.central.outermost_readings import epoch_orders, outermost_of, with_outermost
from iskra_server.history.model.energy import energy_between
from iskra_server.history.model.records import HOURLY_WITHIN_S, QUARTER_S, EpochStart, Exact, MeterInfo, QuarterReading
from iskra_server.history.store.batches import batches
from iskra_server.history.store.counter_history import CounterHistory, ordered_chain
from iskra_server.history.store.reads import Reads
from iskra_server.history.store.rollup_marks import QuarterSpan, plain_numbers, replacements
from iskra_server.history.store.schema import epoch, meter, quarter_reading, series
from iskra_server.meter.obis import Obis


class RegisterEnergy(Struct, frozen=True):
    """Energy of a counter from its first reading inside a period to its last.

    `quarters` have an energy of their own; `estimated` of them have an interpolated reading at an end. `begin_known`,
    `end_known`: the period has a reading at that edge.
    """

    meter: int
    series: int
    obis: Obis
    span: QuarterSpan
    value: Exact
    quarters: int
    estimated: int
    begin_known: bool
    end_known: bool

    @property
    def is_whole(self) -> bool:
        """Every quarter-hour has an energy of its own."""
        return self.quarters == self.span.end - self.span.begin


def counter_energies(
    reads: Reads, meters: Collection[int], span: QuarterSpan, registers: Collection[Obis] = ()
) -> Iterator[RegisterEnergy]:
    """Of these meters (row ids), and of the chains in which one of them was replaced; without `registers` of all.

    In a chain it stands under the newest meter that has a reading before the end. A counter with fewer than two
    readings inside has none.
    """
    chains = _chains(reads, meters)
    in_chain = {number for chain in chains for number in chain}
    for batch in batches(sorted(set(meters) - in_chain)):
        yield from _of_single_meters(reads, batch, span, registers)
    newest = [list(chain)[-1] for chain in chains]
    settled: set[tuple[int, Obis]] = set()
    for batch in batches(newest):
        for energy in _of_single_meters(reads, batch, span, registers):
            if energy.begin_known:
                settled.add((energy.meter, energy.obis))
                yield energy
    known = _series(reads, sorted(in_chain))
    for head, chain in zip(newest, chains, strict=True):
        for register in sorted({obis for number in chain for obis in known[number]}):
            if (head, register) in settled or (registers and register not in registers):
                continue
            own = {
                name: (number, known[number][register]) for number, name in chain.items() if register in known[number]
            }
            if energy_of_one := _of_one(reads, list(chain.values()), register, own, span):
                yield energy_of_one


def _of_single_meters(
    reads: Reads, meters: Sequence[int], span: QuarterSpan, registers: Collection[Obis]
) -> Iterator[RegisterEnergy]:
    rows = [row for row in reads.query(_summary(meters, span, registers)) if row.first < row.last]
    names = {row.series: (row.meter_id, Obis.parse(row.obis)) for row in rows}
    several = {row.series for row in rows if row.min_epoch != row.max_epoch or row.restarted}
    orders = epoch_orders(reads, {number: names[number] for number in several})
    for row in rows:
        name = names[row.series]
        if order := orders.get(row.series):
            value = _energy(*outermost_of(row, *name, order), order.starts)
        else:
            value = _difference(Exact(row.first_raw, row.first_scaler), Exact(row.last_raw, row.last_scaler))
        edges = row.first == span.begin, row.last == span.end
        yield RegisterEnergy(row.meter, row.series, name[1], span, value, row.quarters, row.estimated, *edges)


def _of_one(
    reads: Reads, chain: Sequence[str], obis: Obis, numbers: dict[str, tuple[int, int]], span: QuarterSpan
) -> RegisterEnergy | None:
    """Of one register of a meter and those that it replaced (the oldest first); `numbers`: of meter and series."""
    counter = CounterHistory(reads, chain, obis)
    readings = list(counter.between(span.begin, span.end + 1))
    if len(readings) < 2:
        return None
    first, last = readings[0], readings[-1]
    neighbours = [pair for pair in pairwise(readings) if pair[1].quarter == pair[0].quarter + 1]
    estimated = sum("interpolated" in (before.quality, after.quality) for before, after in neighbours)
    # a successor's first reading at the end belongs to the next period
    owner = last if last.quarter < span.end else readings[-2]
    value = _energy(first, last, counter.epochs)
    edges = first.quarter == span.begin, last.quarter == span.end
    return RegisterEnergy(*numbers[owner.meter_id], obis, span, value, len(neighbours), estimated, *edges)


def _energy(first: QuarterReading, last: QuarterReading, epochs: Sequence[EpochStart]) -> Exact:
    energy = energy_between(first, last, epochs)
    scaler = int(energy.as_tuple().exponent)
    return Exact(int(energy.scaleb(-scaler)), scaler)


def _difference(first: Exact, last: Exact) -> Exact:
    scaler = min(first.scaler, last.scaler)
    return Exact(last.raw * 10 ** (last.scaler - scaler) - first.raw * 10 ** (first.scaler - scaler), scaler)


def _summary(meters: Sequence[int], span: QuarterSpan, registers: Collection[Obis]) -> Select[Any]:
    """A row for each series with a reading inside: its outermost readings, and what lies between."""
    column = quarter_reading.c
    inside = [series.c.meter.in_(plain_numbers(meters)), column.quarter >= span.begin, column.quarter <= span.end]
    if registers:
        inside.append(series.c.obis.in_(map(str, registers)))
    each = (
        select(
            column.series,
            column.quarter,
            column.epoch,
            column.quality,
            _next(column.quarter).label("next_quarter"),
            _next(column.quality).label("next_quality"),
        )
        .join(series, series.c.id == column.series)
        .where(*inside)
        .subquery()
    )
    is_known = each.c.next_quarter == each.c.quarter + 1
    is_estimated = and_(is_known, or_(each.c.quality != 0, each.c.next_quality != 0))
    summary = (
        select(
            each.c.series,
            func.min(each.c.quarter).label("first"),
            func.max(each.c.quarter).label("last"),
            func.min(each.c.epoch).label("min_epoch"),
            func.max(each.c.epoch).label("max_epoch"),
            func.sum(case((is_known, 1), else_=0)).label("quarters"),
            func.sum(case((is_estimated, 1), else_=0)).label("estimated"),
        )
        .group_by(each.c.series)
        .subquery()
    )
    # by time, as in EpochOrder: readings after a start may have an older number
    begin_s, end_s = span.begin * QUARTER_S - HOURLY_WITHIN_S, span.end * QUARTER_S + HOURLY_WITHIN_S
    in_time = epoch.c.at_s >= begin_s, epoch.c.at_s <= end_s
    # the start of a new counter has no value before
    restarted = select(epoch.c.series).where(
        epoch.c.series == summary.c.series, epoch.c.before_raw.is_not(None), *in_time
    )
    return (
        with_outermost(summary)
        .add_columns(restarted.exists().label("restarted"), series.c.obis, series.c.meter, meter.c.meter_id)
        .join(series, series.c.id == summary.c.series)
        .join(meter, meter.c.id == series.c.meter)
    )


def _next(column: ColumnElement[int]) -> ColumnElement[int]:
    """Of the series' next reading."""
    return func.lead(column).over(partition_by=quarter_reading.c.series, order_by=quarter_reading.c.quarter)


def _chains(reads: Reads, meters: Collection[int]) -> list[dict[int, str]]:
    """The replacement chains of these meters: row ids and names, the oldest meter first."""
    successors = dict(replacements(reads.query, meters))
    numbers = {*successors, *successors.values()}
    if not numbers:
        return []
    rows = reads.query(select(meter).where(meter.c.id.in_(numbers)).order_by(meter.c.first_s, meter.c.id))
    names = {row.id: row.meter_id for row in rows}
    infos = [MeterInfo(row.meter_id, "", False, 0, 0, names.get(row.replaced_by)) for row in rows]
    ids = {name: number for number, name in names.items()}
    heads = [row.meter_id for row in rows if row.replaced_by is None]
    return [{ids[name]: name for name in ordered_chain(head, infos)} for head in heads]


def _series(reads: Reads, meters: Sequence[int]) -> dict[int, dict[Obis, int]]:
    """The series of each of these meters by register."""
    known: dict[int, dict[Obis, int]] = {number: {} for number in meters}
    for batch in batches(meters):
        for row in reads.query(select(series).where(series.c.meter.in_(batch))):
            known[row.meter][Obis.parse(row.obis)] = row.id
    return known
