"""The energy that contracts are compared on, a year at a time, so that ten years take no more memory than one.

    pieces   |--------- 12 months ---------|--------- 12 months ---------|-- 3 --|      cut where local months begin

Of a gap only the sum is known; it is spread over its quarters (gap_spread.py).
"""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

from msgspec import Struct

from iskra_server.cost.gap_spread import GapSpreading, Spread
from iskra_server.history.model.energy import BucketLength, bucket_edges
from iskra_server.history.model.periods import quarter_time
from iskra_server.history.model.quarter_energy import EnergyColumn
from iskra_server.history.store.recorded_meter import RecordedMeter
from iskra_server.meter.obis import EXPORT, IMPORT, Obis

_MONTHS = 12
_NOTHING = Fraction(0)

# one of each month
Fractions = list[Fraction]


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
            unit = power_of_ten(spread.scaler)
            for month, place in self.parts(spread):
                sums[month] += unit * sum(spread.raws[place])
        return sums

    def parts(self, spread: Spread) -> Iterator[tuple[int, slice]]:
        """The months that a gap touches, and the places of its quarters in each."""
        for month, (first, last) in enumerate(pairwise(self.all_months)):
            if first < spread.end and last > spread.begin:
                yield month, slice(max(first - spread.begin, 0), last - spread.begin)


def power_of_ten(exponent: int) -> Fraction:
    return Fraction(10) ** exponent


def measured_span(meter: RecordedMeter, begin: int, end: int) -> tuple[int, int] | None:
    """From the first reading of a period to its last; None with fewer than two."""
    outermost = meter.counter(IMPORT).outermost(begin, end)
    return (outermost[0].quarter, outermost[1].quarter) if outermost else None


def months_of(span: tuple[int, int], tz: ZoneInfo, length: BucketLength = "month") -> tuple[int, ...]:
    """Where the months begin, the first one where the span does; and its end."""
    begin, end = (quarter_time(quarter, tz) for quarter in span)
    return bucket_edges(begin, end, length, tz)


def energy_pieces(
    meter: RecordedMeter, span: tuple[int, int], registers: Sequence[Obis], tz: ZoneInfo
) -> Iterator[EnergyPiece]:
    """The energy from one quarter to another of import, export, and further registers that the meter has."""
    months, days = months_of(span, tz), months_of(span, tz, "day")
    edges = [*months[:-1:_MONTHS], months[-1]]
    known = meter.series()
    needed = [obis for obis in dict.fromkeys([IMPORT, EXPORT, *registers]) if obis in known]
    counters = {obis: meter.counter(obis) for obis in needed}
    readers = {obis: counter.energy_columns(edges) for obis, counter in counters.items()}
    for first, last in pairwise(edges):
        columns = {obis: column for obis, reader in readers.items() if (column := next(reader))}
        days_inside = tuple(day for day in days if first <= day <= last)
        months_inside = tuple(month for month in months if first <= month <= last)
        spreads = {obis: _spreads(GapSpreading(counters[obis], column, tz), column) for obis, column in columns.items()}
        yield EnergyPiece(days_inside, months_inside, months, columns, spreads)


def _spreads(spreading: GapSpreading, column: EnergyColumn) -> list[Spread]:
    return [spreading.spread(gap.begin, gap.end, gap.raw, column.scaler) for gap in column.gaps]
