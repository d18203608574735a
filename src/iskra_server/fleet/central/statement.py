"""A statement: what the meters of a group counted in a period, month by month, and everything that is wrong with it.

Of each meter only the time counts in which it belonged to the group. Energy is that of history/store/metered_energy.py:
from the first reading to the last, exact; what is missing, estimated, replaced or contested is a remark, and none of it
is filled in.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

from msgspec import Struct

from iskra_server.fleet.central.common_groups import each_group_among, in_both
from iskra_server.fleet.central.label_periods import Group, MeterPeriod, Within, group_meters
from iskra_server.fleet.central.statement_remarks import Remark, central_remarks
from iskra_server.history.model.energy import bucket_edges, energy_between
from iskra_server.history.model.periods import quarter_time
from iskra_server.history.model.records import QUARTER_S, EpochStart, quarter_of
from iskra_server.history.store.counter_history import CounterHistory
from iskra_server.history.store.metered_energy import MeteredEnergy, metered_energy, open_gaps
from iskra_server.history.store.readings_in_memory import ReadingsInMemory
from iskra_server.history.store.reads import Reads
from iskra_server.meter.obis import EXPORT, IMPORT, Obis

# gaps of one counter that are listed one by one; of the others their number is told
MAX_GAPS = 10


class RegisterStatement(Struct, frozen=True):
    """One register of a meter in one span of time; the months and `between` add up to the energy of `total`.

    `between` is the energy around beginnings of months without a reading: it is in the total, but in no month.
    """

    obis: Obis
    total: MeteredEnergy
    months: tuple[MeteredEnergy, ...]
    between: Decimal
    remarks: tuple[Remark, ...]


class MeterStatement(Struct, frozen=True):
    """A meter with those that it replaced. Registers come span by span."""

    meter_id: str
    registers: tuple[RegisterStatement, ...]
    remarks: tuple[Remark, ...]


class StatementTotal(Struct, frozen=True):
    """The energy of a register of all meters; `complete` of `spans` have readings at both ends."""

    obis: Obis
    energy_wh: Decimal
    spans: int
    complete: int


class Statement(Struct, frozen=True):
    """`begin` and `end` are quarters, `made_s` Unix seconds. `remarks` are about the whole."""

    groups: tuple[Group, ...]
    begin: int
    end: int
    made_s: int
    tz: ZoneInfo
    meters: tuple[MeterStatement, ...]
    totals: tuple[StatementTotal, ...]
    remarks: tuple[Remark, ...]


def statement(
    reads: Reads,
    groups: Sequence[Group],
    period: tuple[datetime, datetime],
    now: datetime,
    *,
    tz: ZoneInfo,
    within: Within = None,
) -> Statement:
    """Of the meters that are in all of `groups` at the same time. Raises StoreError."""
    (begin, end), asked = quarters_of(period, now), quarter_of(period[1].timestamp())
    is_future = period[0] > now
    remarks = [Remark("future" if is_future else "open", end_s=asked * QUARTER_S)] if end < asked else []
    points = common_points(reads, groups, begin, end, within) if begin < end else []
    meters = tuple(_meter(reads, point, tz, int(now.timestamp())) for point in points)
    if not meters and not is_future:
        remarks.append(Remark("no_meter"))
    totals = tuple(_total(obis, meters) for obis in (IMPORT, EXPORT))
    return Statement(
        groups=tuple(groups),
        begin=begin,
        end=end,
        made_s=int(now.timestamp()),
        tz=tz,
        meters=meters,
        totals=tuple(total for total in totals if total.spans),
        remarks=tuple(remarks),
    )


def common_points(
    reads: Reads, groups: Sequence[Group], begin: int, end: int, within: Within = None
) -> list[MeterPeriod]:
    """The meters that are in all groups at the same time, each with these times."""
    first, *others = (group_meters(reads, group, begin, end, within) for group in groups)
    for points in others:
        first = in_both(first, points)
    return first


def groups_among(
    reads: Reads, group: Group, kind: str, period: tuple[datetime, datetime], now: datetime, *, within: Within = None
) -> list[Group]:
    """The groups of a kind to which a meter of `group` belongs in a period until now, at the same time, by name."""
    return list(each_group_among(reads, group, kind, *quarters_of(period, now), within=within))


def quarters_of(period: tuple[datetime, datetime], now: datetime) -> tuple[int, int]:
    """Of a period until now."""
    begin, end = (quarter_of(moment.timestamp()) for moment in period)
    return begin, max(min(end, quarter_of(now.timestamp())), begin)


def _meter(reads: Reads, point: MeterPeriod, tz: ZoneInfo, now_s: int) -> MeterStatement:
    stored = sorted({obis for meter_id in point.chain for obis in reads.series(meter_id)})
    registers = [obis for obis in stored if obis in (IMPORT, EXPORT)]
    counters = {obis: CounterHistory(reads, point.chain, obis) for obis in registers}
    parts = tuple(
        _register(counter, obis, span, point.chain, tz) for span in point.spans for obis, counter in counters.items()
    )
    is_complete = bool(parts) and all(part.total.is_complete and not part.total.missing for part in parts)
    remarks = list(central_remarks(reads, point, now_s, is_complete=is_complete))
    if not registers:
        names = tuple(map(str, stored))
        remarks.insert(0, Remark("other_registers", names=names) if names else Remark("no_register"))
    return MeterStatement(point.meter_id, parts, tuple(remarks))


def _register(
    counter: CounterHistory, obis: Obis, span: tuple[int, int], chain: Sequence[str], tz: ZoneInfo
) -> RegisterStatement:
    begin, end = (quarter_time(quarter, tz) for quarter in span)
    readings = ReadingsInMemory(counter, *span)
    total = metered_energy(readings, *span)
    edges = bucket_edges(begin, end, "month", tz)
    months = tuple(metered_energy(readings, *edge) for edge in pairwise(edges))
    inside = sum((month.energy_wh for month in months if month.energy_wh is not None), Decimal(0))
    between = (total.energy_wh or Decimal(0)) - inside
    remarks = (*_edge_remarks(counter, total), *_gap_remarks(readings, total), *_epoch_remarks(counter, total, chain))
    return RegisterStatement(obis, total, months, between, remarks)


def _edge_remarks(counter: CounterHistory, total: MeteredEnergy) -> Iterator[Remark]:
    begin_s, end_s = total.begin * QUARTER_S, total.end * QUARTER_S
    if total.first is None or total.last is None:
        yield Remark("no_reading", begin_s=begin_s, end_s=end_s)
    else:
        if total.first.quarter > total.begin:
            yield Remark("late_begin", begin_s=begin_s, end_s=total.first.quarter * QUARTER_S)
        if total.last.quarter < total.end:
            yield Remark("early_end", begin_s=total.last.quarter * QUARTER_S, end_s=end_s)
    # without its energy: a part of it may be that of another tenant
    for gap in open_gaps(counter, total):
        yield Remark("open_gap", begin_s=gap.begin * QUARTER_S, end_s=gap.end * QUARTER_S)


def _gap_remarks(readings: ReadingsInMemory, total: MeteredEnergy) -> Iterator[Remark]:
    """Gaps inside, the longest ones each by itself, in order of time; and the estimated quarter-hours."""
    gaps = list(readings.gaps())
    longest = sorted(gaps, key=lambda gap: gap[0].quarter - gap[1].quarter)[:MAX_GAPS]
    for before, after in sorted(longest, key=lambda gap: gap[0].quarter):
        yield Remark(
            "gap",
            begin_s=before.quarter * QUARTER_S,
            end_s=after.quarter * QUARTER_S,
            count=after.quarter - before.quarter,
            energies_wh=(energy_between(before, after, readings.epochs),),
        )
    if len(gaps) > MAX_GAPS:
        yield Remark("more_gaps", count=len(gaps) - MAX_GAPS)
    if total.estimated:
        yield Remark("estimated", count=total.estimated, of=total.quarters)


def _epoch_remarks(counter: CounterHistory, total: MeteredEnergy, chain: Sequence[str]) -> Iterator[Remark]:
    """Replacements and restarts, with the last value before and the first one after."""
    starts = sorted(counter.epochs, key=lambda start: start.at_s)
    installed = _installations(counter, starts, chain)
    for start in starts:
        if total.begin * QUARTER_S <= start.at_s < total.end * QUARTER_S:
            before_wh = None if start.before is None else start.before.decimal
            energies_wh = before_wh, start.after.decimal
            if old := installed.get(start.epoch):
                names = old, start.meter_id
                yield Remark("replaced", begin_s=start.at_s, energies_wh=energies_wh, names=names)
            elif before_wh != start.after.decimal:
                yield Remark("restarted", begin_s=start.at_s, energies_wh=energies_wh)


def _installations(counter: CounterHistory, starts: Sequence[EpochStart], chain: Sequence[str]) -> dict[int, str]:
    """Epoch -> the meter that was replaced when it began: the first epoch start of each further meter of a chain."""
    found: dict[int, str] = {}
    first = counter.nearest_after(-1)
    before = first.meter_id if first else chain[0]
    for start in starts:
        if start.meter_id != before:
            found[start.epoch] = before
            before = start.meter_id
    return found


def _total(obis: Obis, meters: Sequence[MeterStatement]) -> StatementTotal:
    totals = [part.total for meter in meters for part in meter.registers if part.obis == obis]
    energy_wh = sum((total.energy_wh for total in totals if total.energy_wh is not None), Decimal(0))
    return StatementTotal(obis, energy_wh, len(totals), sum(total.is_complete for total in totals))
