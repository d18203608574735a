"""The readings of a counter over some time, read once, for many questions about parts of it."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import accumulate, islice
from operator import sub

from msgspec.structs import replace

from iskra_server.history.model.records import QuarterReading
from iskra_server.history.store.counter_history import CounterHistory


class ReadingsInMemory:
    """The readings of a counter from one quarter to another, both included."""

    def __init__(self, counter: CounterHistory, first: int, last: int) -> None:
        self.epochs = counter.epochs
        self._columns = list(counter.columns(first, last + 1))
        self._ends = list(accumulate(len(column.quarters) for column in self._columns))
        self._quarters = [quarter for column in self._columns for quarter in column.quarters]
        self._interpolated = set(counter.interpolated(first, last + 1))
        # the places before gaps, and those before quarter-hours that were estimated: few, in order
        steps = map(sub, islice(self._quarters, 1, None), self._quarters)
        self._gaps = [place for place, step in enumerate(steps) if step != 1]
        places = (bisect_left(self._quarters, quarter) for quarter in self._interpolated)
        touched = {place for after in places for place in (after - 1, after)}
        self._estimated = sorted(touched - {-1, len(self._quarters) - 1} - set(self._gaps))

    def outermost(self, begin: int, end: int) -> tuple[QuarterReading, QuarterReading] | None:
        """The first and the last reading from one quarter to another, both included, perhaps the same."""
        places = self._places(begin, end)
        return places and (self._reading(places[0]), self._reading(places[1]))

    def count(self, begin: int, end: int) -> tuple[int, int]:
        """The quarter-hours with a reading at both ends, and those of them that rest on an interpolated one."""
        places = self._places(begin, end)
        if places is None:
            return 0, 0
        first, last = places
        gaps, estimated = (bisect_left(of, last) - bisect_left(of, first) for of in (self._gaps, self._estimated))
        return last - first - gaps, estimated

    def gaps(self) -> Iterator[tuple[QuarterReading, QuarterReading]]:
        """The readings around each gap, in order of time."""
        return ((self._reading(place), self._reading(place + 1)) for place in self._gaps)

    def _places(self, begin: int, end: int) -> tuple[int, int] | None:
        first, last = bisect_left(self._quarters, begin), bisect_right(self._quarters, end) - 1
        return (first, last) if first <= last else None

    def _reading(self, place: int) -> QuarterReading:
        column = bisect_right(self._ends, place)
        reading = self._columns[column].reading(place - self._ends[column])
        return replace(reading, quality="interpolated") if reading.quarter in self._interpolated else reading
