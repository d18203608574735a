"""The readings of a counter over some time, read once, for many questions about parts of it."""

from bisect import bisect_left, bisect_right
from itertools import accumulate, pairwise

from iskra_server.history.model.records import QuarterReading
from iskra_server.history.store.counter_history import CounterHistory


class ReadingsInMemory:
    """The readings of a counter from one quarter to another, both included."""

    def __init__(self, counter: CounterHistory, first: int, last: int) -> None:
        self.epochs = counter.epochs
        self._columns = list(counter.columns(first, last + 1))
        self._ends = list(accumulate(len(column.quarters) for column in self._columns))
        self._quarters = [quarter for column in self._columns for quarter in column.quarters]
        interpolated = set(counter.interpolated(first, last + 1))
        pairs = [(before, after == before + 1) for before, after in pairwise(self._quarters)]
        touched = interpolated | {quarter - 1 for quarter in interpolated}
        # up to each reading
        self._measured = list(accumulate((is_measured for _, is_measured in pairs), initial=0))
        self._estimated = list(
            accumulate((is_measured and before in touched for before, is_measured in pairs), initial=0)
        )

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
        return self._measured[last] - self._measured[first], self._estimated[last] - self._estimated[first]

    def _places(self, begin: int, end: int) -> tuple[int, int] | None:
        first, last = bisect_left(self._quarters, begin), bisect_right(self._quarters, end) - 1
        return (first, last) if first <= last else None

    def _reading(self, place: int) -> QuarterReading:
        column = bisect_right(self._ends, place)
        return self._columns[column].reading(place - self._ends[column])
