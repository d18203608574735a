"""The energy that contracts are compared on, a year at a time, so that ten years take no more memory than one.

    pieces   |--------- 12 months ---------|--------- 12 months ---------|-- 3 --|      cut where local months begin

Of a gap only the sum is known. It is spread over its quarters by what the household used in the same quarters of other
days of the piece; evenly, where that is not known.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from operator import add
from zoneinfo import ZoneInfo

from msgspec import Struct

from iskra_server.history.model.energy import BucketLength, bucket_edges
from iskra_server.history.model.periods import QUARTERS_OF_DAY, quarter_of_day
from iskra_server.history.model.quarter_energy import EnergyColumn
from iskra_server.history.model.records import QUARTER_S
from iskra_server.history.store.recorded_meter import RecordedMeter
from iskra_server.meter.obis import EXPORT, IMPORT, Obis

_MONTHS = 12
# weights are integers: the mean of a quarter of the day in thousandths of the counter's step
_WEIGHT = 1000
_NOTHING = Fraction(0)

# one of each month
Fractions = list[Fraction]


class Spread(Struct, frozen=True):
    """A gap's energy `raw`; quarter `begin` + i has weights[i] of `total`."""

    begin: int
    raw: int
    weights: list[int]
    total: int

    def parts(self, months: Sequence[int]) -> Iterator[tuple[int, slice]]:
        """The months that the gap touches, and the places of its quarters in each."""
        end = self.begin + len(self.weights)
        for month, (first, last) in enumerate(pairwise(months)):
            if first < end and last > self.begin:
                yield month, slice(max(first - self.begin, 0), last - self.begin)


class EnergyPiece(Struct, frozen=True):
    """Of the registers that the meter has. `days` and `months` are where local days and months begin, and the end.

    Sums are by month of `all_months`, those of the whole comparison.
    """

    days: tuple[int, ...]
    months: tuple[int, ...]
    all_months: Sequence[int]
    columns: dict[Obis, EnergyColumn]
    spreads: dict[Obis, list[Spread]]

    @property
    def first(self) -> int:
        return self.months[0]

    @property
    def end(self) -> int:
        return self.months[-1]

    def slices(self, edges: Sequence[int]) -> list[slice]:
        return [slice(begin - self.first, end - self.first) for begin, end in pairwise(edges)]

    def by_month(self, sums: Iterable[Fraction | int], unit: Fraction) -> Fractions:
        """What each month of the piece has, as of all months."""
        before = self.all_months.index(self.first)
        after = len(self.all_months) - before - len(self.months)
        return [*[_NOTHING] * before, *(unit * value for value in sums), *[_NOTHING] * after]

    def measured_wh(self, obis: Obis) -> Fractions:
        column = self.columns.get(obis)
        sums = [sum(column.raws[place]) if column else 0 for place in self.slices(self.months)]
        return self.by_month(sums, power_of_ten(column.scaler if column else 0))

    def estimated_wh(self, obis: Obis) -> Fractions:
        sums = [_NOTHING] * (len(self.all_months) - 1)
        for spread in self.spreads.get(obis, ()):
            unit = power_of_ten(self.columns[obis].scaler) * spread.raw / spread.total
            for month, place in spread.parts(self.all_months):
                sums[month] += unit * sum(spread.weights[place])
        return sums


def power_of_ten(exponent: int) -> Fraction:
    return Fraction(10) ** exponent


def measured_span(meter: RecordedMeter, begin: int, end: int) -> tuple[int, int] | None:
    """From the first reading of a period to its last; None with fewer than two."""
    outermost = meter.counter(IMPORT).outermost(begin, end)
    return (outermost[0].quarter, outermost[1].quarter) if outermost else None


def months_of(span: tuple[int, int], tz: ZoneInfo, length: BucketLength = "month") -> tuple[int, ...]:
    """Where the months begin, the first one where the span does; and its end."""
    begin, end = (datetime.fromtimestamp(quarter * QUARTER_S, tz) for quarter in span)
    return bucket_edges(begin, end, length, tz)


def energy_pieces(
    meter: RecordedMeter, span: tuple[int, int], registers: Sequence[Obis], tz: ZoneInfo
) -> Iterator[EnergyPiece]:
    """The energy from one quarter to another of import, export, and further registers that the meter has."""
    months, days = months_of(span, tz), months_of(span, tz, "day")
    edges = [*months[:-1:_MONTHS], months[-1]]
    known = meter.series()
    needed = [obis for obis in dict.fromkeys([IMPORT, EXPORT, *registers]) if obis in known]
    readers = {obis: meter.counter(obis).energy_columns(edges) for obis in needed}
    for first, last in pairwise(edges):
        columns = {obis: column for obis, reader in readers.items() if (column := next(reader))}
        days_inside = tuple(day for day in days if first <= day <= last)
        months_inside = tuple(month for month in months if first <= month <= last)
        spreads = {obis: list(_spreads(column, days_inside, tz)) for obis, column in columns.items()}
        yield EnergyPiece(days_inside, months_inside, months, columns, spreads)


def _spreads(column: EnergyColumn, days: Sequence[int], tz: ZoneInfo) -> Iterator[Spread]:
    if not column.gaps:
        return
    usual = _usual_day(column, days)
    for gap in column.gaps:
        slots = [
            quarter_of_day(datetime.fromtimestamp(quarter * QUARTER_S, tz)) for quarter in range(gap.begin, gap.end)
        ]
        weights = [usual[slot] or 0 for slot in slots]
        if not sum(weights) or any(usual[slot] is None for slot in slots):
            weights = [1] * len(slots)
        yield Spread(gap.begin, gap.raw, weights, sum(weights))


def _usual_day(column: EnergyColumn, days: Sequence[int]) -> list[int | None]:
    """The mean energy of each quarter of the day over the days of 96 quarters; None where none was measured."""
    measured = bytearray(b"\1") * len(column.raws)
    for gap in column.gaps:
        begin, end = max(gap.begin - column.first, 0), gap.end - column.first
        measured[begin:end] = bytes(end - begin)
    sums, counts = [0] * QUARTERS_OF_DAY, [0] * QUARTERS_OF_DAY
    for begin, end in pairwise(days):
        if end - begin == QUARTERS_OF_DAY:
            day = slice(begin - column.first, end - column.first)
            sums = list(map(add, sums, column.raws[day]))
            counts = list(map(add, counts, measured[day]))
    return [_WEIGHT * energy // count if count else None for energy, count in zip(sums, counts, strict=True)]
