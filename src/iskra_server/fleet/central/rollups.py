"""Sums of roll-ups over the meters of a group; what has no valid roll-up is computed from the quarters.

    sum = cells of all members                     one pass over the rows of a month, all its days at once
        - cells of members with a mark             a mark: the quarters have changed since
        + parts (something is missing) without a mark
        + computed: members with a mark, and those that belong to the group for a part of the period only

Everything is read in one snapshot, so a sum says exactly what the quarters say.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct
from sqlalchemy import ColumnElement, Select, Subquery, and_, case, func, select, true, tuple_

from iskra_server.fleet.central.counter_energies import RegisterEnergy, counter_energies
from iskra_server.fleet.central.rollup_refresh import row_of
from iskra_server.history.model.records import Exact
from iskra_server.history.store.batches import batches
from iskra_server.history.store.reads import Reads
from iskra_server.history.store.rollup_marks import QuarterSpan, plain_numbers, span_of
from iskra_server.history.store.schema import rollup, rollup_due, rollup_part, rollup_state, series
from iskra_server.meter.obis import Obis
from iskra_server.meter.reading import scaled


class BucketEnergy(Struct):
    """Energy of the counters of a group in one bucket; None where none has any.

    `meters` have an energy, `complete` of them with readings at both ends; `quarters` is how many quarter-hours have an
    energy of their own, `estimated` how many of those have an interpolated reading at an end.
    """

    begin: int
    end: int
    energy: Decimal | None = None
    meters: int = 0
    complete: int = 0
    quarters: int = 0
    estimated: int = 0

    def add(self, value: Exact, *, meters: int, complete: int, quarters: int, estimated: int) -> None:
        self.meters += meters
        energy = (self.energy or Decimal(0)) + scaled(value.raw, value.scaler)
        self.energy = energy if self.meters else None
        self.complete += complete
        self.quarters += quarters
        self.estimated += estimated

    def add_period(self, each: RegisterEnergy) -> None:
        complete = int(each.begin_known and each.end_known)
        self.add(each.value, meters=1, complete=complete, quarters=each.quarters, estimated=each.estimated)


_Buckets = Mapping[tuple[Obis, QuarterSpan], BucketEnergy]


class Roll(Struct, frozen=True):
    """The roll-ups that there are: of days and months in `zone`, from `since` until before `open`."""

    zone: ZoneInfo
    since: int
    open: int

    def covers(self, span: QuarterSpan) -> bool:
        lengths = (span_of(span.begin, "day", self.zone), span_of(span.begin, "month", self.zone))
        return self.since <= span.begin and span.end <= self.open and span in lengths


def group_energies(
    reads: Reads, members: Select[Any], registers: Sequence[Obis], edges: Sequence[int]
) -> dict[Obis, list[BucketEnergy | None]]:
    """The energy of a group in each bucket between two edges; None for a bucket that is no rolled-up day or month.

    `members`: meter, from_quarter, to_quarter, half open; of a replacement chain all meters.
    """
    spans = [QuarterSpan(*pair) for pair in pairwise(edges)]
    with reads.snapshot() as snapshot:
        roll = read_roll(snapshot)
        covered = [span for span in spans if roll and roll.covers(span)]
        buckets = {(obis, span): BucketEnergy(*span) for obis in registers for span in covered}
        if roll and covered:
            _Sums(snapshot, members.subquery(), registers, roll.zone).add(buckets, covered)
    return {obis: [buckets.get((obis, span)) for span in spans] for obis in registers}


def read_roll(reads: Reads) -> Roll | None:
    row = next(iter(reads.query(select(rollup_state))), None)
    return Roll(ZoneInfo(row.zone), row.since_quarter, row.open_quarter) if row else None


class _Sums:
    """`members` may have a meter several times, at times that do not overlap."""

    def __init__(self, reads: Reads, members: Subquery, registers: Sequence[Obis], zone: ZoneInfo) -> None:
        self._reads, self._members, self._zone = reads, members, zone
        self._registers = registers
        self._is_register = series.c.obis.in_(list(map(str, registers)))

    def add(self, buckets: _Buckets, spans: Sequence[QuarterSpan]) -> None:
        others = self._that_come_or_go(spans)
        by_row: dict[QuarterSpan, dict[QuarterSpan, int]] = defaultdict(dict)
        for span in spans:
            row, place = row_of(span, self._zone)
            by_row[row][span] = place
        for row, places in by_row.items():
            self._add_cells(buckets, row, places, self._is_member_throughout(spans))
            if others:
                self._add_cells(buckets, row, places, ~self._is_member_throughout(spans), check=True)
        self._add_parts(buckets, spans)
        for span, meters in self._due(spans).items():
            row, place = row_of(span, self._zone)
            for batch in batches(meters):
                # as numbers: PostgreSQL knows nothing yet of marks that have just come, and would choose a wrong way
                is_due = self._members.c.meter.in_(plain_numbers(batch))
                self._add_cells(buckets, row, {span: place}, is_due, check=True, sign=-1)
                self._add_parts(buckets, [span], is_due, sign=-1)
            self._add_computed(buckets, span, span, meters)
        for (span, inside), meters in _split(others, spans).items():
            self._add_computed(buckets, span, inside, meters)

    def _that_come_or_go(self, spans: Sequence[QuarterSpan]) -> Sequence[Any]:
        """The members that belong to the group for a part of the period only."""
        column = self._members.c
        overlaps = and_(column.from_quarter < spans[-1].end, column.to_quarter > spans[0].begin)
        return self._reads.query(select(self._members).where(overlaps, ~self._is_member_throughout(spans)))

    def _is_member_throughout(self, spans: Sequence[QuarterSpan]) -> ColumnElement[bool]:
        column = self._members.c
        return and_(column.from_quarter <= spans[0].begin, column.to_quarter >= spans[-1].end)

    def _is_member(self, begin: ColumnElement[int] | int, end: ColumnElement[int] | int) -> ColumnElement[bool]:
        return and_(self._members.c.from_quarter <= begin, self._members.c.to_quarter >= end)

    def _add_cells(
        self,
        buckets: _Buckets,
        row: QuarterSpan,
        places: Mapping[QuarterSpan, int],
        condition: ColumnElement[bool],
        *,
        check: bool = False,
        sign: int = 1,
    ) -> None:
        """All cells of a row of the table at once; `check`: each only where the member belongs to the group then."""
        columns: list[ColumnElement[Any]] = []
        for span, place in places.items():
            cell: ColumnElement[Any] = rollup.c[f"energy_{place}"]
            estimated: ColumnElement[Any] = rollup.c[f"estimated_{place}"]
            if check:
                is_member = self._is_member(*span)
                cell, estimated = case((is_member, cell)), case((is_member, estimated))
            columns += [func.sum(cell), func.count(cell), func.sum(estimated)]
        statement: Select[Any] = (
            select(series.c.obis, rollup.c.end_quarter, rollup.c.scaler, *columns)
            .join(series, series.c.id == rollup.c.series)
            .join(self._members, self._members.c.meter == series.c.meter)
            .where(
                # the end is no condition: it says nothing new, but makes PostgreSQL expect a fraction of the rows
                rollup.c.begin_quarter == row.begin,
                self._is_register,
                condition,
            )
            .group_by(series.c.obis, rollup.c.end_quarter, rollup.c.scaler)
        )
        for obis, end, scaler, *values in map(list, self._reads.query(statement)):
            # a year begins with its first month
            for at, span in enumerate(places if end == row.end else ()):
                raw, count, estimated_quarters = values[3 * at : 3 * at + 3]
                if count:
                    buckets[Obis.parse(obis), span].add(
                        Exact(sign * int(raw), scaler),
                        meters=sign * count,
                        complete=sign * count,
                        quarters=sign * count * (span.end - span.begin),
                        estimated=sign * int(estimated_quarters or 0),
                    )

    def _due(self, spans: Sequence[QuarterSpan]) -> dict[QuarterSpan, list[int]]:
        """The members with a mark, by the period that it is for."""
        columns = rollup_due.c
        statement: Select[Any] = (
            select(columns.begin_quarter, columns.end_quarter, columns.meter)
            .distinct()
            .join(self._members, self._members.c.meter == columns.meter)
            .where(
                tuple_(columns.end_quarter, columns.begin_quarter).in_([(span.end, span.begin) for span in spans]),
                self._is_member(columns.begin_quarter, columns.end_quarter),
            )
        )
        due: dict[QuarterSpan, list[int]] = defaultdict(list)
        for row in self._reads.query(statement):
            due[QuarterSpan(row.begin_quarter, row.end_quarter)].append(row.meter)
        return due

    def _add_parts(
        self,
        buckets: _Buckets,
        spans: Sequence[QuarterSpan],
        condition: ColumnElement[bool] | None = None,
        *,
        sign: int = 1,
    ) -> None:
        """The periods in which something is missing."""
        columns = rollup_part.c
        by = series.c.obis, columns.begin_quarter, columns.end_quarter, columns.scaler
        sums = func.sum(columns.raw), func.count(), func.sum(columns.quarters), func.sum(columns.estimated)
        whole = func.sum(case((and_(columns.begin_known, columns.end_known), 1), else_=0))
        statement: Select[Any] = (
            select(*by, *sums, whole)
            .join(series, series.c.id == columns.series)
            .join(self._members, self._members.c.meter == series.c.meter)
            .where(
                columns.begin_quarter.in_([span.begin for span in spans]),
                self._is_register,
                self._is_member(columns.begin_quarter, columns.end_quarter),
                true() if condition is None else condition,
            )
            .group_by(*by)
        )
        for obis, begin, end, scaler, raw, *counts in map(list, self._reads.query(statement)):
            meters, quarters, estimated, complete = (sign * int(count) for count in counts)
            # a month begins with its first day
            if bucket := buckets.get((Obis.parse(obis), QuarterSpan(begin, end))):
                value = Exact(sign * int(raw), scaler)
                bucket.add(value, meters=meters, complete=complete, quarters=quarters, estimated=estimated)

    def _add_computed(self, buckets: _Buckets, span: QuarterSpan, inside: QuarterSpan, meters: Sequence[int]) -> None:
        """From the quarters: the period itself, or what lies inside of it."""
        wanted = set(meters)
        for each in counter_energies(self._reads, meters, inside, self._registers):
            # of a chain, another meter may be the one that it counts for
            if each.meter in wanted:
                buckets[each.obis, span].add_period(each)


def _split(members: Iterable[Any], spans: Sequence[QuarterSpan]) -> Mapping[tuple[QuarterSpan, QuarterSpan], list[int]]:
    """The meters that belong to the group for a part of a bucket: by the bucket, and that part of it."""
    split: dict[tuple[QuarterSpan, QuarterSpan], list[int]] = defaultdict(list)
    for member in members:
        # only the buckets in which it comes or goes
        for at in {member.from_quarter, member.to_quarter}:
            place = bisect_right(spans, at, key=lambda span: span.begin) - 1
            if place >= 0:
                span = spans[place]
                inside = QuarterSpan(max(span.begin, member.from_quarter), min(span.end, member.to_quarter))
                if inside.begin < inside.end and inside != span:
                    meters = split[span, inside]
                    if member.meter not in meters:
                        meters.append(member.meter)
    return split
