"""The energy of every quarter of a period as integers, for sums over years: ten years have 350,000 quarters.

    readings   ---|----|----|--- ~ ~ ~ ---|----|---     A quarter has an energy if both its edges have a reading.
    energies        12   15      gap        9           Of a gap only the sum is known; it is listed apart.

All energies and gaps add up to the difference of the first and the last reading, exactly, as in energy.py.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice, pairwise
from operator import sub

from msgspec import Struct

from iskra_server.history.model.energy import energy_between
from iskra_server.history.model.records import EpochStart, Exact, QuarterReading
from iskra_server.meter.obis import Obis


class ReadingColumns(Struct, frozen=True, gc=False):
    """Readings of one counter in order of their quarters, all of one epoch: raw x 10^scaler Wh."""

    meter_id: str
    obis: Obis
    epoch: int
    scaler: int
    quarters: Sequence[int]
    raws: Sequence[int]

    def reading(self, place: int) -> QuarterReading:
        """One of them. Its quality is unknown here, and is given as measured."""
        value = Exact(self.raws[place], self.scaler)
        return QuarterReading(self.meter_id, self.obis, self.quarters[place], value, "measured", self.epoch)


class RawGap(Struct, frozen=True):
    """Between readings at quarters `begin` and `end` only the sum is known."""

    begin: int
    end: int
    raw: int


class EnergyColumn(Struct, frozen=True, gc=False):
    """The energy of quarter `first` + i is raws[i] x 10^scaler Wh; 0 where none was measured.

    A gap may begin before `first`. `readings` are the quarters of the first and the last reading; by default it has
    both its ends.
    """

    first: int
    scaler: int
    raws: list[int]
    gaps: list[RawGap]
    readings: tuple[int, int] | None = None

    def measured(self) -> bytearray:
        """1 for each quarter that was measured by itself, else 0."""
        length = len(self.raws)
        known = bytearray(length)
        begin, end = (quarter - self.first for quarter in self.readings or (self.first, self.first + length))
        begin, end = max(begin, 0), min(end, length)
        if begin < end:
            known[begin:end] = b"\1" * (end - begin)
        for gap in self.gaps:
            begin, end = max(gap.begin - self.first, 0), gap.end - self.first
            known[begin:end] = bytes(end - begin)
        return known

    def part(self, begin: int, end: int) -> "EnergyColumn":
        """The quarters from `begin` until before `end`, which lie inside, with the gaps that lie inside of them."""
        low, high = self.readings or (begin, end)
        for gap in self.gaps:
            # one that reaches out of the part is none of its gaps, and its quarters were not measured
            low = gap.end if gap.begin < begin < gap.end else low
            high = gap.begin if gap.begin < end < gap.end else high
        place = slice(begin - self.first, end - self.first)
        gaps = [gap for gap in self.gaps if begin <= gap.begin and gap.end <= end]
        return EnergyColumn(begin, self.scaler, self.raws[place], gaps, (low, high))


def energy_column(
    columns: Iterable[ReadingColumns],
    before: QuarterReading | None,
    span: tuple[int, int],
    epochs: Sequence[EpochStart],
) -> EnergyColumn | None:
    """The quarters from the first of `span` until before its end, where `columns` are the readings of both ends too.

    `before` is the reading that the first one follows after a gap, if there is one. None without any reading.
    """
    parts = [part for part in columns if part.quarters]
    if not parts:
        return None
    first, end = span
    column = EnergyColumn(
        first=first,
        scaler=min(_scalers(parts, before, epochs)),
        raws=[0] * (end - first),
        gaps=[],
        readings=((before or parts[0].reading(0)).quarter, parts[-1].quarters[-1]),
    )
    for part in parts:
        after = part.reading(0)
        if before and before.quarter < after.quarter:
            energy_wh = energy_between(before, after, epochs)
            _add(column, before.quarter, after.quarter, int(energy_wh.scaleb(-column.scaler)))
        _add_all(column, part)
        before = part.reading(-1)
    return column


def _scalers(
    parts: Iterable[ReadingColumns], before: QuarterReading | None, epochs: Iterable[EpochStart]
) -> Iterator[int]:
    yield from (part.scaler for part in parts)
    if before:
        yield before.value.scaler
    for start in epochs:
        yield start.after.scaler
        if start.before:
            yield start.before.scaler


def _add(column: EnergyColumn, begin: int, end: int, raw: int) -> None:
    """The energy between neighbouring readings."""
    if end == begin + 1 and begin >= column.first:
        column.raws[begin - column.first] = raw
    else:
        column.gaps.append(RawGap(begin, end, raw))


def _add_all(column: EnergyColumn, part: ReadingColumns) -> None:
    """Between all readings of a part; without a gap by `map`, as a loop takes ten times as long."""
    quarters, factor = part.quarters, 10 ** (part.scaler - column.scaler)
    counted = [raw * factor for raw in part.raws] if factor > 1 else part.raws
    energies = map(sub, islice(counted, 1, None), counted)
    if quarters[-1] - quarters[0] == len(quarters) - 1:
        column.raws[quarters[0] - column.first : quarters[-1] - column.first] = energies
        return
    for (begin, end), raw in zip(pairwise(quarters), energies, strict=True):
        _add(column, begin, end, raw)


def columns_of(readings: Iterable[QuarterReading]) -> Iterator[ReadingColumns]:
    """Readings in order as columns, of which each has one epoch and one scaler."""
    for (epoch, scaler), group in groupby(readings, key=lambda reading: (reading.epoch, reading.value.scaler)):
        rows = list(group)
        quarters, raws = [reading.quarter for reading in rows], [reading.value.raw for reading in rows]
        yield ReadingColumns(rows[0].meter_id, rows[0].obis, epoch, scaler, quarters, raws)
