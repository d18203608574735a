"""Epochs of one counter in the order of time.

At a central server the readers of a meter number its epochs each by itself, and what one of them sends late gets a
later number: the numbers need not grow with time. When an epoch started is known: its place in time is its number here.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

from msgspec.structs import replace

from iskra_server.history.model.records import HOURLY_WITHIN_S, QUARTER_S, EpochStart


class EpochOrder:
    """`starts` are the epoch starts of a counter with numbers that grow with time: their own where those do."""

    def __init__(self, starts: Sequence[EpochStart]) -> None:
        ordered = sorted(starts, key=lambda start: (start.at_s, start.epoch))
        if any(before.epoch >= after.epoch for before, after in pairwise(ordered)):
            self._numbers = {start.epoch: number for number, start in enumerate(ordered, 1)}
            ordered = [replace(start, epoch=number) for number, start in enumerate(ordered, 1)]
        else:
            self._numbers = {}
        self.starts = ordered
        self._times = [start.at_s for start in ordered]

    def epoch(self, quarter: int, epoch: int) -> int:
        """The epoch of the reading at a quarter which has this number in the database.

        Time decides where the number contradicts it: another reader may have gone on with an older number. A start
        may be up to an hour later than a reading of its epoch, by a clock that was set.
        """
        if not self.starts:
            return epoch
        number = self._numbers.get(epoch, 0) if self._numbers else epoch
        began = bisect_right(self._times, quarter * QUARTER_S)
        if began and number < self.starts[began - 1].epoch:
            return self.starts[began - 1].epoch
        later = bisect_right(self._times, quarter * QUARTER_S + HOURLY_WITHIN_S)
        if began < len(self.starts) and all(start.epoch != number for start in self.starts[began:later]):
            # no start of this number in that hour: the reading is before the next start, even if its number is higher
            number = min(number, self.starts[began].epoch - 1)
        return number
