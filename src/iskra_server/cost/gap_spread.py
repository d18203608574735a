"""Spreads the energy of a gap, of which only the sum is known, over its quarters: an estimate, the same everywhere.

    four weeks before     the mean of each quarter of the day is the weight of the quarters of the gap
    |~~~~~~~~~~~~~~~~~~|   evenly where one of them is unknown, and in a gap of up to an hour
                       [ gap ]

Only what was measured before a gap counts: an estimate is the same in each period, and later readings do not change it.
"""

from collections.abc import Callable
from datetime import date, timedelta
from operator import add, sub
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from iskra_server.history.model.periods import (
    QUARTERS_OF_DAY,
    first_quarter,
    quarter_date,
    quarter_of_day,
    quarter_time,
)
from iskra_server.history.model.quarter_energy import EnergyColumn
from iskra_server.history.store.counter_history import CounterHistory

_DAY = timedelta(days=1)
_WINDOW = timedelta(weeks=4)
_HOUR = 4
# weights are integers: the mean of a quarter of the day in thousandths of the counter's step
_WEIGHT = 1000
# the energy of each quarter is in so many digits more than the counter has
_MORE_DIGITS = 3

# by the quarter of the day
_Energies = list[int]


class Spread(Struct, frozen=True):
    """Quarter `begin` + i of a gap has raws[i] x 10^scaler Wh; together they are its energy, exactly."""

    begin: int
    scaler: int
    raws: list[int]

    @property
    def end(self) -> int:
        return self.begin + len(self.raws)


class GapSpreading:
    """The gaps of one counter. `column` is what was read of it already. `spread` may raise StoreError."""

    def __init__(self, counter: CounterHistory, column: EnergyColumn | None, tz: ZoneInfo) -> None:
        self._counter, self._tz = counter, tz
        self._main = _Days(column, tz) if column else None
        self._earlier: _Days | None = None
        # the sums and counts of the four weeks before a day: gaps follow each other
        self._window: tuple[date, _Energies, _Energies] | None = None

    def spread(self, begin: int, end: int, raw: int, scaler: int) -> Spread:
        """The energy raw x 10^scaler Wh of the quarters from `begin` until before `end`."""
        # a meter that counts whole kWh has its energy in whole Wh, any other in thousandths of its step
        whole, length = raw * 10**_MORE_DIGITS, end - begin
        weights = self._weights(begin, end) if length > _HOUR else []
        total = sum(weights)
        if not total:
            weights, total = [1] * length, length
        raws, counted, weighed = [], 0, 0
        for weight in weights:
            weighed += weight
            until = whole * weighed // total
            raws.append(until - counted)
            counted = until
        return Spread(begin, scaler - _MORE_DIGITS, raws)

    def _weights(self, begin: int, end: int) -> list[int]:
        """None at all where one is unknown."""
        clocks = [quarter_time(quarter, self._tz) for quarter in range(begin, end)]
        sums, counts = self._usual_day(clocks[0].date())
        slots = {quarter_of_day(clock) for clock in clocks}
        if not all(counts[slot] for slot in slots):
            return []
        usual = {slot: max(_WEIGHT * sums[slot] // counts[slot], 0) for slot in slots}
        return [usual[quarter_of_day(clock)] for clock in clocks]

    def _usual_day(self, day: date) -> tuple[_Energies, _Energies]:
        """The energy of each quarter of the day in the four weeks before, and how often it was measured."""
        if self._main is None:
            # such gaps are few and far apart
            self._window = self._earlier = None
        nothing = [0] * QUARTERS_OF_DAY
        last, sums, counts = self._window or (date.min, nothing, nothing)
        if is_new := not last <= day <= last + _WINDOW:
            last, sums, counts = day - _WINDOW, nothing, nothing
        while last < day:
            if energies := self._day(last, day):
                sums, counts = _combined(add, sums, energies[0]), _combined(add, counts, energies[1])
            if not is_new and (energies := self._day(last - _WINDOW, day)):
                sums, counts = _combined(sub, sums, energies[0]), _combined(sub, counts, energies[1])
            last += _DAY
        self._window = day, sums, counts
        return sums, counts

    def _day(self, day: date, gap_day: date) -> tuple[_Energies, _Energies] | None:
        if self._main and day > self._main.first_day:
            return self._main.day(day)
        if self._earlier is None or day < self._earlier.first_day:
            # once: all that the gaps of the column can ask for
            until = self._main.first_day + _DAY if self._main else gap_day
            edges = first_quarter(day, self._tz), first_quarter(until, self._tz)
            column = next(self._counter.energy_columns(edges))
            column = column or EnergyColumn(edges[0], 0, [], [])
            # a meter that was unlocked since counts in finer steps now
            self._earlier = _Days(_in_steps_of(self._main.column, column) if self._main else column, self._tz, day)
        return self._earlier.day(day)


class _Days:
    """The local days of a column that have 96 quarters."""

    def __init__(self, column: EnergyColumn, tz: ZoneInfo, first_day: date | None = None) -> None:
        self.column, self._tz = column, tz
        self.first_day = first_day or quarter_date(column.first, tz)
        self._measured = column.measured()

    def day(self, day: date) -> tuple[_Energies, _Energies] | None:
        """Its energies, and where they were measured; None where nothing was."""
        begin, end = (first_quarter(each, self._tz) - self.column.first for each in (day, day + _DAY))
        if end - begin != QUARTERS_OF_DAY or begin < 0 or end > len(self.column.raws):
            return None
        measured = list(self._measured[begin:end])
        return (self.column.raws[begin:end], measured) if any(measured) else None


def _in_steps_of(other: EnergyColumn, column: EnergyColumn) -> EnergyColumn:
    """The column with the scaler of the other one; what is smaller than its step is cut off."""
    finer, coarser = 10 ** max(column.scaler - other.scaler, 0), 10 ** max(other.scaler - column.scaler, 0)
    raws = [raw * finer // coarser for raw in column.raws]
    return replace(column, scaler=other.scaler, raws=raws)


def _combined(change: Callable[[int, int], int], left: _Energies, right: _Energies) -> _Energies:
    return list(map(change, left, right))
